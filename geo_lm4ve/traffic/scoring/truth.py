"""The ground truth of a split of traffic scenes, without maps and other agents: all that scoring a file needs."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.progress import Meter
from geo_lm4ve.traffic.batch import TrackCategory
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.metrics.table import Truth
from geo_lm4ve.traffic.records.recording import Recording


@dataclass(frozen=True)
class SceneTruth:
    """M scored tracks of one scene, the target first; positions in city coordinates [m].

    Attributes:
        scene, city: names.
        agents: agents seen at the last observed step.
        tracks: M track ids.
        history: (M, T, 2); zero where a track other than the target was not seen.
        future: (M, F, 2).
    """

    scene: str
    city: str
    agents: int
    tracks: tuple[str, ...]
    history: NDArray[np.float64]
    future: NDArray[np.float64]


def scene_files(data: Path, layout: Layout) -> dict[str, Path]:
    """Scene name -> file, for a split folder, sorted by name.

    Raises:
        DataError: no such folder, or no scene in it.
    """
    if not data.is_dir():
        raise DataError(f"no folder {data}; --data must name a split folder")
    files = layout.scene_files(data)
    if not files:
        raise DataError(
            f"{data} holds no scene in the layout of {layout.title} ({layout.scenes}); is it the split folder?"
        )
    return dict(sorted(files.items()))


def read_truths(paths: Sequence[Path], layout: Layout, *, worlds: bool, processes: int = 1) -> list[SceneTruth]:
    """The truth of every file, in order, with progress.

    Args:
        paths: files of scenes.
        layout: of the files.
        worlds: all scored tracks instead of the target alone.
        processes: read with so many.

    Raises:
        DataError: a file is damaged, or a future is withheld.
    """
    read = partial(read_truth, layout=layout, worlds=worlds)
    with Meter("read ground truth", len(paths)) as meter:
        if processes <= 1:
            return _collect(map(read, paths), meter)
        with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
            return _collect(pool.map(read, paths, chunksize=64), meter)


def _collect(truths: Iterable[SceneTruth], meter: Meter) -> list[SceneTruth]:
    collected = []
    for truth in truths:
        collected.append(truth)
        meter.advance(1)
    return collected


def read_truth(path: Path, layout: Layout, worlds: bool) -> SceneTruth:
    """The truth of one scene file; DataError as ``read_truths``."""
    recording = layout.recording(path)
    if recording.future is None:
        raise DataError(f"{path} holds no future (a test split?), so no forecast of it can be scored")
    rows = _scored(recording, path) if worlds else np.array([0])
    return SceneTruth(
        scene=recording.scene_id,
        city=recording.city,
        agents=int(recording.valid[:, recording.history - 1].sum()),
        tracks=tuple(recording.track_ids[row] for row in rows),
        history=recording.positions[rows, : recording.history],
        future=recording.positions[rows, recording.history :],
    )


def _scored(recording: Recording, path: Path) -> NDArray[np.int64]:
    """Rows of the tracks that the multi-agent challenge scores; the target is the first."""
    rows = (recording.categories >= TrackCategory.scored).nonzero()[0]
    incomplete = ~recording.valid[rows, recording.history :].all(1)
    if incomplete.any():
        names = ", ".join(recording.track_ids[row] for row in rows[incomplete])
        raise DataError(f"{path}: the scored tracks {names} lack future steps; get the file again")
    return rows


def targets(truths: Sequence[SceneTruth]) -> Truth:
    """The targets of many scenes as one table."""
    return Truth(
        scenes=[truth.scene for truth in truths],
        tracks=[truth.tracks[0] for truth in truths],
        cities=[truth.city for truth in truths],
        history=np.stack([truth.history[0] for truth in truths]),
        future=np.stack([truth.future[0] for truth in truths]),
        agents=np.array([truth.agents for truth in truths], dtype=np.int64),
    )
