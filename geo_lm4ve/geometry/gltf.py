"""The scene of a glTF 2.0 file as triangles in its world's coordinates.

Axes and unit stay those of the file; by the specification y points up, and the unit is a metre. Skins, morph targets
and animations are left at rest; lines and materials are no part of a surface.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Shaped

from geo_lm4ve.geometry.gltf_document import Gltf, rows
from geo_lm4ve.reading import Fields, check_bytes

_POINTS, _TRIANGLES, _STRIP, _FAN = 0, 4, 5, 6
_INSTANCE, _CORNER = 1024, 32
"""Bytes that a placed part and one of its corners take at most: a mesh may stand in a scene many times."""

Matrix = Float[np.ndarray, "4 4"]


def read_gltf(path: Path, content: bytes) -> tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]:
    """Vertices and triangles of everything in the scene; the points where it holds points alone.

    Raises:
        ValueError: the file is damaged, needs what is not read, or holds lines alone.
    """
    document = Gltf(path, content)
    surfaces, clouds, modes, needed = [], [], set(), 0
    for place, part in _parts(document):
        mode = part.whole("mode", 0, 6) if "mode" in part.values else _TRIANGLES
        positions, order = _corners(document, part)
        modes.add(mode)
        needed += _INSTANCE + 3 * _CORNER * len(order)
        check_bytes(needed, "its scene")
        if mode == _POINTS:
            clouds.append(_moved(positions[order], place))
        elif mode in (_TRIANGLES, _STRIP, _FAN):
            corners = order[_triangles(mode, len(order), part)]
            surfaces.append(_moved(positions[_seen_from_outside(corners, place)].reshape(-1, 3), place))
    if modes and not surfaces and not clouds:
        raise ValueError("it holds lines only, which have no surface")
    vertices = np.concatenate(surfaces or clouds or [np.zeros((0, 3))])
    faces = np.arange(len(vertices) if surfaces else 0, dtype=np.int64)
    return vertices, faces.reshape(-1, 3)


def _parts(document: Gltf) -> Iterator[tuple[Matrix, Fields]]:
    """Every part of every mesh with its place in the world; a file without nodes holds its meshes where they are."""
    meshes = document.rows("meshes")
    for place, mesh in _placed(document, len(meshes)):
        for part in rows(meshes[mesh], "primitives"):
            yield place, part


def _placed(document: Gltf, meshes: int) -> Iterator[tuple[Matrix, int]]:
    nodes = document.rows("nodes")
    if not nodes:
        yield from ((np.eye(4), mesh) for mesh in range(meshes))
    left = [(root, np.eye(4)) for root in reversed(_roots(document, nodes))]
    seen = set()
    while left:
        index, above = left.pop()
        if index in seen:
            raise ValueError(f"nodes[{index}] is reached twice, and nodes must form a tree")
        seen.add(index)
        node = nodes[index]
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused
            place = above @ _local(node)
        if "mesh" in node.values:
            yield place, node.whole("mesh", 0, meshes - 1)
        left += [(child, place) for child in reversed(_indices(node, "children", len(nodes)))]


def _roots(document: Gltf, nodes: list[Fields]) -> list[int]:
    """The nodes of the scene that is to be shown; without scenes, those that are nobody's children."""
    scenes = document.rows("scenes")
    if scenes:
        shown = document.whole.whole("scene", 0, len(scenes) - 1) if "scene" in document.whole.values else 0
        return _indices(scenes[shown], "nodes", len(nodes))
    below = {child for node in nodes for child in _indices(node, "children", len(nodes))}
    return [index for index in range(len(nodes)) if index not in below]


def _indices(fields: Fields, key: str, count: int) -> list[int]:
    found = fields.wholes(key) if key in fields.values else []
    if max(found, default=-1) >= count:
        raise ValueError(f"{fields.prefix}{key} names the node {max(found)}, there are {count}")
    return found


def _local(node: Fields) -> Matrix:
    """A node's place in its parent: a matrix by columns, or scale, rotation and translation, applied in this order."""
    if "matrix" in node.values:
        return _numbers(node, "matrix", 16).reshape(4, 4).T
    place = np.eye(4)
    if "rotation" in node.values:
        place[:3, :3] = _turned(_numbers(node, "rotation", 4))
    if "scale" in node.values:
        place[:3, :3] *= _numbers(node, "scale", 3)
    if "translation" in node.values:
        place[:3, 3] = _numbers(node, "translation", 3)
    return place


def _turned(quaternion: Float[np.ndarray, " 4"]) -> Float[np.ndarray, "3 3"]:
    """The rotation of a quaternion x, y, z, w."""
    length = np.linalg.norm(quaternion)
    if not 0 < length < np.inf:
        raise ValueError(f"the rotation {quaternion.tolist()} is none")
    x, y, z, w = quaternion / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _numbers(fields: Fields, key: str, count: int) -> Float[np.ndarray, " n"]:
    value = fields[key]
    known = isinstance(value, list) and len(value) == count and all(type(one) in (int, float) for one in value)
    if not known or not np.isfinite(found := np.array(value, np.float64)).all():
        raise ValueError(f"{fields.prefix}{key} is not {count} finite numbers")
    return found


def _corners(document: Gltf, part: Fields) -> tuple[Shaped[np.ndarray, "v 3"], Shaped[np.ndarray, " c"]]:
    """The vertices of a part, and which of them are its corners, in their order."""
    last = len(document.rows("accessors")) - 1
    positions = document.column(part.fields("attributes").whole("POSITION", 0, last))
    if positions.shape[1] != 3:
        raise ValueError(f"{part.prefix}attributes.POSITION has {positions.shape[1]} numbers a vertex, not 3")
    if "indices" not in part.values:
        return positions, np.arange(len(positions))
    order = document.column(part.whole("indices", 0, last))
    if order.dtype.kind != "u" or order.shape[1] != 1:
        raise ValueError(f"{part.prefix}indices are no whole numbers")
    if len(order) and order.max() >= len(positions):
        raise ValueError(f"{part.prefix}indices names the vertex {order.max()}, there are {len(positions)}")
    return positions, order[:, 0]


def _triangles(mode: int, count: int, part: Fields) -> Int[np.ndarray, "f 3"]:
    """Which of ``count`` corners form triangles, all of one orientation."""
    if mode == _TRIANGLES:
        if count % 3:
            raise ValueError(f"{part.prefix[:-1]} has {count} corners, triangles take three each")
        return np.arange(count).reshape(-1, 3)
    first = np.arange(max(count - 2, 0))
    if mode == _FAN:
        return np.stack([first * 0, first + 1, first + 2], axis=1)
    odd = first % 2
    return np.stack([first + odd, first + 1 - odd, first + 2], axis=1)


def _seen_from_outside(corners: Shaped[np.ndarray, "f 3"], place: Matrix) -> Shaped[np.ndarray, "f 3"]:
    """The corners so that a mirrored part still shows its outside."""
    with np.errstate(over="ignore", invalid="ignore"):
        return corners[:, ::-1] if np.linalg.det(place[:3, :3]) < 0 else corners


def _moved(points: Shaped[np.ndarray, "n 3"], place: Matrix) -> Float[np.ndarray, "n 3"]:
    with np.errstate(over="ignore", invalid="ignore"):
        moved = points.astype(np.float64) @ place[:3, :3].T + place[:3, 3]
    if not np.isfinite(moved).all():
        raise ValueError("it has coordinates that are not finite")
    return moved
