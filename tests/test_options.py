"""Options read by ourselves are what Hydra composes out of the same files: type and every value."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from geo_lm4ve.config import GROUPS, ConfigError, PartConfig, plain, registered
from geo_lm4ve.options import CONFIGS, list_blocks, list_data, list_models, load_option, option_files, options

LEFT_TO_THE_USER = {
    "point_folder": {"root": "my_clouds"},
    "generic": {"source": "my_network"},
    **{name: {"root": "my_images"} for name in ("image_folder", "image_shards", "idx")},
}
"""What an option leaves unset."""


def composed(group: str, name: str, *overrides: str) -> PartConfig:
    """The part as the command line would compose it."""
    config = compose(overrides=[f"+{group}={name}", *overrides])[group]
    part = OmegaConf.to_object(config)
    assert isinstance(part, PartConfig)
    return part


@pytest.fixture(scope="module", autouse=True)
def _registered() -> None:
    """Schemas are in Hydra's store."""
    registered("encoder")


@pytest.mark.parametrize("group", GROUPS)
def test_every_shipped_option_is_what_hydra_composes(group: str) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        for name in option_files(group):
            changes: dict[str, Any] = LEFT_TO_THE_USER.get(name, {})
            ours = load_option(group, name, changes)
            theirs = composed(group, name, *(f"{group}.{key}={value}" for key, value in changes.items()))
            assert type(ours) is type(theirs), name
            assert plain(ours) == plain(theirs), name


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of options that both read."""
    (tmp_path / "data").mkdir()
    monkeypatch.setattr("geo_lm4ve.options.CONFIGS", tmp_path)
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        yield tmp_path / "data"


def write(folder: Path, **options: str) -> None:
    for name, content in options.items():
        (folder / f"{name}.yaml").write_text(content)


SCENES = """
defaults: [/schema/data/argoverse1, _self_]
root: scenes
frame: {heading: regression, forward: y}
agents: {area: disc, radius: 56.0}
"""


@pytest.mark.parametrize(
    "child",
    [
        "defaults: [parent, _self_]\nframe: {min_move: 2.0}\nagents: {radius: 30.0}",
        "defaults: [parent]\nframe: {forward: x}\nroot: elsewhere",
        "defaults: [parent]",
    ],
    ids=["nested", "without _self_", "nothing of its own"],
)
def test_inheritance_merges_as_hydra_does(folder: Path, child: str) -> None:
    write(folder, parent=SCENES, child=child)
    assert load_option("data", "child") == composed("data", "child")


def test_own_values_go_over_inherited_ones(folder: Path) -> None:
    """Hydra would let the parent's schema reset them to its defaults."""
    write(folder, parent=SCENES, child="defaults: [_self_, parent]\nroot: elsewhere")
    with pytest.raises(ConfigError, match=r"configs/data/child\.yaml: _self_ must stand last in defaults"):
        load_option("data", "child")


def test_overrides_reach_into_nested_parts_as_on_the_command_line(folder: Path) -> None:
    write(folder, parent=SCENES)
    ours = load_option("data", "parent", {"frame": {"min_move": 2.0}})
    assert ours == composed("data", "parent", "data.frame.min_move=2.0")
    assert plain(ours)["frame"]["forward"] == "y"


def test_options_load_while_hydra_runs_and_leave_it_alone(folder: Path) -> None:
    running = GlobalHydra.instance().hydra
    write(folder, parent=SCENES)
    load_option("data", "parent")
    assert GlobalHydra.instance().hydra is running


def test_lists_filter_as_timms_do() -> None:
    assert set(options("encoder")) == set(list_models())
    assert list_models("point_bert_?k") == ["point_bert_2k", "point_bert_4k", "point_bert_8k"]
    assert list_models("_mae") == ["point_mae", "point_mae_masked"]
    assert list_models("nothing") == []
    assert {"identity", "smollm2_135m"} <= set(list_blocks())
    assert not {"pretrained", "random"} & set(list_blocks())
    assert list_data("argo*2*") == ["argoverse2", "argoverse2_mmtransformer"]


def test_lists_include_what_is_registered_without_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geo_lm4ve.options.registered", lambda group: {**registered(group), "tones": PartConfig})
    assert "tones" in list_models()
    assert list_data("tone*") == ["tones"]
