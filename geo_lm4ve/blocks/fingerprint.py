"""One number that says whether two frozen layers are the same, whatever file they came out of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

_CHUNK = 1 << 22  # elements converted at a time, so that a bf16 layer is never held a second time in float32


def _float32_bytes(tensor: Tensor) -> Iterable[memoryview]:
    """Row-major little-endian float32 values, in chunks."""
    for chunk in tensor.detach().reshape(-1).split(_CHUNK):
        yield memoryview(chunk.to(device="cpu", dtype=torch.float32).contiguous().numpy()).cast("B")


def fingerprint(layers: Sequence[dict[str, Tensor]]) -> str:
    """sha256 over the layers' tensors: equal weights give equal digests, independent of file format and dtype.

    The digest runs over, for each layer in order, the line ``layer``, then for each key in sorted order the line
    ``key d0xd1x…`` (UTF-8, newline-terminated) followed by the values as row-major little-endian float32. float16
    and bfloat16 convert exactly, so a checkpoint and its copy in a wider dtype agree; the final norm is not part.
    Take it from the tensors as stored, before any conversion to a narrower dtype.
    """
    digest = hashlib.sha256()
    for layer in layers:
        digest.update(b"layer\n")
        for key in sorted(layer):
            digest.update(f"{key} {'x'.join(map(str, layer[key].shape))}\n".encode())
            for part in _float32_bytes(layer[key]):
                digest.update(part)
    return digest.hexdigest()
