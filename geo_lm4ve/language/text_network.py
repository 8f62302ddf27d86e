"""A pretrained text encoder out of a folder in the layout of transformers: the network and its tokeniser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from geo_lm4ve.language.text_encoder import TextError
from geo_lm4ve.language.text_sources import TextFolder
from geo_lm4ve.memory import Asking, out_of_files
from geo_lm4ve.reading import reader

_SPARE = 1 << 28
"""Bytes that a network may take besides four times its file: constants, and weights that are stored as eight bits."""
_UNUSED = "pooler."
"""Weights that make one vector of a whole text, for which nobody asks here."""


@dataclass(frozen=True)
class TextNetwork:
    """A network and its tokeniser.

    Attributes:
        network: its ``last_hidden_state`` of ids (B, T) is (B, T, dim).
        tokenizer: of transformers.
        dim: width of the hidden state.
    """

    network: nn.Module
    tokenizer: Any
    dim: int


def read_network(place: TextFolder) -> TextNetwork:
    """The network of a folder, in float32 and eval mode; the network is never asked.

    Raises:
        TextError: files are missing, damaged or not those of one text encoder, or need a package that is missing.
    """
    try:
        return _read(place.folder)
    except ImportError as error:
        raise TextError(f"{place.name} needs a package that is not installed: {error}") from error


@reader(TextError, "a text encoder in the layout of transformers", "get it again")
def _read(folder: Path) -> TextNetwork:
    from transformers import AutoConfig, AutoTokenizer

    weights = TextFolder(folder, folder.name).weights
    with _quiet(), out_of_files():
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    kind = _class(config)
    most = 4 * sum(path.stat().st_size for path in weights) + _SPARE
    Asking(config.to_dict(), most).rehearse(lambda: kind.from_config(config))
    with _quiet(), out_of_files():
        network = _filled(kind, folder)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if len(tokenizer) > (rows := network.get_input_embeddings().num_embeddings):
            raise ValueError(f"its tokeniser knows {len(tokenizer):,} tokens, the network {rows:,}")
        return TextNetwork(network, tokenizer, _tried(network))


def _class(config: Any) -> Any:
    """The class that makes the network: only its encoder where transformers has that on its own (T5)."""
    from transformers import AutoModel, AutoModelForTextEncoding
    from transformers.models.auto.modeling_auto import MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES as TEXT

    return AutoModelForTextEncoding if config.model_type in TEXT else AutoModel


def _filled(kind: Any, folder: Path) -> Any:
    model, account = kind.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32,
        output_loading_info=True,
    )  # fmt: skip
    if lost := sorted(key for key in account["missing_keys"] if not key.startswith(_UNUSED)):
        raise ValueError(f"{lost[0]} and {len(lost) - 1} more of its tensors are missing")
    if wrong := account["mismatched_keys"] or account["error_msgs"]:
        raise ValueError(f"its tensors do not fit its config: {next(iter(wrong))}")
    network = model.get_encoder() if getattr(model.config, "is_encoder_decoder", False) else model
    if getattr(network, "pooler", None) is not None:
        network.pooler = None
    return network.eval()


@torch.no_grad()
def _tried(network: nn.Module) -> int:
    """Width of the hidden state; ValueError where there is none, or it is not finite."""
    ids = torch.zeros(1, 2, dtype=torch.long)
    out: Tensor = network(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    if out.shape[:2] != ids.shape or not bool(out.isfinite().all()):
        raise ValueError("the network makes no finite vector of every token")
    return out.shape[2]


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
