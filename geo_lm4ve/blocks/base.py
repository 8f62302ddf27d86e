"""What stands between the two adapters: it sees (B, N, D) and a validity mask, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from geo_lm4ve.calls import check_tokens
from geo_lm4ve.config import PartConfig
from geo_lm4ve.files import UserError
from geo_lm4ve.tokens import Kept, take

Built = TypeVar("Built", bound="Block")


class BlockError(UserError, RuntimeError):
    """A block whose weights are missing, unreadable or not the ones that were asked for."""


@dataclass(frozen=True)
class BlockReference:
    """Where frozen weights came from: enough to find them again and to know that they are the same.

    Attributes:
        source: ``hub:repo[@revision]``, ``dir:PATH``, ``meta:PATH``, ``gguf:PATH``, ``file:PATH``, ``package:NAME``
            or ``random:ARCHITECTURE``.
        layers: indices of the layers, counted from 0.
        sha256: fingerprint of the tensors (names, shapes, float values), independent of the file format.
    """

    source: str
    layers: tuple[int, ...]
    sha256: str


class Block(nn.Module):
    """Base of everything that can stand between the adapters; a block of one's own has a width and a ``forward``.

    >>> import geo_lm4ve, torch
    >>> class Mean(geo_lm4ve.Block):
    ...     dim = 64
    ...     def forward(self, x, valid=None):
    ...         return x.mean(1, keepdim=True).expand_as(x)
    >>> model = geo_lm4ve.create_model("point_bert_tiny", num_classes=15, block=Mean())
    >>> model(torch.randn(2, 256, 3)).shape
    torch.Size([2, 15])

    Attributes:
        dim: width D it works at; None if it has no width of its own, and then there are no adapters (identity).
        reference: where frozen weights came from, or None if there are none.
        config: what builds it again, so that a model with it can be saved; None: nothing that is known.
    """

    dim: int | None = None
    reference: BlockReference | None = None
    config: BlockConfig | None = None

    def __call__(self, x: Any, valid: Any = None, *more: Any, **options: Any) -> Any:
        """``forward`` of tokens that fit.

        Raises:
            InputError: tokens or mask of another shape or kind; says which are taken.
        """
        check_tokens(type(self).__name__, self.dim, x, valid)
        return super().__call__(x, valid, *more, **options)

    def built_from(self: Built, config: BlockConfig) -> Built:
        """The same block, which now says what builds it again."""
        self.config = config
        return self

    def forward(self, x: Float[Tensor, "b n d"], valid: Bool[Tensor, "b n"] | None = None) -> Float[Tensor, "b n d"]:
        """Filtered tokens; rows of ``valid`` without any True give zeros. Without ``valid`` every token is real."""
        raise NotImplementedError

    def at(
        self,
        x: Float[Tensor, "b n d"],
        valid: Bool[Tensor, "b n"],
        rows: Int64[Tensor, "b q"] | None = None,
        kept: Kept | None = None,
    ) -> Float[Tensor, "b q d"]:
        """What the bridge calls: ``take(forward(x, valid), rows)``, for a block that knows no better way.

        Args:
            x: tokens.
            valid: which of them are real.
            rows: which of them are asked for; None: all. A block may spare itself the others.
            kept: how many are real, known on the host; None: not known. A block may spare itself the padding.
        """
        y = self(x, valid)
        return y if rows is None else take(y, rows)

    def changed(self) -> dict[str, Tensor]:
        """Weights by name that ``state_dict()`` leaves to their source and that are no longer what it gave."""
        return {}


def zero_padding(x: Float[Tensor, "b n d"], valid: Bool[Tensor, "b n"] | None) -> Float[Tensor, "b n d"]:
    """``x`` with zeros where ``valid`` says no."""
    return x if valid is None else x.masked_fill(~valid[..., None], 0.0)


@dataclass
class BlockConfig(PartConfig):
    """Base of the ``block`` group.

    Attributes:
        trained_only: all its weights are trained ones: they are in every checkpoint, whose size bounds theirs, and
            building it reads none, so that it can be rehearsed.
    """

    trained_only: ClassVar[bool] = False

    def build(self) -> Any:
        """The Block; BlockError when its weights are not at hand, with the command that gets them."""
        raise NotImplementedError


@dataclass(frozen=True)
class LayerWeights:
    """Consecutive decoder layers taken out of a language model, and nothing else of it.

    Attributes:
        config: the model's configuration in the vocabulary of transformers' ``config.json`` (with ``model_type``).
        layers: one dict per layer, keys relative to the layer in transformers' names (``self_attn.q_proj.weight``).
        final_norm: ``weight`` (and ``bias``) of the norm after the model's last layer, or {} if it was not asked for.
        reference: where they came from, with their fingerprint.
    """

    config: dict[str, Any]
    layers: tuple[dict[str, Tensor], ...]
    final_norm: dict[str, Tensor]
    reference: BlockReference
