"""Any network of images as an encoder: of transformers by folder or hub id, or somebody's own that makes tokens."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from omegaconf import MISSING
from torch import Tensor, nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.images.batch import ImageBatch
from geo_lm4ve.images.encoders.grid import Layout, find_layout
from geo_lm4ve.images.encoders.preprocessing import MEAN, STD
from geo_lm4ve.images.encoders.vision_network import VisionError, VisionNetwork, vision_network, vision_preprocessing
from geo_lm4ve.layers.centers import centers
from geo_lm4ve.layers.token_network import TokenNetwork
from geo_lm4ve.lora import LoraOptions
from geo_lm4ve.parts.data import DataConfig
from geo_lm4ve.parts.encoder import Encoder, EncoderConfig
from geo_lm4ve.reading import reading
from geo_lm4ve.tokens import TokenSet

INTERPOLATE = "interpolate_pos_encoding"
"""Argument of transformers' models that makes position embeddings for images of another size."""
LARGEST = 2048
"""Rows or columns of an image that a file can ask for by itself."""
_TRIED = ("a network of images that makes a token of every patch", "name another one as encoder.source")


@runtime_checkable
class GivesPixels(Protocol):
    """Data that say how they normalise pixels."""

    mean: list[float]
    std: list[float]


@register("encoder", "generic")
@dataclass
class GenericConfig(EncoderConfig):
    """A network of images of somebody else, whole, with its own preprocessing; its one stage is ``network``.

    Its tokens are those of the last hidden state: ``cls``, ``distillation`` and ``registers`` where it has such tokens,
    and ``patches``. With ``freeze`` or LoRA its weights stay in their file, and a checkpoint has their fingerprint.

    Attributes:
        source: a folder with ``config.json`` and safetensors; OWNER/NAME[@REVISION] of the hub, fetched at first use;
            or ``package.module:name``, a class derived from ``nn.Module`` or a function annotated to return one, which
            takes pixels (B, 3, H, W) and gives (B, N, D), (B, D, H, W) or has them as its ``last_hidden_state``.
        size: rows and columns of the images that it is made for; None: those that its files say.
        patch: rows and columns of a patch; None: as its files say, or as the number of tokens tells.
        mean: what the pixels that come in were normalised with, red, green and blue: default ImageNet's, as data sets
            have it. It is undone, and what the network's own files say is done: [0,0,0] and [1,1,1] for fractions.
        std: likewise.
        lora_rank: rank of low-rank updates, which alone are trained; 0: none.
        lora_alpha: updates are scaled by lora_alpha / lora_rank.
        lora_dropout: probability of dropping an input of an update while training.
        lora_targets: names of linear layers to update; empty: all.
    """

    takes: ClassVar[type | None] = ImageBatch
    default_head: ClassVar[str] = "vit"

    name: str = "generic"
    source: str = MISSING
    size: int | None = None
    patch: int | None = None
    mean: list[float] = field(default_factory=lambda: list(MEAN))
    std: list[float] = field(default_factory=lambda: list(STD))
    lora_rank: int = 0
    lora_alpha: float = 8.0
    lora_dropout: float = 0.0
    lora_targets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        for key in ("size", "patch"):
            if (value := getattr(self, key)) is not None and value < 1:
                raise ConfigError(f"encoder.{key} must be at least 1, not {value}")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ConfigError(
                f"encoder.mean {self.mean} and encoder.std {self.std} must be three numbers each, of red, green and "
                "blue, those of std above 0"
            )
        if self.lora_rank < 0:
            raise ConfigError(f"encoder.lora_rank must not be negative, but is {self.lora_rank}; 0 is without LoRA")
        if self.lora_rank and self.freeze:
            raise ConfigError(
                f"encoder.freeze leaves nothing to train of LoRA's updates (encoder.lora_rank={self.lora_rank}): set "
                "encoder.freeze=false, which leaves the network's own weights frozen all the same, or lora_rank=0"
            )

    def build(self) -> Generic:
        """The encoder with its pretrained weights; VisionError where they are not at hand."""
        return Generic(self, vision_network(self.source))

    def lacks(self, data: DataConfig | type[DataConfig]) -> str:
        """See EncoderConfig.lacks: data are normalised as is undone here."""
        if isinstance(data, type) or not isinstance(data, GivesPixels):
            return ""
        wrong = [key for key in ("mean", "std") if [*getattr(data, key)] != [*getattr(self, key)]]
        return (
            ""
            if not wrong
            else (
                "the encoder undoes how pixels were normalised, and the data do it otherwise: set "
                + " ".join(f"encoder.{key}=[{','.join(map(str, getattr(data, key)))}]" for key in wrong)
            )
        )

    def lora(self) -> LoraOptions | None:
        """What LoRA trains."""
        if not self.lora_rank:
            return None
        return LoraOptions(self.lora_rank, self.lora_alpha, self.lora_dropout, tuple(self.lora_targets))

    def sample_batch(self, size: int = 2, seed: int = 0) -> ImageBatch:
        """Images of the size that it is made for."""
        preprocessing, learned = vision_preprocessing(self.source)
        return ImageBatch.random(size, *_size(self, preprocessing.size, learned), seed)


def _size(config: GenericConfig, *said: tuple[int, int] | None) -> tuple[int, int]:
    """Rows and columns of an image: as configured, else the first that is said; an error where neither will do."""
    if config.size is not None:
        return config.size, config.size
    if found := next((size for size in said if size is not None), None):
        if max(found) > LARGEST:
            raise VisionError(
                f"{config.source}: images of {found[0]:,} x {found[1]:,} pixels, by its files, are more than "
                f"{LARGEST:,} in a row; mend them, or set encoder.size if it is meant"
            )
        return found
    raise ConfigError(f"{config.source} does not say what size its images have: set encoder.size")


class ImageTokens(nn.Module):
    """The stage: pixels are brought to what the network wants, and its tokens get their names and places.

    ``positions`` (row, column) are the patches' centres, 0 at the upper left and 1 at the lower right corner of the
    image; other tokens are at (0, 0).

    Raises:
        VisionError: the network makes no tokens of patches.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, config: GenericConfig, vision: VisionNetwork):
        super().__init__()
        self.name, self.learned = vision.name, vision.size
        self.interpolates = _interpolates(vision.network)
        size = _size(config, vision.preprocessing.size, vision.size)
        self._normalise(config, vision)
        self.network = TokenNetwork(
            vision.network, trained=not config.freeze, lora=config.lora(), reference=vision.reference, error=VisionError
        )
        with reading(config.source, VisionError, *_TRIED):
            made = self.network.try_out(torch.zeros(1, 3, *size), **self._options(*size))
            self.dim = made.features.shape[2]
            self.layout = find_layout(
                size, made.features.shape[1], made.grid, config.patch or vision.patch, vision.specials
            )

    def _normalise(self, config: GenericConfig, vision: VisionNetwork) -> None:
        """X scale + shift = ((x std + mean) - own mean) / own std."""
        own = torch.tensor([vision.preprocessing.mean, vision.preprocessing.std], dtype=torch.float64)
        given = torch.tensor([config.mean, config.std], dtype=torch.float64)
        for name, values in (("shift", (given[0] - own[0]) / own[1]), ("scale", given[1] / own[1])):
            self.register_buffer(name, values.float()[:, None, None], persistent=False)

    def _options(self, height: int, width: int) -> dict[str, Any]:
        other = self.learned is not None and (height, width) != self.learned
        return {INTERPOLATE: True} if other and self.interpolates else {}

    def forward(self, batch: ImageBatch) -> TokenSet:
        """Tokens of a batch of images, in the weights' precision.

        Raises:
            ConfigError: images of a size that the network does not take.
        """
        batch = batch.settled()
        height, width = batch.pixels.shape[2:]
        self.layout.check(height, width)
        pixels = batch.pixels.to(self.scale.dtype) * self.scale + self.shift
        try:
            made = self.network(pixels, **self._options(height, width))
        except ValueError as error:
            if (height, width) == self.layout.size:
                raise
            rows, columns = self.layout.size
            raise ConfigError(
                f"{self.name} does not take images of {height} x {width} pixels ({error}): crop or resize them to "
                f"{rows} x {columns}"
            ) from error
        size, count = made.features.shape[:2]
        grid = made.grid or self.layout.grid_of(height, width, count)
        places = centers((grid[0], grid[1]), made.features, self.layout.before)
        return TokenSet.full(made.features, self.layout.spans(count), positions=places.expand(size, -1, -1))


def _interpolates(network: nn.Module) -> bool:
    return INTERPOLATE in inspect.signature(network.forward).parameters


class Generic(Encoder):
    """ImageBatch -> TokenSet, in the one stage ``network``."""

    def __init__(self, config: GenericConfig, vision: VisionNetwork):
        super().__init__()
        stage = ImageTokens(config, vision)
        self.stages, self.dims = nn.ModuleDict({"network": stage}), {"network": stage.dim}
        self._chosen = _chosen(config, vision, stage.layout)

    @property
    def chosen(self) -> Mapping[str, str]:
        """See Encoder.chosen: whose weights, and what it makes of pixels."""
        return self._chosen

    def taken(self, given: Any) -> ImageBatch:
        """Pixels (B, 3, H, W) normalised as ``encoder.mean`` and ``encoder.std`` say, or an ImageBatch."""
        return ImageBatch.of(given)


def _chosen(config: GenericConfig, vision: VisionNetwork, layout: Layout) -> dict[str, str]:
    how = "frozen" if config.freeze else f"LoRA of rank {config.lora_rank}" if config.lora_rank else "trained"
    origin = f"sha256 {vision.reference.sha256[:12]}…" if vision.reference else "weights as its code makes them"
    tokens = ", ".join(f"{count} {name}" for name, count in layout.specials.items())
    patches = f"{layout.grid[0]} x {layout.grid[1]} patches of {layout.size[0]} x {layout.size[1]} pixels"
    return {
        "network": f"{vision.name} ({origin}, {how})",
        "tokens": f"{tokens}, {patches}" if tokens else patches,
        "pixels": f"{vision.preprocessing.describe()}; they come with mean {_shown(config.mean)}, "
        f"std {_shown(config.std)}",
    }


def _shown(values: list[float]) -> str:
    return " ".join(f"{value:g}" for value in values)
