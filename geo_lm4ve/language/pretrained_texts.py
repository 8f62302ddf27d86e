"""Texts through a pretrained transformer: the vectors of their word pieces."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from geo_lm4ve.files import UserError
from geo_lm4ve.language.text_encoder import TextEncoder, TextError
from geo_lm4ve.language.text_network import read_network
from geo_lm4ve.language.texts import Words
from geo_lm4ve.layers.model_folder import ModelFolder
from geo_lm4ve.memory import out_of_files
from geo_lm4ve.slim import WeightReference


class PretrainedTexts(TextEncoder):
    """The last hidden state of a text encoder of transformers, a vector for each word piece.

    A text's words are the pieces that its tokeniser makes. Its special tokens ([CLS], [SEP], </s>) are computed with,
    as in pre-training, but are no words: they are not given back. Frozen, it is a fixed function (no dropout, no
    gradient, whatever ``train()`` is called with) and its weights are left to their file.

    Vectors of texts that come again are computed again: they differ in the last bits with the texts they are padded
    with, so that a run that is resumed would not go on to the same weights with vectors that were kept from other
    batches.

    Args:
        place: the encoder's files.
        trained: fine-tune it; its weights are then in the state dict.
        longest: word pieces of a text at most.

    Raises:
        TextError: the files are missing, damaged or not a text encoder's.
    """

    def __init__(self, place: ModelFolder, trained: bool, longest: int) -> None:
        super().__init__()
        read = read_network(place)
        self.specials = read.tokenizer.num_special_tokens_to_add()
        if read.longest is not None and longest + self.specials > read.longest:
            most = read.longest - self.specials
            raise TextError(f"{place.folder} takes {most} word pieces, not {longest}; set longest to at most {most}")
        self._folder, self._read, self.network, self.dim = place.folder, read, read.network, read.dim
        self.trained, self.longest = trained, longest
        self.origin = WeightReference(place.name, place.sha256())
        self.network.requires_grad_(trained)
        if not trained:
            with out_of_files():
                self.refer(self.origin)
        self.train()

    def encode(self, texts: Sequence[str]) -> Words:
        """See TextEncoder; UserError for an empty text where the tokeniser has no unknown token."""
        ids, words = self._pieces(texts)
        device = self.network.get_input_embeddings().weight.device
        given, real = (tensor.to(device, non_blocking=True) for tensor in _table(ids, self._read.padding))
        places, valid = (tensor.to(device, non_blocking=True) for tensor in _table(words, 0))
        with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
            hidden = self._read.hidden(given, real)
            kept = hidden.gather(1, places[..., None].expand(-1, -1, self.dim)).masked_fill(~valid[..., None], 0.0)
        return Words(kept, tuple(map(len, words)))

    def _pieces(self, texts: Sequence[str]) -> tuple[list[list[int]], list[list[int]]]:
        """Ids of the tokens of each text, with special ones, and which of them are words."""
        split = self._split(list(texts))
        wordless = [row for row, (_, words) in enumerate(split) if not words]
        if wordless and self._read.tokenizer.unk_token is None:
            raise UserError(
                f"text {wordless[0]} has no word, and the tokeniser in {self._folder} has no token for unknown ones: "
                "leave such texts out, or choose another text encoder"
            )
        for row in wordless:
            split[row] = self._split([self._read.tokenizer.unk_token])[0]
        return [ids for ids, _ in split], [words for _, words in split]

    def _split(self, texts: list[str]) -> list[tuple[list[int], list[int]]]:
        made = self._read.tokenizer(
            texts, padding=False, truncation=True, max_length=self.longest + self.specials,
            return_special_tokens_mask=True, return_attention_mask=False,
        )  # fmt: skip
        return [
            (ids, [place for place, special in enumerate(mask) if not special])
            for ids, mask in zip(made["input_ids"], made["special_tokens_mask"])
        ]

    def train(self, mode: bool = True) -> PretrainedTexts:
        """Training mode changes nothing in a frozen encoder."""
        return super().train(mode and self.trained)

    def describe(self) -> str:
        """See TextEncoder."""
        size = sum(parameter.numel() for parameter in self.network.parameters())
        how = "fine-tuned" if self.trained else "frozen"
        return f"{self.origin.source} ({size / 1e6:.1f} M, sha256 {self.origin.sha256[:12]}…, {how})"


def _table(rows: Sequence[Sequence[int]], rest: int) -> tuple[Tensor, Tensor]:
    """Numbers (B, L) of rows of different lengths, ``rest`` behind their ends; and which of them are theirs."""
    lengths = torch.tensor([len(row) for row in rows])
    numbers = pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=rest)
    return numbers, torch.arange(numbers.shape[1]) < lengths[:, None]
