"""The commands a user types, in one process where that is enough."""

import json
import re

import pytest
from PIL import Image
from point_folders import write_scans
from small_runs import ROOT, command, tool, write_folder

from geo_lm4ve.options import CONFIGS

SMALL = {
    "quickstart": ["data.train=380", "data.test=38", "block.source=random:smollm2_135m", "run.max_steps=2"],
    "modelnet40_llama": ["encoder=point_bert_tiny", "block=random_frozen", "data.points=128"],
    "scanobjectnn_point_bert_llama": [
        "encoder=point_bert_tiny",
        "block=random_frozen",
        "data.points=128",
        "data.allow_other_counts=true",
    ],
    "modelnet40_pretrain": ["encoder=point_bert_tiny_masked", "head.depth=1", "data.points=128"],
    "modelnet40_pointnext_llama": ["encoder.width=8", "block=random_frozen", "data.points=128"],
    "scanobjectnn_pointnext_llama": [
        "encoder.width=8",
        "block=random_frozen",
        "data.points=128",
        "data.allow_other_counts=true",
    ],
    **{
        f"{name}_llama": [
            f"data={data}",
            "data.train=4",
            "data.val=2",
            "data.test=2",
            "data.points=512",
            f"encoder={name}_small",
            "encoder.features=[color,height]",
            "encoder.seeds=64",
            "encoder.num_proposals=16",
            "block=random_frozen",
            "optim=rooms_short",
        ]
        for name, data in (("scanqa", "synthetic_rooms"), ("sqa3d", "synthetic_rooms_sqa3d"))
    },
    **{
        name: [
            "data=synthetic_images",
            "data.train=4",
            "data.val=2",
            "data.test=2",
            "data.pixels=32",
            "data.size=32",
            "encoder=vit_mini",
            "encoder.size=32",
            "block=random_frozen",
            *more,
        ]
        for name, more in (
            ("image_folder", ()),
            ("imagenet_vit_llama", ("data.randaugment=rand-m9-mstd0.5-inc1", "data.mixup=0.8", "data.repeats=3")),
        )
    },
}
"""What makes each shipped experiment small enough for a test."""

MADE = {"quickstart", "scanqa_llama", "sqa3d_llama", "image_folder", "imagenet_vit_llama"}
"""Those whose data are generated here."""
SHOWN = {
    "modelnet40_pretrain": ["reconstructions.png"],
    "scanqa_llama": ["rooms.png"],
    "sqa3d_llama": ["rooms.png"],
}
"""Pictures of a run's samples, where they are others than those of classification."""


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "data")


def small(tmp_path, folder, name):
    root = tmp_path / "made" if name in MADE else folder
    if name.startswith("scanobjectnn"):
        write_scans(root := tmp_path / "scans", points=160)
    return [f"data.root={root}", f"run.root={tmp_path / 'runs'}", "optim.epochs=1", "optim.batch_size=8", *SMALL[name]]


def test_every_shipped_experiment_has_a_test():
    covered = set(SMALL)
    motion = {path.stem for path in CONFIGS.glob("argoverse*.yaml")}
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == covered | motion


@pytest.mark.parametrize("name", SMALL)
def test_shipped_experiment_runs_and_draws(name, tmp_path, folder, capsys):
    code, out, err = tool(capsys, "train", CONFIGS / f"{name}.yaml", *small(tmp_path, folder, name))
    assert code == 0, err
    (run,) = (tmp_path / "runs" / name).iterdir()
    assert f"written to {run}" in out
    for picture in (*SHOWN.get(name, ["confusion.png", "contact_sheet.png"]), "curves.png"):
        with Image.open(run / picture) as image:
            assert min(image.size) > 300
    page = (run / "report.html").read_text()
    assert name in page
    assert not re.search(r"(src|href)=[\"']?https?:", page)
    results = json.loads((run / "results.json").read_text())
    assert results["synthetic"] == (name in MADE)
    assert (run / "config.yaml").read_text().startswith("#")


def test_llama_experiment_composes_as_the_paper_has_it(capsys):
    code, out, _ = tool(capsys, "train", CONFIGS / "modelnet40_llama.yaml", "--cfg", "job")
    assert code == 0
    assert re.search(r"source: hub:huggyllama/llama-7b\n\s+layers:\n\s+- 31\n", out)
    assert re.search(r"epochs: 300", out)


def test_multirun_then_one_table(tmp_path, folder, capsys):
    arguments = [*small(tmp_path, folder, "modelnet40_llama"), "run.pictures=false", "-m", "seed=0,1"]
    arguments[arguments.index("block=random_frozen")] = "block=identity,mlp"
    code, _, err = tool(capsys, "train", CONFIGS / "modelnet40_llama.yaml", *arguments)
    assert code == 0, err
    runs = sorted((tmp_path / "runs" / "modelnet40_llama").iterdir())
    kinds = {(json.loads((run / "results.json").read_text())["block"], run.name[-1]) for run in runs}
    assert len(runs) == 4
    assert {block for block, _ in kinds} == {"identity", "mlp"}
    table = tmp_path / "table.md"
    code, out, err = tool(capsys, "report", runs[0].parent, "--by", "block", "--baseline", "identity", "--out", table)
    assert code == 0, err
    assert "mlp" in out
    assert "±" in table.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["encoder.dpeth=2"], "dpeth"),
        (["encoder.depth=deep"], "deep"),
        (["encoder=point_brt"], "point_bert"),
        (["data.root=/nowhere"], "/nowhere"),
        (["optim.epochs=0"], r"optim\.epochs must be at least 1"),
        (["block.source=package:not-installed-at-all"], "pip install"),
        (["bridge.after=middle"], "unknown encoder stage 'middle'"),
        (["optim.batch_size=999"], "batch of 999"),
    ],
)
def test_errors_name_the_key_or_the_next_step(arguments, message, tmp_path, folder, capsys):
    key = arguments[0].partition("=")[0]
    base = [one for one in small(tmp_path, folder, "modelnet40_llama") if one.partition("=")[0] != key]
    if key == "block.source":
        base[base.index("block=random_frozen")] = "block=smollm2_135m"
    code, _, err = tool(capsys, "train", CONFIGS / "modelnet40_llama.yaml", *base, *arguments)
    assert code == 1
    assert re.search(message, err), err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [[], ["configs/nothing.yaml"], ["optim.lr=1"]])
def test_without_an_experiment_the_usage_lists_them(arguments, capsys):
    code, _, err = tool(capsys, "train", *arguments)
    assert code == 1
    assert "quickstart" in err


@pytest.mark.parametrize("path", sorted((ROOT / "tools").glob("*.py")), ids=lambda path: path.stem)
def test_help_of_every_tool_shows_an_example(path, capsys):
    code, out, _ = tool(capsys, path.stem, "--help")
    assert code == 0
    assert f"python tools/{path.name}" in out


def test_predict_prints_a_table_and_writes_json(tmp_path, folder, capsys):
    import trimesh

    arguments = [*small(tmp_path, folder, "modelnet40_llama"), "run.pictures=false"]
    assert tool(capsys, "train", CONFIGS / "modelnet40_llama.yaml", *arguments)[0] == 0
    (run,) = (tmp_path / "runs" / "modelnet40_llama").iterdir()
    mesh = tmp_path / "ball.stl"
    trimesh.creation.icosphere().export(mesh)
    out_file = tmp_path / "answers.json"
    code, out, err = tool(capsys, "predict", run, mesh, "--top", "2", "--out", out_file)
    assert code == 0, err
    assert "top 2" in out
    (answer,) = json.loads(out_file.read_text())
    assert len(answer["top"]) == 2
    code, out, err = tool(capsys, "predict", run, tmp_path / "missing.stl")
    assert (code, out) == (1, "")
    assert "missing.stl" in err
    (tmp_path / "more").mkdir()
    trimesh.Scene([trimesh.creation.box(), trimesh.creation.icosphere()]).export(tmp_path / "more" / "parts.glb")
    (tmp_path / "more" / "bad.off").write_text("OFF\n")
    code, out, err = tool(capsys, "predict", run, mesh, tmp_path / "more", mesh, "--out", out_file, "run.device=cpu")
    assert code == 1
    assert [row.split("\t")[0] for row in out.splitlines()] == ["file", str(mesh), str(tmp_path / "more" / "parts.glb")]
    assert [answer["file"] for answer in json.loads(out_file.read_text())] == [
        str(mesh),
        str(tmp_path / "more" / "parts.glb"),
    ]
    assert err.split("error: ")[1].startswith(
        f"left out: 1, for these reasons:\n{tmp_path / 'more' / 'bad.off'} is cut off"
    )


@pytest.mark.slow
def test_a_config_outside_the_repository_may_use_every_option(tmp_path, folder):
    (tmp_path / "mine.yaml").write_text(
        (CONFIGS / "modelnet40_llama.yaml").read_text().replace("name: modelnet40_llama", "name: mine")
    )
    arguments = [*small(tmp_path, folder, "modelnet40_llama"), "run.pictures=false", "run.max_steps=1"]
    run = command("tools/train.py", tmp_path / "mine.yaml", *arguments)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "runs" / "mine").is_dir()
