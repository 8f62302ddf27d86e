from dataclasses import dataclass
from enum import Enum

import pytest

from geo_lm4ve.config import ConfigError, PartConfig, lookup, make, plain, register, registered
from geo_lm4ve.options import CONFIGS, load_option, options
from geo_lm4ve.shipped import load_parts

REQUIRED = {
    "point_folder": {"root": "my_clouds"},
    "generic": {"source": "my_network"},
    **{name: {"root": "my_images"} for name in ("image_folder", "image_shards", "idx")},
}
"""What an option leaves to its user."""


class Colour(Enum):
    red = "red"


def test_names_are_unique_and_match():
    load_parts()
    with pytest.raises(ConfigError, match="already registered"):

        @register("encoder", "point_bert")
        @dataclass
        class Again(PartConfig):
            name: str = "point_bert"

    with pytest.raises(ConfigError, match="is 'other'"):

        @register("encoder", "something")
        @dataclass
        class Wrong(PartConfig):
            name: str = "other"

    with pytest.raises(ConfigError, match="no group"):
        register("colour", "x")(PartConfig)
    assert "something" not in registered("encoder")


def test_unknown_name_suggests_and_lists():
    with pytest.raises(ConfigError, match=r"did you mean 'point_bert'.*known"):
        lookup("encoder", "point_brt")


def test_make_checks_keys_and_types():
    assert make("optim", "adamw", {"lr": 1}).lr == 1.0
    with pytest.raises(ConfigError, match=r"optim=adamw: unknown key 'lrr' \(did you mean 'lr'"):
        make("optim", "adamw", {"lrr": 1})
    with pytest.raises(ConfigError, match=r"(?s)deep.*epochs"):
        make("optim", "adamw", {"epochs": "deep"})


def test_plain_makes_json_values():
    @dataclass
    class Part(PartConfig):
        name: str = "p"
        colour: Colour = Colour.red

    assert plain({"a": Part(), "b": (1, 2)}) == {"a": {"name": "p", "colour": "red"}, "b": [1, 2]}


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}={path.stem}")
def test_every_shipped_option_loads_and_says_what_it_is(path):
    assert path.read_text().startswith("#"), "an option file begins with a head comment"
    option = load_option(path.parent.name, path.stem, REQUIRED.get(path.stem))
    assert option.name in registered(path.parent.name)


def test_every_registered_part_has_an_option():
    for group in ("data", "encoder", "bridge", "head", "task", "optim", "run"):
        reachable = {load_option(group, name, REQUIRED.get(name)).name for name in options(group)}
        shipped = {name for name, part in registered(group).items() if part.__module__.startswith("geo_lm4ve.")}
        assert shipped <= reachable, group


def test_option_with_overrides_and_unknown_option():
    assert load_option("optim", "point_bert", {"epochs": 3}).epochs == 3
    with pytest.raises(ConfigError, match="unknown bridge 'curved'"):
        load_option("bridge", "curved")
