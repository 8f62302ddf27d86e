"""A pretrained text encoder out of a folder in the layout of transformers: the network and its tokeniser."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.language.text_encoder import TextError
from geo_lm4ve.layers.model_folder import ModelFolder
from geo_lm4ve.layers.transformers_model import quiet, read_transformers
from geo_lm4ve.memory import out_of_files
from geo_lm4ve.reading import reader

_ENDLESS = 10**9
"""What a tokeniser without a limit gives as one is above this."""


@dataclass(frozen=True)
class TextNetwork:
    """A network and its tokeniser.

    Attributes:
        network: its ``last_hidden_state`` of ids (B, T) is (B, T, dim).
        tokenizer: of transformers.
        dim: width of the hidden state.
        longest: tokens of a text at most, special ones included; None: any number.
    """

    network: Any
    tokenizer: Any
    dim: int
    longest: int | None

    @property
    def padding(self) -> int:
        """Id of what fills a row; it is masked."""
        return self.tokenizer.pad_token_id or 0

    def hidden(self, ids: Tensor, real: Tensor) -> Tensor:
        """The hidden state (B, T, dim) of ids (B, T), of which ``real`` (B, T) says which are no padding.

        Where transformers takes a mask of all pairs of tokens it is given one: it would ask the device whether one of
        single tokens masks anything, and wait for the answer.
        """
        mask = real.long()
        if hasattr(sys.modules[type(self.network).__module__], "create_bidirectional_mask"):
            kind = self.network.get_input_embeddings().weight.dtype
            added = torch.zeros(real.shape, dtype=kind, device=ids.device).masked_fill(~real, torch.finfo(kind).min)
            mask = added[:, None, None, :].expand(-1, 1, ids.shape[1], -1)
        return self.network(input_ids=ids, attention_mask=mask).last_hidden_state


@reader(TextError, "a text encoder in the layout of transformers", "get it again")
def read_network(place: ModelFolder) -> TextNetwork:
    """The network of a folder, in float32 and eval mode; nothing is fetched, and torch's generator stays as it is.

    Raises:
        TextError: files are missing, damaged or not those of one text encoder, or need a package that is missing.
    """
    network = read_transformers(place, lambda config: (_class(config), config))
    with quiet(), out_of_files():
        tokenizer = _tokenizer(place)
        _check_ids(tokenizer, network.get_input_embeddings().num_embeddings)
        return TextNetwork(network, tokenizer, _tried(network), _longest(network, tokenizer))


def _class(config: Any) -> Any:
    """The class that makes the network: only its encoder where transformers has that on its own (T5)."""
    from transformers import AutoModel, AutoModelForTextEncoding
    from transformers.models.auto.modeling_auto import MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES as TEXT

    return AutoModelForTextEncoding if config.model_type in TEXT else AutoModel


def _tokenizer(place: ModelFolder) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(place.folder, local_files_only=True, trust_remote_code=False)
    except ImportError as error:
        raise TextError(f"{place.folder} needs a package that is not installed: {error}") from error


def _check_ids(tokenizer: Any, rows: int) -> None:
    """ValueError if the tokeniser gives a number that the network has no row for; it is tried with a text."""
    highest = max(*tokenizer.get_vocab().values(), *tokenizer("a")["input_ids"])
    if highest >= rows:
        raise ValueError(f"its tokeniser numbers its tokens up to {highest:,}, the network has {rows:,} of them")


@torch.no_grad()
def _tried(network: Any) -> int:
    """Width of the hidden state; ValueError where there is none, or it is not finite."""
    ids = torch.zeros(1, 2, dtype=torch.long)
    out: Tensor = network(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    if out.shape[:2] != ids.shape or not bool(out.isfinite().all()):
        raise ValueError("the network makes no finite vector of every token")
    return out.shape[2]


def _longest(network: Any, tokenizer: Any) -> int | None:
    """Tokens that both take; RoBERTa's kin number theirs from 2, so that two positions are none."""
    positions = getattr(network.config, "max_position_embeddings", None)
    first = 2 if "roberta" in network.config.model_type or network.config.model_type == "mpnet" else 0
    most = min([tokenizer.model_max_length] + ([positions - first] if isinstance(positions, int) else []))
    if most <= tokenizer.num_special_tokens_to_add():
        raise ValueError(f"it takes texts of {most} tokens, which leaves none for words")
    return most if most < _ENDLESS else None
