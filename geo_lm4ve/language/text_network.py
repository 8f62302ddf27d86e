"""A pretrained text encoder out of a folder in the layout of transformers: the network and its tokeniser."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from geo_lm4ve.language.text_encoder import TextError
from geo_lm4ve.language.text_sources import TextFolder
from geo_lm4ve.memory import Asking, out_of_files
from geo_lm4ve.reading import reader

_SPARE = 1 << 28
"""Bytes that a network may take besides four times its file: constants, and weights that are stored as eight bits."""
_ENDLESS = 10**9
"""What a tokeniser without a limit gives as one is above this."""
_UNUSED = "pooler."
"""Weights that make one vector of a whole text, for which nobody asks here."""


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


def read_network(place: TextFolder) -> TextNetwork:
    """The network of a folder, in float32 and eval mode; nothing is fetched, and torch's generator stays as it is.

    Raises:
        TextError: files are missing, damaged or not those of one text encoder, or need a package that is missing.
    """
    try:
        with torch.random.fork_rng(devices=[]):  # what is not in the files would be drawn, and then dropped
            return _read(place.folder)
    except ImportError as error:
        raise TextError(f"{place.folder} needs a package that is not installed: {error}") from error


@reader(TextError, "a text encoder in the layout of transformers", "get it again")
def _read(folder: Path) -> TextNetwork:
    from transformers import AutoConfig, AutoTokenizer

    weights = TextFolder(folder, folder.name).weights
    with _quiet(), out_of_files():
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    kind = _class(config)
    if config.num_hidden_layers > (held := sum(map(_tensors, weights))):
        raise ValueError(f"its config says {config.num_hidden_layers:,} layers, its files hold {held:,} tensors")
    most = 4 * sum(path.stat().st_size for path in weights) + _SPARE
    Asking(config.to_dict(), most).rehearse(lambda: kind.from_config(config))
    with _quiet(), out_of_files():
        network = _filled(kind, folder)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        _check_ids(tokenizer, network.get_input_embeddings().num_embeddings)
        return TextNetwork(network, tokenizer, _tried(network), _longest(network, tokenizer))


def _tensors(path: Path) -> int:
    """How many a file holds."""
    with safe_open(path, "pt") as file:
        return len(file.keys())


def _class(config: Any) -> Any:
    """The class that makes the network: only its encoder where transformers has that on its own (T5)."""
    from transformers import AutoModel, AutoModelForTextEncoding
    from transformers.models.auto.modeling_auto import MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES as TEXT

    return AutoModelForTextEncoding if config.model_type in TEXT else AutoModel


def _filled(kind: Any, folder: Path) -> Any:
    model, account = kind.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32,
        output_loading_info=True, ignore_mismatched_sizes=True,
    )  # fmt: skip
    if lost := sorted(key for key in account["missing_keys"] if not key.startswith(_UNUSED)):
        raise ValueError(f"{lost[0]} and {len(lost) - 1} more of its tensors are missing")
    for key, *shapes in sorted(account["mismatched_keys"]):
        raise ValueError(f"{key} has the shape {list(shapes[0])}, its config says {list(shapes[1])}")
    for said in account["error_msgs"]:
        raise ValueError(said)
    network = model.get_encoder() if getattr(model.config, "is_encoder_decoder", False) else model
    if getattr(network, "pooler", None) is not None:
        network.pooler = None
    return network.eval()


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


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' bars and remarks; what is wrong is raised."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
