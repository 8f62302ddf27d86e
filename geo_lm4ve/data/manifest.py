"""``manifest.json`` beside prepared data: how many samples each split has, and whether they are generated."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.reading import Fields, json_object, reader

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class DataManifest:
    """What a manifest says; nothing where it says nothing.

    Attributes:
        counts: samples per split.
        synthetic: the samples are generated.
        source: what the samples were made of, for titles; "" where nothing is said.
    """

    counts: dict[str, int] = field(default_factory=dict)
    synthetic: bool = False
    source: str = ""


def data_manifest(folder: Path) -> DataManifest:
    """The manifest of a folder, an empty one where there is none.

    Raises:
        DataError: it is damaged, or counts are no numbers.
    """
    path = folder / MANIFEST
    return _read(path) if path.is_file() else DataManifest()


@reader(DataError, "a manifest of prepared data", "delete it or prepare the data again")
def _read(path: Path) -> DataManifest:
    content = Fields(json_object(path.read_bytes()))
    counts = content.fields("counts") if "counts" in content.values else Fields({})
    synthetic = content.values.get("synthetic", False)
    if not isinstance(synthetic, bool):
        raise ValueError(f"synthetic is {synthetic!r}, not true or false")
    source = content.text("source") if "source" in content.values else ""
    return DataManifest({split: counts.whole(split) for split in counts.values}, synthetic, source)
