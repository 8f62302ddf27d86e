"""ViT: patches of an image and a class token through transformer blocks (arXiv 2010.11929, DeiT arXiv 2012.12877)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.images.batch import ImageBatch
from geo_lm4ve.images.encoders.stem import Stem, make_stem
from geo_lm4ve.layers.centers import centers
from geo_lm4ve.layers.transformer import SPREAD, QKVBias, block_stages, check_blocks, draw_linear
from geo_lm4ve.parts.encoder import Encoder, EncoderConfig
from geo_lm4ve.tokens import TokenSet


@register("encoder", "vit")
@dataclass
class ViTConfig(EncoderConfig):
    """A vision transformer with a class token, as timm and DeiT have it, but for its last norm, which is the head's.

    Its stages are ``embed``, ``block_0``, ..., ``block_<depth-1>``.

    Attributes:
        dim: token width.
        depth: number of transformer blocks.
        heads: attention heads; divides ``dim``.
        patch: rows and columns of a patch.
        stem: what makes features of it: ``patch`` (ViT), or ``conv`` for few images; a power of two then.
        size: rows and columns of the images that the position embeddings are for; they are interpolated (bicubic) for
            images of other sizes.
        mlp_ratio: hidden width of a block's MLP as a multiple of ``dim``.
        drop_path: probability that a sample skips a residual branch of the last block in training; rises linearly
            from 0 at the first block.
        epsilon: of every LayerNorm: timm's 1e-6; ViTs of transformers have 1e-12.
    """

    takes: ClassVar[type | None] = ImageBatch
    offers: ClassVar[frozenset[str] | None] = frozenset({"cls", "patches"})
    default_head: ClassVar[str] = "vit"
    default_outputs: ClassVar[int | None] = 1000

    name: str = "vit"
    dim: int = 384
    depth: int = 12
    heads: int = 6
    patch: int = 16
    stem: Stem = Stem.patch
    size: int = 224
    mlp_ratio: float = 4.0
    drop_path: float = 0.1
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        check_blocks(vars(self))
        for key in ("patch", "size"):
            if getattr(self, key) < 1:
                raise ConfigError(f"encoder.{key} must be at least 1, not {getattr(self, key)}")
        if self.size % self.patch:
            raise ConfigError(f"encoder.size {self.size} must be a multiple of encoder.patch {self.patch}")

    def build(self) -> ViT:
        """The encoder with fresh weights, drawn as DeiT draws them."""
        return ViT(self)

    def sample_batch(self, size: int = 2, seed: int = 0) -> ImageBatch:
        """Images of the size that the position embeddings are for."""
        return ImageBatch.random(size, self.size, self.size, seed)


class PatchEmbedding(nn.Module):
    """First stage: an image becomes a class token and one token per patch, row by row, with their position embeddings.

    The spans are ``cls`` (one token) and ``patches``; ``positions`` (row, column) are the patches' centres, 0 at the
    upper left and 1 at the lower right corner of the image; the class token is at (0, 0).
    """

    def __init__(self, config: ViTConfig):
        super().__init__()
        side = config.size // config.patch
        self.patch, self.grid = config.patch, (side, side)
        self.projection = make_stem(config.stem, config.dim, config.patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.dim))
        self.position = nn.Parameter(torch.zeros(1, 1 + side * side, config.dim))

    def forward(self, batch: ImageBatch) -> TokenSet:
        """Tokens of a batch of images, in the weights' precision.

        Raises:
            ConfigError: rows or columns that are no multiple of a patch.
        """
        batch = batch.settled()
        height, width = batch.pixels.shape[2:]
        if height % self.patch or width % self.patch or not height or not width:
            raise ConfigError(
                f"images of {height} x {width} pixels do not fall into patches of {self.patch} x {self.patch}: crop or "
                "resize them to a multiple"
            )
        patches = self.projection(batch.pixels.to(self.cls_token.dtype)).flatten(2).mT
        size, count = patches.shape[:2]
        grid = height // self.patch, width // self.patch
        features = torch.cat([self.cls_token.expand(size, -1, -1), patches], 1) + self.positions_for(grid)
        return TokenSet.full(
            features,
            {"cls": (0, 1), "patches": (1, 1 + count)},
            positions=centers(grid, features).expand(size, -1, -1),
        )

    def positions_for(self, grid: tuple[int, int]) -> Float[Tensor, "1 n d"]:
        """The position embeddings, between the patches of the trained grid where ``grid`` is another one."""
        if grid == self.grid:
            return self.position
        own = self.position[:, 1:].mT.unflatten(-1, self.grid)
        other = F.interpolate(own.float(), grid, mode="bicubic", antialias=True, align_corners=False).to(own.dtype)
        return torch.cat([self.position[:, :1], other.flatten(2).mT], 1)


class ViT(Encoder):
    """ImageBatch -> TokenSet, in the stages ``embed``, ``block_0``, ..., ``block_<depth-1>``."""

    def __init__(self, config: ViTConfig):
        super().__init__()
        blocks = block_stages(vars(config), QKVBias.all)
        self.stages = nn.ModuleDict({"embed": PatchEmbedding(config), **blocks})
        self.dims = dict.fromkeys(self.stages, config.dim)
        self.apply(_draw)

    def taken(self, given: Any) -> ImageBatch:
        """Pixels (B, 3, H, W), or an ImageBatch."""
        return ImageBatch.of(given)


def _draw(module: nn.Module) -> None:
    """DeiT's initialisation; the patches' projection keeps PyTorch's."""
    draw_linear(module)
    if isinstance(module, PatchEmbedding):
        nn.init.trunc_normal_(module.cls_token, std=SPREAD)
        nn.init.trunc_normal_(module.position, std=SPREAD)
