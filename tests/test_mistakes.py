"""What a mistyped command says, word for word."""

import shutil

import pytest
from small_runs import experiment, tool

from geo_lm4ve.config import GROUPS
from geo_lm4ve.experiment import to_yaml
from geo_lm4ve.files import write_text
from geo_lm4ve.options import CONFIGS, options

QUICK = CONFIGS / "quickstart.yaml"
FIRST = f"known: {', '.join(GROUPS)}, name, seed, and keys of a group as in optim.epochs"
OPTIM = (
    "optim has: accumulate, batch_size, betas, clip_norm, clip_value, decay_epochs, ema_decay, epochs, eps, gamma, lr, "
    "lr_per, milestones, min_lr, per_step, schedule, small_lr_scale, warmup_epochs, warmup_lr, weight_decay"
)
ENCODER = (
    "encoder has: depth, dim, drop_path, encoder_dim, features, freeze, group_size, heads, mlp_ratio, num_groups, "
    "pointnet_width, skip_near_origin"
)
KNOWN = {group: f"known: {', '.join(options(group))}" for group in GROUPS}
HYDRA = ("append", "Could not override", "not in 'ExperimentConfig'", "full_key", "object_type", "HYDRA", "usage")

MISTAKES = {
    "optim.epoch=3": f"unknown key optim.epoch (did you mean optim.epochs=3?); {OPTIM}",
    "optim.epochs=three": "optim.epochs=three: optim.epochs takes a whole number",
    "encoder=point_bret": f"unknown option encoder='point_bret' (did you mean 'point_bert'?); {KNOWN['encoder']}",
    "encodr=point_bert": f"unknown key encodr (did you mean encoder=point_bert?); {FIRST}",
    "encoder.dept=3": f"unknown key encoder.dept (did you mean encoder.depth=3?); {ENCODER}",
    "encoder.dim.x=3": "unknown key encoder.dim.x: encoder.dim is a value, nothing lies below it",
    "block=smollm": f"unknown option block='smollm' (did you mean 'smollm2_135m'?); {KNOWN['block']}",
    "optim=3": f"unknown option optim='3'; {KNOWN['optim']}",
    "block=": "block= has no value: write block=VALUE",
    "block.layers=31": "block.layers=31: block.layers takes a list of whole numbers, as in block.layers=[31]",
    "block.layers=[1": "block.layers=[1 cannot be read: not every [ has its ]",
    "name=a)": "name=a) cannot be read: not every ( has its )",
    "name=a=b": "name=a=b cannot be read: a text that holds signs is quoted, \"name='...'\"",
    "seed=x": "seed=x: seed takes a whole number",
    "optim.lr=": "optim.lr= has no value: optim.lr takes a number",
    "optim.betas=[a,b]": "optim.betas=[a,b]: optim.betas takes a list of numbers",
    "run.max_steps=x": "run.max_steps=x: run.max_steps takes a whole number or null",
    "run.pictures=maybe": "run.pictures=maybe: run.pictures takes true or false",
    "bridge.residual=inside": "bridge.residual=inside: bridge.residual takes one of none, in, out, hybrid",
    "bridge.residual=hybird": "bridge.residual=hybird: bridge.residual takes one of none, in, out, hybrid "
    "(did you mean hybrid?)",
    "epochs=3": f"unknown key epochs (did you mean optim.epochs=3?); {FIRST}",
    "epoch=3": f"unknown key epoch (did you mean optim.epochs=3?); {FIRST}",
    "root=x": f"unknown key root (did you mean data.root=x or run.root=x?); {FIRST}",
    "choices.block=x": f"unknown key choices.block; {FIRST}",
    "+optim.foo=1": f"unknown key optim.foo; {OPTIM}",
    "+optim.epochs=1": "+optim.epochs=1 is written without +: optim.epochs=1",
    "++optim.epochs=1": "++optim.epochs=1 is written without ++: optim.epochs=1",
    "+block=identity": "+block=identity is written without +: block=identity",
    "~block": "~block: an experiment needs each of its parts and keys; block=identity is no block",
    "seed=0,1": "seed=0,1 has several values: -m runs each of them; a text that holds commas is quoted",
    "optim.epochs=3 optim.epochs=4": "optim.epochs is given twice: optim.epochs=3 and optim.epochs=4; keep one",
    "optim.epochs 3": "'optim.epochs' is neither a flag nor a change; changes are written without blanks: "
    "optim.epochs=3",
    "--epochs 3": "unknown flag --epochs; settings are written without dashes: optim.epochs=3",
    "--batch-size=16": "unknown flag --batch-size; settings are written without dashes: optim.batch_size=16",
    "--multi": "unknown flag --multi (did you mean --multirun?); settings are written without dashes: optim.epochs=3",
    "--cfg jb": "--cfg takes one of job, hydra, all, not 'jb'",
    "--cfg job optim.epoch=3": f"unknown key optim.epoch (did you mean optim.epochs=3?); {OPTIM}",
    "-m optim.epochs=3": "-m runs every combination of several values, but none are given: -m seed=0,1,2",
    "-m seed=0,x": "seed=x: seed takes a whole number",
    "-m seed=0,1 block=identity,smollm": "unknown option block='smollm' (did you mean 'smollm2_135m'?); "
    + KNOWN["block"],
    "-m seed=0,1 optim.epoch=3": f"unknown key optim.epoch (did you mean optim.epochs=3?); {OPTIM}",
}  # fmt: skip


def said(capsys, name, *arguments):
    """The only thing that a command printed, which ended with an error."""
    code, out, err = tool(capsys, name, *arguments)
    assert code in (1, 2)
    assert not out
    assert not [sign for sign in HYDRA if sign in err], err
    return err


@pytest.mark.parametrize("typed", MISTAKES)
def test_a_mistake_is_one_message(typed, capsys):
    assert said(capsys, "train", QUICK, *typed.split()) == f"error: {MISTAKES[typed]}\n--help lists all\n"


@pytest.mark.parametrize("typed", ["optim.epoch=3", "bridge.residual=hybird", "--epochs 3"])
def test_scoring_and_predicting_say_the_same(typed, capsys):
    wanted = f"error: {MISTAKES[typed]}\n--help lists all\n"
    assert said(capsys, "evaluate", QUICK, *typed.split()) == wanted
    if typed == "--epochs 3":
        wanted = wanted.replace("=3", "=VALUE")  # argparse takes the 3 for a file
    assert said(capsys, "predict", QUICK, "a.off", *typed.split()) == wanted


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("prepare", "folder shapes --tset-fraction 1", "unknown flag --tset-fraction (did you mean --test-fraction?)"),
        ("prepare", "folder shapes --epochs 3", "unknown flag --epochs"),
        ("report", "runs --basline identity", "unknown flag --basline (did you mean --baseline?)"),
        ("predict", "run a.off --topp", "unknown flag --topp (did you mean --top?); settings are written without "
         "dashes: optim.epochs=3"),
    ],
)  # fmt: skip
def test_a_mistyped_flag_is_answered_without_importing_all_parts(name, typed, words, capsys, monkeypatch):
    def fail(group):
        raise AssertionError(f"all parts of {group} are imported, which takes seconds")

    monkeypatch.setattr("geo_lm4ve.mistakes.registered", fail)
    assert said(capsys, name, *typed.split()) == f"error: {words}\n--help lists all\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["configs/quikstart.yaml"],
         "there is no experiment configs/quikstart.yaml (did you mean {quick}?); {shipped}"),
        (["quickstrat"], "there is no experiment quickstrat (did you mean {quick}?); {shipped}"),
        (["optim.lr=1"], "no experiment was given: name an experiment file or a run folder, python tools/train.py "
         "configs/quickstart.yaml\n{shipped}"),
        (["{quick}", "configs/modelnet40_llama.yaml"],
         "2 experiments were given, {quick} and configs/modelnet40_llama.yaml: name one"),
        (["README.md"], "README.md is neither an experiment file (.yaml) nor a run folder"),
        (["configs"], "configs is no run folder: it holds no config.yaml"),
    ],
)  # fmt: skip
def test_an_experiment_is_one(arguments, words, capsys, monkeypatch):
    monkeypatch.chdir(CONFIGS.parent)
    shipped = "shipped: " + ", ".join(sorted(f"configs/{path.name}" for path in CONFIGS.glob("*.yaml")))
    fill = {"quick": "configs/quickstart.yaml", "shipped": shipped}
    given = [argument.format(**fill) for argument in arguments]
    assert said(capsys, "train", *given) == f"error: {words.format(**fill)}\n--help lists all\n"


def test_a_folder_of_runs_is_none(tmp_path, capsys):
    run = tmp_path / "runs" / "one" / "20260101-000000-0"
    write_text(run / "config.yaml", QUICK.read_text())
    assert f"it holds no config.yaml (did you mean {run}?)" in said(capsys, "train", tmp_path / "runs")
    beside = shutil.copy(QUICK, tmp_path / "mine.yaml")
    assert f"(did you mean {beside}?)" in said(capsys, "predict", tmp_path / "mien.yaml", "a.off")


def test_what_is_wrong_in_a_file_is_not_blamed_on_the_command(tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    write_text(path, f"{QUICK.read_text()}  epoch: 3\n")
    error = said(capsys, "train", path, "optim.epochs=3")
    assert error.startswith(f"error: {path}: ")
    assert "'epoch'" in error


@pytest.fixture
def run(tmp_path):
    """The folder of a run as it is saved."""
    saved = experiment(tmp_path)
    saved.choices = {"data": "point_folder", "block": "mlp"}
    write_text(tmp_path / "run" / "config.yaml", to_yaml(saved))
    return tmp_path / "run"


def test_a_run_takes_other_options(run, capsys):
    code, out, err = tool(capsys, "evaluate", run, "data=synthetic_solids", "data.points=64", "--cfg", "job")
    assert code == 0, err
    assert "name: synthetic_solids" in out
    assert "points: 64" in out
    assert "root: datasets/synthetic_solids/processed" in out
    assert "  block: mlp\n" in out
    assert "data: point_folder" not in out
    known = said(capsys, "evaluate", run, "data=modelnet4")
    assert known.startswith("error: unknown option data='modelnet4' (did you mean 'modelnet40'?); known: ")


def test_a_run_takes_several_options(run, capsys):
    code, _, err = tool(capsys, "evaluate", run, "-m", "data=modelnet40,point_folder", "data.root=/gone")
    assert code == 1
    assert "there is no folder /gone: run python tools/prepare.py modelnet40" in err or "holds no checkpoint" in err
