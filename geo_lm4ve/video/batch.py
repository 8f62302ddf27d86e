"""A batch of video clips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.calls import InputError, described

_TAKEN = (
    "a model of video takes normalised clips as a floating point tensor (B, 3, T, H, W), e.g. "
    "model(torch.randn(2, 3, 16, 224, 224)), or a VideoBatch"
)


@dataclass(frozen=True)
class VideoBatch:
    """Clips of one length and size with their labels.

    Attributes:
        clips: (B, 3, T, H, W) red, green, blue of T frames in the order of time, normalised as the data set says.
        labels: (B,) class of each clip, -1 where it is not known.
        index: (B,) row of each clip in its split.
        names: what each clip is called, else ().
        finite: all pixels are known to be finite; False: nobody has looked yet.
    """

    clips: Float[Tensor, "b 3 t h w"]
    labels: Int[Tensor, " b"]
    index: Int[Tensor, " b"]
    names: tuple[str, ...] = ()
    finite: bool = False

    def __len__(self) -> int:
        """Number of clips B."""
        return len(self.clips)

    @classmethod
    def of(cls, given: Any) -> VideoBatch:
        """What a model of video was called with as a batch: clips (B, 3, T, H, W), or a batch already.

        Raises:
            InputError: it is neither; says what to pass.
        """
        if isinstance(given, cls):
            return given
        if advice := _advice(given):
            raise InputError(f"{_TAKEN}; this is {described(given)}: {advice}")
        return cls(given, torch.full((len(given),), -1), torch.arange(len(given)))

    @classmethod
    def random(cls, size: int, frames: int, height: int, width: int, seed: int = 0) -> VideoBatch:
        """``size`` clips of noise, of two classes."""
        clips = torch.randn(size, 3, frames, height, width, generator=torch.Generator().manual_seed(seed))
        return cls(clips, torch.arange(size) % 2, torch.arange(size))

    def settled(self) -> VideoBatch:
        """The same batch after a look at its pixels; ValueError names one that is not finite."""
        if not self.finite and not self.clips.isfinite().all():
            clip, channel, frame, row, column = (~self.clips.isfinite()).nonzero()[0].tolist()
            raise ValueError(f"clips[{clip}, {channel}, {frame}, {row}, {column}] is not finite; repair that clip")
        return replace(self, finite=True)

    def to(self, device: torch.device | str) -> VideoBatch:
        """The same batch, settled, on another device."""
        clips, labels, index = (values.to(device) for values in (self.clips, self.labels, self.index))
        return replace(self.settled(), clips=clips, labels=labels, index=index)


def _advice(given: Any) -> str:
    """What to write in place of what is no (B, 3, T, H, W) of fractions; "" for what is."""
    if isinstance(given, list | tuple) and given and all(isinstance(clip, Tensor) for clip in given):
        return "clips of one length and size become one tensor by torch.stack(clips)"
    if not isinstance(given, Tensor):
        return "numbers become a tensor by torch.as_tensor(clips, dtype=torch.float32)"
    if given.dim() == 4 and given.shape[0] == 3:
        return "add the batch axis, model(clip[None])"
    if given.dim() == 5 and given.shape[1] == 3:
        if not given.is_floating_point():
            return "bytes become fractions by clips / 255, normalised as in training"
        return "" if len(given) else "there are no clips"
    return _order(given.shape)


def _order(shape: torch.Size) -> str:
    """What brings the axes of clips, or of one clip, into order."""
    if len(shape) == 5 and shape[2] == 3:
        return "colours come before frames, model(clips.permute(0, 2, 1, 3, 4))"
    if len(shape) == 5 and shape[-1] == 3:
        return "colours come before frames, rows and columns, model(clips.permute(0, 4, 1, 2, 3))"
    if len(shape) == 4 and shape[1] == 3:
        return "the frames of one clip become a batch by model(frames.permute(1, 0, 2, 3)[None])"
    if len(shape) == 4 and shape[-1] == 3:
        return "the frames of one clip become a batch by model(frames.permute(3, 0, 1, 2)[None])"
    return "three colours, frames, rows and columns of each clip are needed"
