"""Networks of images out of a folder in the layout of transformers, or made by somebody's own code."""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from geo_lm4ve.files import UserError
from geo_lm4ve.images.encoders.preprocessing import Preprocessing, assumed, read_preprocessing
from geo_lm4ve.layers.model_folder import ModelFolder, named_folder
from geo_lm4ve.layers.transformers_model import quiet, read_transformers
from geo_lm4ve.reading import reader
from geo_lm4ve.slim import WeightReference

_KIND = ("a model of images in the layout of transformers", "get it again")


class VisionError(UserError, RuntimeError):
    """A network of images that is missing, unreadable or none of images."""


@dataclass(frozen=True)
class VisionNetwork:
    """A network of images, with what its files say of it.

    Attributes:
        network: pixels (B, 3, H, W) -> tokens.
        name: for people.
        reference: the file that its weights came out of; None: there is none.
        preprocessing: what its pixels are to be.
        size: rows and columns of the images that it has learned positions for; None: not said.
        patch: rows and columns of a patch; None: not said.
        specials: tokens that stand between a class token and the patches: name -> number.
    """

    network: nn.Module
    name: str
    reference: WeightReference | None
    preprocessing: Preprocessing
    size: tuple[int, int] | None = None
    patch: int | None = None
    specials: Mapping[str, int] = field(default_factory=dict)


def vision_network(source: str) -> VisionNetwork:
    """The network that a source names: a folder, ``OWNER/NAME[@REVISION]`` of the hub, or ``package.module:name``.

    Raises:
        VisionError: it is not at hand, damaged, or no network of images; says what to do.
    """
    return _own(source) if ":" in source else read_vision(named_folder(source, "model of images", VisionError))


def vision_preprocessing(source: str) -> tuple[Preprocessing, tuple[int, int] | None]:
    """What pixels are to be and the size of images that positions are for; no weight is read, nothing made."""
    if ":" in source:
        return assumed(f"{source} says nothing of it"), None
    return read_facts(named_folder(source, "model of images", VisionError))


@reader(VisionError, *_KIND)
def read_facts(place: ModelFolder) -> tuple[Preprocessing, tuple[int, int] | None]:
    """The same of a folder."""
    from transformers import AutoConfig

    with quiet():
        config = AutoConfig.from_pretrained(place.folder, local_files_only=True, trust_remote_code=False)
    return read_preprocessing(place.folder), _pair(getattr(vision_config(config), "image_size", None))


@reader(VisionError, *_KIND)
def read_vision(place: ModelFolder) -> VisionNetwork:
    """The network of a folder, in float32 and eval mode, without its pooler; nothing is fetched.

    Raises:
        VisionError: files are missing, damaged or not those of a model of images.
    """
    network = read_transformers(place, lambda config: _class(vision_config(config)))
    config = network.config
    patch = _pair(getattr(config, "patch_size", None))
    return VisionNetwork(
        network,
        place.name,
        WeightReference(place.name, place.sha256()),
        read_preprocessing(place.folder),
        _pair(getattr(config, "image_size", None)),
        patch[0] if patch and patch[0] == patch[1] else None,
        _specials(network),
    )


def vision_config(config: Any) -> Any:
    """The part of a config that is of images: CLIP and its kin have another of texts."""
    return getattr(config, "vision_config", None) or config


def _class(config: Any) -> tuple[Any, Any]:
    """The class of transformers that makes the network, and the config that it takes."""
    from transformers import MODEL_MAPPING

    if type(config) not in MODEL_MAPPING:
        raise VisionError(f"transformers has no base model for {config.model_type!r}; name another model of images")
    kind = MODEL_MAPPING[type(config)]
    kind = kind[0] if isinstance(kind, tuple) else kind
    if kind.main_input_name != "pixel_values":
        raise VisionError(
            f"{config.model_type} is a model of {kind.main_input_name}, not of images (pixel_values); name a model of "
            "images, such as a ViT, DINOv2 or CLIP"
        )
    if getattr(config, "vision_use_head", False):
        config.vision_use_head = False  # one vector of a whole image, for which nobody asks here
    return kind, config


def _specials(network: nn.Module) -> dict[str, int]:
    found = {}
    if any(name.endswith("distillation_token") for name, _ in network.named_parameters()):
        found["distillation"] = 1
    if isinstance(count := getattr(network.config, "num_register_tokens", 0), int) and count:
        found["registers"] = count
    return found


def _pair(value: Any) -> tuple[int, int] | None:
    sides = list(value) if isinstance(value, list | tuple) else [value, value]
    return (sides[0], sides[1]) if len(sides) == 2 and all(type(side) is int and side > 0 for side in sides) else None


def _own(source: str) -> VisionNetwork:
    """What somebody's own class or function makes; of anything else that can be imported nothing is called."""
    place, _, name = source.partition(":")
    try:
        made: Any = importlib.import_module(place)
    except ImportError as error:
        raise VisionError(
            f"{source}: {place} cannot be imported ({error}); install its package, or put its folder on PYTHONPATH"
        ) from error
    for part in name.split("."):
        if not hasattr(made, part):
            raise VisionError(f"{source}: {place} has no {name}; name a class or function of it")
        made = getattr(made, part)
    if not _makes_a_module(made):
        raise VisionError(
            f"{source} is neither a class derived from torch.nn.Module nor a function that says that it returns one: "
            "write `def build() -> nn.Module`"
        )
    return VisionNetwork(made(), source, None, assumed(f"{source} says nothing of it"))


def _makes_a_module(made: Any) -> bool:
    if inspect.isclass(made):
        return issubclass(made, nn.Module)
    said = typing.get_type_hints(made).get("return") if inspect.isfunction(made) else None
    return inspect.isclass(said) and issubclass(said, nn.Module)
