import shutil

import pytest
from small_runs import experiment

from geo_lm4ve import cli
from geo_lm4ve.cli import divided, experiment_file, friendly, hydra_arguments, load
from geo_lm4ve.experiment import to_yaml
from geo_lm4ve.files import UserError
from geo_lm4ve.options import CONFIGS


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
        argument, rest = divided([str(given), "seed=3"], "train", "")
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
