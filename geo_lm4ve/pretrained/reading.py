"""Checkpoint files of other projects -> a plain state dict, without running anything that a file may hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from geo_lm4ve.reading import reader
from geo_lm4ve.saved import WEIGHTS, CheckpointError, read_weights
from geo_lm4ve.torch_files import ForeignObjectError, load_torch

_CONTAINERS = ("base_model", "model", "module", "state_dict", "net", "network")
"""Where training scripts put the state dict inside what they save."""

_WRAPPERS = ("module.", "base_model.")
"""Prefixes that DataParallel and the official trainers put before every key."""

_SCALAR = np.float64().__reduce__()[0]
_NUMPY_NUMBERS: list[Any] = [
    (_SCALAR, "numpy.core.multiarray.scalar"),
    (_SCALAR, "numpy._core.multiarray.scalar"),
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("float64", "float32", "int64")),
]
"""The official trainers save their best accuracy, which may be a NumPy number; it holds data only."""


def read_checkpoint(source: Path | str | Mapping[str, Any]) -> dict[str, Tensor]:
    """The state dict of a ``.pth`` or ``.safetensors`` file, of a saved model's folder, or of a loaded checkpoint.

    Containers (``base_model``, ``model``, ``state_dict``, ...) are opened and the prefixes ``module.`` and
    ``base_model.`` taken off; everything else keeps its name.

    Raises:
        CheckpointError: no such file, damaged, holds pickled objects, or holds no state dict.
    """
    if isinstance(source, Mapping):
        return _state_dict(source, "the given mapping")
    path = Path(source)
    path = path / WEIGHTS if path.is_dir() else path
    if path.suffix == ".safetensors":
        return read_weights(path)
    return _state_dict(_load(path), str(path))


@reader(CheckpointError, "a PyTorch checkpoint", "download it again")
def _load(path: Path) -> Any:
    if not path.is_file():
        raise CheckpointError(f"{path} is not a file; name a checkpoint (.pth, .safetensors) or a saved model's folder")
    try:
        return load_torch(path, known=_NUMPY_NUMBERS)
    except ForeignObjectError as error:
        raise CheckpointError(
            f"{path} holds a pickled {error.name} besides tensors, which could run code when loaded, so it is not "
            "opened. If you trust its source, load it yourself with torch.load(path, weights_only=False) and pass the "
            "state dict instead of the path; if not, or if the file may be damaged, download it again"
        ) from error


def _state_dict(content: Any, where: str) -> dict[str, Tensor]:
    if isinstance(content, Mapping):
        inner = next((content[key] for key in _CONTAINERS if isinstance(content.get(key), Mapping)), content)
        tensors = {str(key): value for key, value in inner.items() if isinstance(value, Tensor)}
        if tensors and len(tensors) == len(inner):
            return _unwrapped(tensors, where)
        found = f"a mapping with the keys {[str(key)[:100] for key in inner][:8]}"
    else:
        found = f"a {type(content).__name__}"
    raise CheckpointError(
        f"{where} is not a checkpoint: expected a state dict of tensors, alone or under {', '.join(_CONTAINERS)}; "
        f"found {found}"
    )


def _unwrapped(state: dict[str, Tensor], where: str) -> dict[str, Tensor]:
    plain: dict[str, Tensor] = {}
    for key, value in state.items():
        short = key
        while prefix := next((wrapper for wrapper in _WRAPPERS if short.startswith(wrapper)), ""):
            short = short[len(prefix) :]
        if short in plain:
            raise CheckpointError(f"{where} holds {short!r} twice, with and without a prefix: {key!r}")
        plain[short] = value
    return plain
