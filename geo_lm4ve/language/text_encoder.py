"""The contract of a text encoder: texts as they were typed -> vectors of their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from geo_lm4ve.calls import InputError, described
from geo_lm4ve.files import UserError
from geo_lm4ve.language.texts import Words
from geo_lm4ve.slim import WeightReference, leave_to_file


class TextError(UserError, RuntimeError):
    """Vectors or weights of a text encoder that are missing, unreadable or not the ones that were asked for."""


class TextEncoder(nn.Module):
    """Base of everything that makes vectors of texts.

    Weights that are frozen stay out of ``state_dict()``; it holds the fingerprint of their file instead, and loading
    one with another fingerprint is an error. A state dict without a fingerprint (one of another project) loads.

    Attributes:
        dim: width D of a word's vector.
        reference: where frozen vectors or weights came from; None if there are none.
    """

    dim: int
    reference: WeightReference | None = None

    def forward(self, texts: Any) -> Words:
        """Vectors of the words, on the device of the encoder, zero behind the last word of each text.

        Args:
            texts: strings, in a list or tuple; one without any word is one unknown word. Or Words of this width, which
                are given back.

        Raises:
            InputError: a single string, no text at all, something else than texts, or vectors of another width.
            UserError: what the encoder needs is not at hand.
        """
        if isinstance(texts, Words):
            if texts.vectors.shape[2] != self.dim:
                raise InputError(f"words have vectors of width {texts.vectors.shape[2]}, this model takes {self.dim}")
            return texts
        if not isinstance(texts, list | tuple) or not texts or not all(isinstance(text, str) for text in texts):
            raise InputError(f"a text encoder takes a list of at least one text, not {described(texts)}")
        return self.encode(texts)

    def encode(self, texts: Sequence[str]) -> Words:
        """``forward`` of strings, one at least."""
        raise NotImplementedError

    def describe(self) -> str:
        """The choice in one line, for the announcement of a run."""
        raise NotImplementedError

    def refer(self, reference: WeightReference) -> None:
        """From now on weights that are frozen are a reference in state dicts; call it once, when all are there."""
        self.reference = reference
        leave_to_file(self, reference, "text encoder", TextError)


def padded(vectors: Float[Tensor, "n d"], lengths: Sequence[int]) -> Words:
    """Words of texts that lie one after the other, text by text."""
    return Words(pad_sequence(vectors.split(list(lengths)), batch_first=True), tuple(lengths))
