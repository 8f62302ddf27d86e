"""Original files -> scene cache: several processes, resumable, with a report of every scene that was dropped."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import torch

from geo_lm4ve.data.generated import claim
from geo_lm4ve.files import remove, write_json
from geo_lm4ve.notice import say
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.progress import Meter
from geo_lm4ve.traffic.cache.files import SceneFiles
from geo_lm4ve.traffic.cache.packing import check_map, pack_scenes
from geo_lm4ve.traffic.cache.shards import (
    SHARD,
    CacheManifest,
    Dropped,
    ShardRecord,
    read_cache_manifest,
    read_record,
    write_shard,
)

REPORT = "report.json"
MARKER = ".geo_lm4ve_cache.json"
"""Lies in the folder of a cache before anything else does: what is not ours is never written over or removed."""


def build_cache(files: SceneFiles, folder: Path, workers: int = 0, max_dropped: float = 0.01) -> CacheManifest:
    """The cache of a split in ``folder``, built where it is not complete yet.

    Shards that an interrupted run has finished are kept. ``report.json`` names every dropped scene with its reason.

    Args:
        files: the split's files.
        folder: of the cache.
        workers: processes; 0: this one.
        max_dropped: largest part of the scenes that may be dropped.

    Raises:
        DataError: more scenes than that cannot be read, or ``folder`` holds something else.
    """
    key = files.key()
    manifest = read_cache_manifest(folder)
    if manifest is None or manifest.key != key:
        if not _ours(folder):
            claim(folder, MARKER, {"cache": files.title}, "cached scenes", "set data.cache to another folder")
        for note in files.notes():
            say(f"{files.title}: {note}")
        manifest = CacheManifest(key, _shards(files, folder, key, workers))
        _report(files, folder, manifest)
        _check_dropped(files, folder, manifest, max_dropped)
        manifest.write(folder)
        _remove_others(folder, manifest)
        say(f"kept {manifest.scenes:,} scenes in {folder}, {manifest.bytes_per_scene / 1000:.1f} kB each")
    _check_dropped(files, folder, manifest, max_dropped)
    return manifest


def _ours(folder: Path) -> bool:
    """Whether a folder is claimed, or holds what earlier versions wrote without a claim: a manifest or a record."""
    if (folder / MARKER).is_file() or read_cache_manifest(folder) is not None:
        return True
    return any(_record(path) is not None for path in folder.glob("shard-*.json"))


def _shards(files: SceneFiles, folder: Path, key: str, workers: int) -> list[ShardRecord]:
    starts = range(0, len(files), SHARD)
    done = {start: record for start in starts if (record := _finished(folder, start, key))}
    todo = [start for start in starts if start not in done]
    ready = sum(record.scenes + len(record.dropped) for record in done.values())
    dropped = 0
    with Meter(f"scene cache of {files.folder}", len(files), unit="scenes", done=ready, announced=True) as meter:
        for start, record in _build(files, folder, key, todo, workers):
            done[start] = record
            dropped += len(record.dropped)
            meter.advance(record.scenes + len(record.dropped), f"{dropped:,} dropped" if dropped else "")
    return [done[start] for start in starts]


def _build(
    files: SceneFiles, folder: Path, key: str, starts: list[int], workers: int
) -> Iterator[tuple[int, ShardRecord]]:
    if not workers or len(starts) < 2:
        for start in starts:
            yield start, build_shard(files, folder, key, start)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(starts)), context, initializer=_one_thread) as pool:
        jobs = {pool.submit(build_shard, files, folder, key, start): start for start in starts}
        try:
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def build_shard(files: SceneFiles, folder: Path, key: str, start: int) -> ShardRecord:
    """Read, pack and write the scenes from ``start`` on; then its record, which marks it as finished."""
    scenes, dropped = [], []
    for item in files.items[start : start + SHARD]:
        try:
            scene = files.scene(item)
            check_map(scene)
        except DataError as error:
            dropped.append(Dropped(files.label(item), str(error)))
        else:
            scenes.append(scene)
    path = folder / _name(start)
    size, digest = write_shard(path, pack_scenes(scenes)) if scenes else (0, "")
    facts = {
        "scenes without recording car": sum(scene.recording.ego < 0 for scene in scenes),
        "scenes without lanes": sum(not len(scene.map) for scene in scenes),
        "scenes without future": sum(scene.recording.future is None for scene in scenes),
    }
    record = ShardRecord(path.name, key, len(scenes), size, digest, dropped, facts)
    write_json(path.with_suffix(".json"), asdict(record))
    return record


def _name(start: int) -> str:
    return f"shard-{start // SHARD:05}.safetensors"


def _finished(folder: Path, start: int, key: str) -> ShardRecord | None:
    """The record of a shard that an earlier run finished, made of the same files."""
    path = folder / _name(start)
    if (record := _record(path.with_suffix(".json"))) is None:
        return None
    whole = not record.scenes or (path.is_file() and path.stat().st_size == record.bytes)
    return record if record.key == key and record.file == path.name and whole else None


def _record(path: Path) -> ShardRecord | None:
    """The record of a finished shard; None where there is none or it is damaged: the shard is then built again."""
    if not path.is_file():
        return None
    try:
        return read_record(path)
    except DataError:
        return None


def _one_thread() -> None:
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


def _report(files: SceneFiles, folder: Path, manifest: CacheManifest) -> None:
    dropped, facts = manifest.dropped, manifest.facts()
    write_json(
        folder / REPORT,
        {"split": str(files.folder), "scenes": manifest.scenes, "dropped": [asdict(entry) for entry in dropped],
         "facts": facts, "bytes_per_scene": round(manifest.bytes_per_scene)},
    )  # fmt: skip
    for fact, count in facts.items():
        if count:
            say(f"{count:,} of {manifest.scenes:,} {fact}")
    if dropped:
        say(f"{len(dropped):,} of {len(files):,} scenes dropped; all of them: {folder / REPORT}")
        for entry in dropped[:10]:
            say(f"  {entry.scene:40} {entry.reason}")


def _check_dropped(files: SceneFiles, folder: Path, manifest: CacheManifest, most: float) -> None:
    dropped = len(manifest.dropped)
    if dropped > most * len(files):
        raise DataError(
            f"{dropped:,} of {len(files):,} scenes in {files.folder} cannot be read, more than the "
            f"{most:.1%} that data.max_dropped allows; {folder / REPORT} names them, the first is "
            f"{manifest.dropped[0].scene}: {manifest.dropped[0].reason}. Get the files again, or allow more"
        )


def _remove_others(folder: Path, manifest: CacheManifest) -> None:
    """Shards of an earlier state of the files."""
    kept = {Path(shard.file).stem for shard in manifest.shards}
    for path in folder.glob("shard-*"):
        if path.stem not in kept:
            remove(path)
