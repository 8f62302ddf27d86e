import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from small_runs import experiment

from geo_lm4ve import cli
from geo_lm4ve.arguments import divided
from geo_lm4ve.cli import composed, hydra_arguments, load, multirun_folder
from geo_lm4ve.config import ConfigError
from geo_lm4ve.experiment import to_yaml
from geo_lm4ve.files import UserError
from geo_lm4ve.options import CONFIGS
from geo_lm4ve.usage import experiment_file, friendly

QUICK = (CONFIGS / "quickstart.yaml").read_text()
CALLBACK = """
hydra:
  callbacks:
    one: {_target_: pathlib.Path.touch, _args_: [{_target_: pathlib.Path, _args_: [TOUCHED]}]}
"""
BOMB = "b0: &b0 [x]\n" + "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 10)}]\n" for n in range(1, 12))


def test_an_error_is_shown_with_its_notes(capsys):
    def fail():
        error = UserError("a file is damaged")
        error.add_note("while batch 3 was made")
        raise error

    with pytest.raises(SystemExit) as ended:
        friendly(fail)
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: a file is damaged\nwhile batch 3 was made\n"


@pytest.mark.parametrize("name", ["lr=0.1", "a b", "[x]", "a,b", "$x", "it's"])
def test_an_experiment_lies_in_a_folder_of_any_name(name, tmp_path):
    (tmp_path / name).mkdir()
    file = shutil.copy(CONFIGS / "quickstart.yaml", tmp_path / name / "config.yaml")
    for given in (file, tmp_path / name):
        argument, rest = divided([str(given), "seed=3"], "train")
        arguments = hydra_arguments(experiment_file(argument), rest, tmp_path)
        assert f"--config-path={tmp_path / name}" in arguments
        assert load(given, ["seed=3"])[0].seed == 3


@pytest.mark.parametrize("name", ["x=y", "my code (1)", "a,b[c]", "it's"])
def test_the_package_lies_in_a_folder_of_any_name(name, tmp_path, monkeypatch):
    shutil.copytree(CONFIGS, tmp_path / name)
    monkeypatch.setattr(cli, "CONFIGS", tmp_path / name)
    assert load(tmp_path / name / "quickstart.yaml")[0].name == "quickstart"


@pytest.mark.parametrize("text", ["a${b}", "a\\${b}", "${x", "C:\\x\\", "\x1b[31m", "x\u2028y: #", "[a, b]", "'1'"])
def test_a_saved_experiment_keeps_every_text(text, tmp_path):
    saved = experiment(tmp_path)
    saved.run.root = text
    (tmp_path / "config.yaml").write_text(to_yaml(saved, f"made of {text}\nand {text}"))
    assert load(tmp_path / "config.yaml")[0] == saved


@pytest.mark.parametrize(
    ("more", "part"),
    [
        (CALLBACK, "callbacks"),
        ("\nhydra: {job_logging: {handlers: {a: {(): pathlib.Path}}}}\n", "job_logging"),
        ("\nhydra: {launcher: {_target_: os.abort}}\n", "launcher"),
        ("\nhydra: {job: {env_set: {LD_PRELOAD: x}}}\n", "job"),
    ],
)
def test_an_experiment_does_not_say_how_hydra_starts(tmp_path, more, part):
    path = tmp_path / "one.yaml"
    path.write_text(QUICK + more.replace("TOUCHED", str(tmp_path / "touched")))
    with pytest.raises(ConfigError, match=rf"one\.yaml .*sets hydra\.{part}: .*take it out"):
        load(path)
    assert not (tmp_path / "touched").exists()


def test_an_option_beside_an_experiment_does_not_either(tmp_path):
    (tmp_path / "one.yaml").write_text(QUICK.replace("  - run: default", "  - run: default\n  - own: mine"))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.yaml").write_text("# @package hydra.callbacks\none: {_target_: os.abort}\n")
    with pytest.raises(ConfigError, match=r"sets hydra\.callbacks"):
        load(tmp_path / "one.yaml")


def test_the_command_line_does(tmp_path):
    config = composed(CONFIGS / "quickstart.yaml", ["hydra.job.chdir=true", "optim.epochs=3", "block=identity"])
    assert config.hydra.job.chdir is True
    assert config.optim.epochs == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (QUICK + BOMB, "its aliases stand for more than 100,000 values"),
        (QUICK + "a: &a [*a]\n", "a value holds itself|found undefined alias"),
        (QUICK + "optim: {epochs: 3}\n", "found duplicate key optim"),
        (QUICK + "x: !!python/object/apply:os.abort []\n", "could not determine a constructor"),
        (QUICK + "\tname: a\n", "found character"),
        (QUICK.replace("name: quickstart", "name: ${name}"), "Recursi|recursion|InterpolationResolutionError"),
        ("[" * 100_000, "is nested too deep"),
        ("- a\n", "it holds a list"),
        ("1: a\n", "the key 1 is not a text"),
    ],
)
def test_what_yaml_can_do_to_a_reader_is_named(tmp_path, text, said):
    path = tmp_path / "one.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        load(path)
    assert "one.yaml" in str(caught.value)


def test_what_is_no_text_is_named(tmp_path):
    (tmp_path / "one.yaml").write_bytes(QUICK.encode() + b"\xff")
    with pytest.raises(ConfigError, match=r"one\.yaml .*UnicodeDecodeError|one\.yaml .*can't decode"):
        load(tmp_path / "one.yaml")


def test_folders_for_hydra_go_with_their_process(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    ).stdout
    for owner in (dead.strip(), str(os.getppid())):
        (tmp_path / f"geo_lm4ve-multirun-{owner}-x").mkdir()
    with multirun_folder() as folder:
        assert Path(folder).is_dir()
    assert [path.name for path in tmp_path.iterdir()] == [f"geo_lm4ve-multirun-{os.getppid()}-x"]
