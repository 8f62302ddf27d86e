"""VideoMAE: tubelets of a clip through transformer blocks (arXiv 2203.12602), as it is fine-tuned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.layers.centers import centers
from geo_lm4ve.layers.sinusoids import sinusoids
from geo_lm4ve.layers.transformer import QKVBias, block_stages, check_blocks, draw_linear
from geo_lm4ve.parts.encoder import Encoder, EncoderConfig
from geo_lm4ve.tokens import TokenSet
from geo_lm4ve.video.batch import VideoBatch


@register("encoder", "videomae")
@dataclass
class VideoMAEConfig(EncoderConfig):
    """VideoMAE's encoder without a class token and with all tubelets in sight; its norm, after the mean, is the head's.

    Its stages are ``embed``, ``block_0``, ..., ``block_<depth-1>``.

    Attributes:
        dim: token width.
        depth: number of transformer blocks.
        heads: attention heads; divides ``dim``. VideoMAE's small model has 6, its base model 12.
        patch: rows and columns of a tubelet.
        tubelet: frames of a tubelet.
        frames: of the clips that the model is meant for; others are taken, too.
        size: rows and columns of these clips; others are taken, too.
        mlp_ratio: hidden width of a block's MLP as a multiple of ``dim``.
        drop_path: probability that a sample skips a residual branch of the last block in training; rises linearly
            from 0 at the first block.
        epsilon: of every LayerNorm: VideoMAE's 1e-6; VideoMAEs of transformers have 1e-12.
    """

    takes: ClassVar[type | None] = VideoBatch
    offers: ClassVar[frozenset[str] | None] = frozenset({"patches"})
    default_head: ClassVar[str] = "videomae"
    default_outputs: ClassVar[int | None] = 174

    name: str = "videomae"
    dim: int = 384
    depth: int = 12
    heads: int = 6
    patch: int = 16
    tubelet: int = 2
    frames: int = 16
    size: int = 224
    mlp_ratio: float = 4.0
    drop_path: float = 0.1
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        check_blocks(vars(self))
        for whole, part in (("size", "patch"), ("frames", "tubelet")):
            count, share = getattr(self, whole), getattr(self, part)
            if share < 1 or count < 1 or count % share:
                raise ConfigError(
                    f"encoder.{whole} {count} must be a multiple of encoder.{part} {share}, both at least 1"
                )

    def build(self) -> VideoMAE:
        """The encoder with fresh weights, drawn as VideoMAE's code draws them."""
        return VideoMAE(self)

    def sample_batch(self, size: int = 2, seed: int = 0) -> VideoBatch:
        """Clips of the length and size that the model is meant for."""
        return VideoBatch.random(size, self.frames, self.size, self.size, seed)


class TubeletEmbedding(nn.Module):
    """First stage: a clip becomes one token per tubelet, time slowest, then row, then column, with fixed positions.

    The span is ``patches``; ``positions`` (time, row, column) are the tubelets' centres, 0 at the first frame and the
    upper left corner, 1 at the last frame and the lower right corner.

    The position embedding is a table of sines and cosines of the token's number (``layers/sinusoids.py``), no weight.
    It is made for the grid of the clips at hand, as VideoMAE's code makes it for the sizes that it is built for (8 x 14
    x 14): clips of more frames go on counting, while in wider or narrower ones a tubelet has another number at the same
    place, to which weights trained for one size have to get used.
    """

    def __init__(self, config: VideoMAEConfig):
        super().__init__()
        self.tubelet = (config.tubelet, config.patch, config.patch)
        self.projection = nn.Conv3d(3, config.dim, self.tubelet, stride=self.tubelet)
        count = (config.frames // config.tubelet) * (config.size // config.patch) ** 2
        self.register_buffer("position", sinusoids(count, config.dim), persistent=False)

    def forward(self, batch: VideoBatch) -> TokenSet:
        """Tokens of a batch of clips, in the weights' precision.

        Raises:
            ConfigError: frames, rows or columns that are no multiple of a tubelet.
        """
        batch = batch.settled()
        grid = self.grid_of(batch.clips)
        features = self.projection(batch.clips.to(self.projection.weight.dtype)).flatten(2).mT
        features = features + self.positions_for(features)
        size, count = features.shape[:2]
        return TokenSet.full(
            features, {"patches": (0, count)}, positions=centers(grid, features, before=0).expand(size, -1, -1)
        )

    def grid_of(self, clips: Float[Tensor, "b 3 t h w"]) -> tuple[int, ...]:
        """Tubelets along time, rows and columns; ConfigError as ``forward``."""
        sizes = clips.shape[2:]
        if any(length % part or not length for length, part in zip(sizes, self.tubelet)):
            raise ConfigError(
                f"clips of {' x '.join(map(str, sizes))} (frames, rows, columns) do not fall into tubelets of "
                f"{' x '.join(map(str, self.tubelet))}: sample, crop or resize them to a multiple"
            )
        return tuple(length // part for length, part in zip(sizes, self.tubelet))

    def positions_for(self, features: Float[Tensor, "b n d"]) -> Float[Tensor, "m d"]:
        """The position embeddings of N tokens of width D."""
        count, dim = features.shape[1:]
        own = self.get_buffer("position")
        return own[:count] if count <= len(own) else sinusoids(count, dim).to(own)


class VideoMAE(Encoder):
    """VideoBatch -> TokenSet, in the stages ``embed``, ``block_0``, ..., ``block_<depth-1>``."""

    def __init__(self, config: VideoMAEConfig):
        super().__init__()
        blocks = block_stages(vars(config), QKVBias.query_value)
        self.stages = nn.ModuleDict({"embed": TubeletEmbedding(config), **blocks})
        self.dims = dict.fromkeys(self.stages, config.dim)
        self.apply(draw_linear)

    def taken(self, given: Any) -> VideoBatch:
        """Clips (B, 3, T, H, W), or a VideoBatch."""
        return VideoBatch.of(given)
