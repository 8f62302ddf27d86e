"""Words on their way into a model: vectors of a text encoder, an LSTM, a linear layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float
from torch import Tensor, nn

from geo_lm4ve.indoor.encoders.config import RoomEncoderConfig
from geo_lm4ve.language.text_encoders import build_text_encoder
from geo_lm4ve.language.texts import Texts, Words

DROPOUT = 0.3
"""Of the vectors of words in training (ScanQA)."""


class Reader(nn.Module):
    """Texts -> words (B, L, D), each of which has seen those before it.

    Attributes:
        text: makes vectors of strings, and gives back what are vectors already.
        lstm: one layer, in one direction.
        linear: after it, with a GELU.
    """

    def __init__(self, config: RoomEncoderConfig):
        super().__init__()
        self.text = build_text_encoder(
            config.text, config.text_source, config.text_trained, config.max_words, rule=config.text_rule
        )
        self.dropout = nn.Dropout(DROPOUT)
        self.lstm = nn.LSTM(self.text.dim, config.hidden, batch_first=True)
        self.linear = nn.Linear(config.hidden, config.hidden)

    def forward(self, texts: Texts) -> tuple[Float[Tensor, "b l d"], Bool[Tensor, "b l"]]:
        """Features of the words, and which of them exist; errors as of ``TextEncoder``."""
        weight = self.linear.weight
        words: Words = self.text(texts).to(weight.device)
        valid = words.valid
        read, _ = self.lstm(self.dropout(words.vectors.to(weight.dtype)))
        # Nothing flows backwards, so that padding can be read like words; behind them the official features are zero.
        features = F.gelu(self.linear(torch.where(valid[..., None], read, 0.0)))
        return features, valid
