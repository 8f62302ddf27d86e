"""A scene as it unfolds: GIF anywhere, MP4 where ffmpeg is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from geo_lm4ve.files import UserError, atomic_path
from geo_lm4ve.traffic.viz.drawing import draw_agents, draw_map, draw_modes, draw_truth, prepare
from geo_lm4ve.traffic.viz.scene import TrafficScene
from geo_lm4ve.viz import style

SIDE, HEAD = 5.6, 0.6
"""Inches: side of the picture, space for the title."""
DPI = 100
TRAIL = 20
"""Steps of the trail behind an agent."""
HOLD = 12
"""Frames for which the last picture stays."""


def animate(path: Path | str, scene: TrafficScene, title: str = "", *, synthetic: bool = False) -> None:
    """Write the scene step by step in real time: observation, then forecasts and what really happened.

    Args:
        path: ``.gif`` or ``.mp4``.
        scene: what to show.
        title: default: name and city.
        synthetic: say in the title that the data is generated.

    Raises:
        UserError: another suffix, or ``.mp4`` where ffmpeg is not installed or fails.
    """
    path = Path(path)
    if path.suffix not in (".gif", ".mp4"):
        raise UserError(f"an animation is a .gif or an .mp4 file, not {path.name!r}")
    if path.suffix == ".mp4" and shutil.which("ffmpeg") is None:
        raise UserError(
            f"{path} needs ffmpeg, which is not installed (apt-get install ffmpeg); a .gif works without it"
        )
    pictures = list(_pictures(scene, style.mark_synthetic(title or f"{scene.name} · {scene.city}", synthetic)))
    pictures += [pictures[-1]] * HOLD
    with atomic_path(path) as temporary:
        if path.suffix == ".gif":
            _write_gif(temporary, pictures, scene.hz)
        else:
            _write_mp4(temporary, pictures, scene.hz)


def _pictures(scene: TrafficScene, title: str) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """One picture per step; the map is drawn once and kept."""
    figure = Figure(figsize=(SIDE + 0.2, SIDE + HEAD + 0.1), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    title, size = style.fitted(title, 10.5, SIDE)
    style.write(figure, 0.12, 0.1, title, size=size, weight="bold")
    axes = style.new_axes(figure, 0.1, HEAD, SIDE, SIDE)
    draw_map(axes, scene, prepare(axes, scene))
    canvas.draw()
    ground = canvas.copy_from_bbox(figure.bbox)
    clock = figure.text(0.02, 1 - 0.33 / (SIDE + HEAD + 0.1), "", fontsize=9, va="top", color=style.MUTED)
    for step in range(scene.steps):
        canvas.restore_region(ground)
        clock.set_text(f"{scene.seconds(step):+.1f} s   {'observed' if step < scene.history else 'future'}")
        figure.draw_artist(clock)
        for artist in sorted(_moving(axes, scene, step), key=lambda artist: artist.get_zorder()):
            axes.draw_artist(artist)
            artist.remove()
        yield np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _moving(axes: Axes, scene: TrafficScene, step: int) -> list[Artist]:
    """Everything that changes from step to step."""
    artists = draw_agents(axes, scene, step, trail=TRAIL)
    if step >= scene.history - 1:
        artists += draw_modes(axes, scene) + draw_truth(axes, scene, until=step - scene.history + 1)
    return artists


def _write_gif(path: Path, pictures: Sequence[UInt8[np.ndarray, "h w 3"]], hz: float) -> None:
    """All frames share the palette of the last one, which shows every colour."""
    images = [Image.fromarray(picture) for picture in pictures]
    palette = images[-1].quantize(128, dither=Image.Dither.NONE)
    frames = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    frames[0].save(path, format="GIF", save_all=True, append_images=frames[1:], duration=round(1000 / hz), loop=0)


def _write_mp4(path: Path, pictures: Sequence[UInt8[np.ndarray, "h w 3"]], hz: float) -> None:
    height, width = (size - size % 2 for size in pictures[0].shape[:2])  # 4:2:0 video has even sides
    command = [
        "ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
        "-r", f"{hz:g}", "-i", "-", "-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20", "-f", "mp4",
        str(path),
    ]  # fmt: skip
    frames = b"".join(np.ascontiguousarray(picture[:height, :width]).tobytes() for picture in pictures)
    done = subprocess.run(command, input=frames, capture_output=True, check=False)
    if done.returncode:
        raise UserError(f"ffmpeg could not write {path}: {done.stderr.decode(errors='replace').strip()}; try a .gif")
