"""The zip that ``torch.save`` writes: stored entries one behind the other, a pickle and the bytes of its storages."""

from __future__ import annotations

import itertools
import zipfile
from dataclasses import dataclass

from geo_lm4ve.torch_files.values import StorageRef
from geo_lm4ve.torch_files.walk import Walk

LOCAL_HEADER = 30
"""Bytes before the name of an entry where it lies; the lengths of the name and of an extra field are the last four."""


@dataclass(frozen=True)
class TorchArchive:
    """A zip of torch's, looked through.

    Attributes:
        walk: its pickle.
        entries: its entries by name.
        ends: where the bytes of each end at the latest, by where its header begins.
        root: folder inside of it, before every name, with its slash.
        byteorder: of the machine that wrote it, ``little`` where it does not say (before torch 2.1).
    """

    walk: Walk
    entries: dict[str, zipfile.ZipInfo]
    ends: dict[int, int]
    root: str
    byteorder: bytes

    def entry(self, storage: StorageRef) -> zipfile.ZipInfo:
        """The stored entry of a storage.

        Raises:
            ValueError: it is missing, compressed or too short.
        """
        info = self.entries.get(f"{self.root}data/{storage.key}")
        if info is None or info.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"it lacks entry data/{storage.key}, or has it compressed")
        if storage.size > info.file_size:
            raise ValueError(f"entry data/{storage.key} has {info.file_size:,} bytes, its pickle says {storage.size:,}")
        return info


def torch_archive(archive: zipfile.ZipFile) -> TorchArchive:
    """Look through a zip of torch's; reads its directory and its pickle.

    Raises:
        ValueError: it is none of torch's, its entries overlap or are compressed, or its pickle is not plain.
        zipfile.BadZipFile: an entry is damaged.
    """
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    entries = {info.filename: info for info in infos}
    starts = [*(info.header_offset for info in infos), archive.start_dir]
    for info, (start, stop) in zip(infos, itertools.pairwise(starts)):
        if start < 0 or start + LOCAL_HEADER + len(info.filename) + info.compress_size > stop:
            raise ValueError(f"entry {info.filename} overlaps the next one")
    if len(entries) < len(infos):
        raise ValueError("two entries have one name")
    pickles = [name for name in entries if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ValueError(f"it has {len(pickles)} entries data.pkl instead of one; was torch.save used?")
    root = pickles[0].removesuffix("data.pkl")
    order = _content(archive, entries, f"{root}byteorder") if f"{root}byteorder" in entries else b"little"
    walk = Walk(_content(archive, entries, pickles[0]))
    return TorchArchive(walk, entries, dict(itertools.pairwise(starts)), root, order)


def _content(archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], name: str) -> bytes:
    info = entries[name]
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise ValueError(f"entry {name} is compressed, which torch.save never does")
    return archive.read(info)
