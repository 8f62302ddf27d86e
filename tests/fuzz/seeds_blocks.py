"""Small language models in every format that layers are read from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from gguf import GGMLQuantizationType as Kind
from gguf_files import write_gguf
from meta_files import write_meta
from mutate import BYTES
from mutate_packed import SAFETENSORS, ZIP
from mutate_text import JSON
from seed import Seed
from weight_sources import TINY, llama_state, write_folder

from geo_lm4ve.blocks.extraction import extract
from geo_lm4ve.blocks.frozen import FrozenBlock
from geo_lm4ve.blocks.sources.hub import HubCheckpoint
from geo_lm4ve.blocks.sources.hub_repository import HubRepository
from geo_lm4ve.blocks.sources.remote_file import RemoteFile
from geo_lm4ve.blocks.sources.selection import select_layers

SMALL = TINY | {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
_BLOCKS = "geo_lm4ve.blocks."
_SELECTED = (f"{_BLOCKS}sources.selection.wanted_layout", f"{_BLOCKS}sources.selection.select_layers")
_LOCAL = (f"{_BLOCKS}sources.directory.tensor_names", f"{_BLOCKS}sources.directory.read_tensors", *_SELECTED)


def computed(source: str) -> torch.Tensor:
    """The output of the last layer of a source, with everything that its config says of a layer."""
    block = FrozenBlock.from_source(source, final_norm="loaded", causal=True, rotary=True)
    tokens = torch.randn(1, 3, block.dim, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return block(tokens)


def of_config(path: Path) -> torch.Tensor:
    """Of a folder whose weights are good: whatever its config says, or is refused for, they give finite values."""
    found = of_folder(path)
    if not bool(found.isfinite().all()):
        raise ArithmeticError("a config that was taken without a word gives values that are not finite")
    return found


def of_folder(path: Path) -> torch.Tensor:
    """Of the transformers folder that a file lies in."""
    return computed(f"dir:{path.parent}")


def folder(name: str, config: dict = SMALL, **options: object) -> Callable[[Path], Path]:
    """Writes a transformers folder and gives one of its files."""

    def write(place: Path) -> Path:
        return write_folder(place, llama_state(config), config, **options) / name

    return write


def old_bin(place: Path) -> Path:
    """As torch wrote before version 1.6."""
    write_folder(place, llama_state(SMALL), SMALL, ending="bin")
    torch.save(llama_state(SMALL), place / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    return place / "pytorch_model.bin"


def opt(place: Path) -> Path:
    """A family whose layers are transformers'."""
    from transformers import OPTConfig, OPTModel

    config = OPTConfig(
        hidden_size=16, ffn_dim=24, num_hidden_layers=1, num_attention_heads=2, word_embed_proj_dim=16, vocab_size=4,
        max_position_embeddings=8,
    )  # fmt: skip
    OPTModel(config).save_pretrained(place)
    return place / "config.json"


def of_opt(path: Path) -> object:
    """The same without a causal mask, so that transformers' layer is tried out."""
    return FrozenBlock.from_source(f"dir:{path.parent}")


def meta(name: str) -> Callable[[Path], Path]:
    """Meta's folder; one of its files."""
    return lambda place: write_meta(place, llama_state(TINY)) / name


def gguf(kind: Kind, architecture: str = "llama") -> Callable[[Path], Path]:
    """A GGUF file."""
    return lambda place: write_gguf(place / "model.gguf", architecture, kind, tokens=3, scores=3)


def extracted(place: Path) -> Path:
    """What tools/extract_block.py writes."""
    write_folder(place / "model", llama_state(SMALL), SMALL)
    return extract(f"dir:{place / 'model'}", [0, 1], place / "layers.safetensors", final_norm=True).path


class Shelf(HubRepository):
    """A hub's repository whose files lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, f"hub:{folder}"

    def file(self, name: str) -> Lying:
        """One of them."""
        return Lying(self.folder / name)


class Lying(RemoteFile):
    """A file as the hub's are read, without the network."""

    def __init__(self, path: Path) -> None:
        self.path, self.place, self.received = path, f"hub:{path}", 0

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size

    def require(self) -> None:
        """FileNotFoundError unless it is there."""
        self.path.stat()

    def head(self) -> bytes:
        """Its beginning."""
        return self.whole()[:1000]

    def whole(self) -> bytes:
        """All of it."""
        return self.path.read_bytes()

    def read(self, start: int, stop: int, advance: Callable[[int], None] = lambda count: None) -> bytearray:
        """A range."""
        if not 0 <= start <= stop <= self.size:
            raise ValueError(f"{start} to {stop} are not in it")
        with self.path.open("rb") as handle:
            handle.seek(start)
            return bytearray(handle.read(stop - start))


def of_hub(path: Path) -> object:
    """Both layers out of a repository."""
    return select_layers(HubCheckpoint(Shelf(path.parent)), "hub:x/y", [0, 1], final_norm=True)


def _seed(name: str, readers: tuple[str, ...], write: Callable, read: Callable, mutators: tuple) -> Seed:
    full = tuple(one if one.startswith(_BLOCKS) else _BLOCKS + one for one in readers)
    return Seed(name, full, write, read, mutators)


PICKLED = ("sources.pickled.open_pickled", *_LOCAL)
META = ("sources.meta.MetaCheckpoint.__init__", *_SELECTED)
HUB = ("sources.hub._read_spans", *_SELECTED)
SEEDS = (
    _seed("folder_safetensors", _LOCAL, folder("model.safetensors"), of_folder, SAFETENSORS),
    _seed("folder_config", ("sources.checkpoint.read_json", *_SELECTED), folder("config.json"), of_config, JSON),
    _seed("opt_config", ("sources.checkpoint.read_json", *_SELECTED), opt, of_opt, JSON),
    _seed(
        "folder_index",
        ("sources.checkpoint.weight_map", *_LOCAL),
        folder("model.safetensors.index.json", shards=2),
        of_folder,
        JSON,
    ),
    _seed("folder_bin", PICKLED, folder("pytorch_model.bin", ending="bin"), of_folder, ZIP),
    _seed("folder_old_bin", PICKLED, old_bin, of_folder, BYTES),
    _seed("meta_params", META, meta("params.json"), lambda path: computed(f"meta:{path.parent}"), JSON),
    _seed("meta_pth", META, meta("consolidated.00.pth"), lambda path: computed(f"meta:{path.parent}"), ZIP),
    _seed(
        "gguf_f32",
        ("sources.gguf.GGUFCheckpoint.__init__", *_SELECTED),
        gguf(Kind.F32),
        lambda path: computed(f"gguf:{path}"),
        BYTES,
    ),
    _seed(
        "gguf_q8_0",
        ("sources.gguf.GGUFCheckpoint.__init__", *_SELECTED),
        gguf(Kind.Q8_0, "gemma3"),
        lambda path: computed(f"gguf:{path}"),
        BYTES,
    ),
    _seed(
        "extracted",
        ("extracted.ExtractedCheckpoint.__init__", "extracted.ExtractedCheckpoint.verify", *_LOCAL),
        extracted,
        lambda path: computed(f"file:{path}"),
        SAFETENSORS,
    ),
    _seed("hub_config", ("sources.checkpoint.parse_json", *HUB), folder("config.json"), of_hub, JSON),
    _seed(
        "hub_index",
        ("sources.checkpoint.weight_map", *HUB),
        folder("model.safetensors.index.json", shards=2),
        of_hub,
        JSON,
    ),
    _seed(
        "hub_safetensors",
        ("sources.safetensors_header.safetensors_spans", *HUB),
        folder("model.safetensors"),
        of_hub,
        SAFETENSORS,
    ),
    _seed(
        "hub_bin",
        ("sources.remote_zip.pickled_spans", *HUB),
        folder("pytorch_model.bin", ending="bin"),
        of_hub,
        ZIP,
    ),
)
