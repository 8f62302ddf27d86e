"""From any source to one small file: what tools/extract_block.py does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geo_lm4ve.blocks.base import LayerWeights
from geo_lm4ve.blocks.extracted import write_layers
from geo_lm4ve.blocks.sources.checkpoint import BytesRead
from geo_lm4ve.blocks.sources.layout import width_and_heads
from geo_lm4ve.blocks.weights import load_layers


@dataclass(frozen=True)
class Extraction:
    """What was taken out, and what it cost.

    Attributes:
        weights: the layers.
        meter: bytes downloaded or read to get them.
        seconds: wall time, reading and writing.
        path: the file written.
    """

    weights: LayerWeights
    meter: BytesRead
    seconds: float
    path: Path

    def describe(self) -> str:
        """A few lines for people: architecture, bytes, size, time, fingerprint, and how to use the file."""
        config, reference = self.weights.config, self.weights.reference
        tensors = [tensor for layer in self.weights.layers for tensor in layer.values()]
        hidden, heads = width_and_heads(config)
        dtypes = ", ".join(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors}))
        norm = ", final norm" if self.weights.final_norm else ""
        lines = {
            "architecture": f"{config.get('model_type')}, width {hidden}, {heads} heads",
            "source": reference.source,
            "taken": f"layers {list(reference.layers)}{norm}; {sum(t.numel() for t in tensors):,} weights in {dtypes}",
            "downloaded": _megabytes(self.meter.downloaded),
            "read from disk": _megabytes(self.meter.read),
            "written": f"{self.path} ({_megabytes(self.path.stat().st_size)})",
            "time": f"{self.seconds:.2f} s",
            "fingerprint": f"sha256:{reference.sha256}",
            "use it as": f"block.source=file:{self.path} 'block.layers={list(reference.layers)}'",
        }
        return "\n".join(f"{name:>14}  {text}" for name, text in lines.items())


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def extract(
    source: str,
    layers: Sequence[int],
    path: Path,
    *,
    final_norm: bool = False,
    cache_dir: Path | None = None,
    seed: int = 0,
) -> Extraction:
    """Write consecutive layers of any source (see ``load_layers``) to one safetensors file.

    Raises:
        BlockError: the layers cannot be had.
        DiskFullError: no space for the file; nothing half-written is left.
    """
    start, meter = time.perf_counter(), BytesRead()
    weights = load_layers(source, layers, final_norm=final_norm, cache_dir=cache_dir, seed=seed, meter=meter)
    write_layers(path, weights)
    return Extraction(weights, meter, time.perf_counter() - start, path)
