"""A network of transformers out of its folder: its sizes rehearsed before memory is asked for, all weights found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from safetensors import safe_open

from geo_lm4ve.layers.model_folder import ModelFolder
from geo_lm4ve.memory import Asking, out_of_files

_SPARE = 1 << 28
"""Bytes that a network may take besides four times its file: constants, and weights that are stored as eight bits."""
_UNUSED = "pooler."
"""Weights that make one vector of a whole sample, for which nobody asks here."""


def read_transformers(place: ModelFolder, chosen: Callable[[Any], tuple[Any, Any]]) -> Any:
    """The network of a folder, in float32 and eval mode, without its pooler; call it inside a guard.

    Nothing is fetched, no code of the folder is run, and torch's generator stays as it is.

    Args:
        place: its files.
        chosen: given the config of the folder, the class that makes the network and the config that it takes.

    Raises:
        ValueError: weights that are missing or of another shape than the config says, or a config that asks for more
            than its files can hold.
        UserError: (of the class that the folder names) there are no weights, or a package is missing that they need.
    """
    try:
        with torch.random.fork_rng(devices=[]):  # what is not in the files would be drawn, and then dropped
            return _read(place, chosen)
    except ImportError as error:
        raise place.error(f"{place.folder} needs a package that is not installed: {error}") from error


def _read(place: ModelFolder, chosen: Callable[[Any], tuple[Any, Any]]) -> Any:
    from transformers import AutoConfig

    weights = place.weights
    with quiet(), out_of_files():
        config = AutoConfig.from_pretrained(place.folder, local_files_only=True, trust_remote_code=False)
    kind, config = chosen(config)
    held = sum(_tensors(path) for path in weights)
    layers = getattr(config, "num_hidden_layers", 0)
    if layers > held:
        raise ValueError(f"its config says {layers:,} layers, its files hold {held:,} tensors")
    most = 4 * sum(path.stat().st_size for path in weights) + _SPARE
    Asking(config.to_dict(), most).rehearse(lambda: _made(kind, config))
    with quiet(), out_of_files():
        return _filled(kind, config, place)


def _made(kind: Any, config: Any) -> Any:
    """A network with fresh weights: what makes one is a class of transformers, or one that chooses it."""
    return kind.from_config(config) if hasattr(kind, "from_config") else kind._from_config(config)


def _tensors(path: Any) -> int:
    """How many a file holds."""
    with safe_open(path, "pt") as file:
        return len(file.keys())


def _filled(kind: Any, config: Any, place: ModelFolder) -> Any:
    model, account = kind.from_pretrained(
        place.folder, config=config, local_files_only=True, trust_remote_code=False, use_safetensors=True,
        dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True,
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


@contextmanager
def quiet() -> Iterator[None]:
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
