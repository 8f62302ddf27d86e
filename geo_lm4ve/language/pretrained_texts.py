"""Texts through a pretrained transformer: the vectors of their word pieces."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from geo_lm4ve.files import UserError
from geo_lm4ve.language.text_encoder import TextEncoder, TextReference
from geo_lm4ve.language.text_network import read_network
from geo_lm4ve.language.text_sources import TextFolder
from geo_lm4ve.language.texts import Words
from geo_lm4ve.memory import out_of_files


class PretrainedTexts(TextEncoder):
    """The last hidden state of a text encoder of transformers, a vector for each word piece.

    A text's words are the pieces that its tokeniser makes. Its special tokens ([CLS], [SEP], </s>) are computed with,
    as in pre-training, but are no words: they are not given back. Frozen, it is a fixed function (no dropout, no
    gradient, whatever ``train()`` is called with) and its weights are left to their file.

    Args:
        place: the encoder's files.
        trained: fine-tune it; its weights are then in the state dict.
        longest: word pieces of a text at most.

    Raises:
        TextError: the files are missing, damaged or not a text encoder's.
    """

    def __init__(self, place: TextFolder, trained: bool, longest: int) -> None:
        super().__init__()
        read = read_network(place)
        self.network, self.tokenizer, self.dim = read.network, read.tokenizer, read.dim
        self.trained, self.longest = trained, longest
        self.origin = TextReference(place.name, place.sha256())
        self.network.requires_grad_(trained)
        if not trained:
            with out_of_files():
                self.refer(self.origin)
        self.train()

    def encode(self, texts: Sequence[str]) -> Words:
        """See TextEncoder; UserError for an empty text where the tokeniser has no unknown token."""
        ids, words = self._pieces(texts)
        device = self.network.get_input_embeddings().weight.device
        given = torch.full((len(ids), max(map(len, ids))), self.tokenizer.pad_token_id or 0)
        real = torch.zeros_like(given)
        for row, pieces in enumerate(ids):
            given[row, : len(pieces)] = torch.tensor(pieces)
            real[row, : len(pieces)] = 1
        with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
            moved = (tensor.to(device, non_blocking=True) for tensor in (given, real))
            hidden = self.network(**dict(zip(("input_ids", "attention_mask"), moved))).last_hidden_state
            return _picked(hidden, words)

    def _pieces(self, texts: Sequence[str]) -> tuple[list[list[int]], list[list[int]]]:
        """Ids of the tokens of each text, with special ones, and which of them are words."""
        split = self._split(list(texts))
        wordless = [row for row, (_, words) in enumerate(split) if not words]
        if wordless and self.tokenizer.unk_token is None:
            raise UserError(
                f"text {wordless[0]} has no word, and {self.origin.source} has no token for unknown ones: leave such "
                "texts out, or choose another text encoder"
            )
        for row in wordless:
            split[row] = self._split([self.tokenizer.unk_token])[0]
        return [ids for ids, _ in split], [words for _, words in split]

    def _split(self, texts: list[str]) -> list[tuple[list[int], list[int]]]:
        specials = self.tokenizer.num_special_tokens_to_add()
        most = min(self.longest + specials, self.tokenizer.model_max_length)
        made = self.tokenizer(
            texts, padding=False, truncation=True, max_length=most, return_special_tokens_mask=True,
            return_attention_mask=False,
        )  # fmt: skip
        unknown = self.tokenizer.unk_token_id  # counted as special where it is typed
        return [
            (ids, [place for place, (one, special) in enumerate(zip(ids, mask)) if not special or one == unknown])
            for ids, mask in zip(made["input_ids"], made["special_tokens_mask"])
        ]

    def train(self, mode: bool = True) -> PretrainedTexts:
        """Training mode changes nothing in a frozen encoder."""
        return super().train(mode and self.trained)

    def describe(self) -> str:
        """See TextEncoder."""
        size = sum(parameter.numel() for parameter in self.network.parameters())
        how = "fine-tuned" if self.trained else "frozen"
        return f"text: {self.origin.source} ({size / 1e6:.1f} M, sha256 {self.origin.sha256[:12]}…, {how})"


def _picked(hidden: Tensor, words: Sequence[Sequence[int]]) -> Words:
    """Of every text the tokens that are its words, (B, T, D) -> (B, L, D)."""
    lengths = [len(places) for places in words]
    rows = torch.zeros(len(words), max(lengths), dtype=torch.long)
    valid = torch.zeros_like(rows, dtype=torch.bool)
    for row, places in enumerate(words):
        rows[row, : len(places)] = torch.tensor(places)
        valid[row, : len(places)] = True
    rows, valid = (tensor.to(hidden.device, non_blocking=True) for tensor in (rows, valid))
    kept = hidden.gather(1, rows[..., None].expand(-1, -1, hidden.shape[2]))
    return Words(kept.masked_fill(~valid[..., None], 0.0), tuple(lengths))
