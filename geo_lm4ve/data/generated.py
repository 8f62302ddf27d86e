"""Folders of generated files: claimed before the first file is written, so that no file of anyone else is touched.

A folder is claimed by ``MARKER``, which goes only into an empty one; ``manifest.json`` comes last, says that the files
are whole and takes the marker's place. Marker without manifest: a generation that was cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.manifest import MANIFEST
from geo_lm4ve.files import remove, write_json
from geo_lm4ve.notice import say
from geo_lm4ve.reading import json_object, reader

MARKER = ".geo_lm4ve_generating.json"

LISTED = 5
"""Names of a foreign folder that a message shows."""


def claim(folder: Path, marker: str, content: dict[str, Any], what: str, step: str) -> None:
    """Make an empty or missing folder ours.

    Args:
        folder: to claim.
        marker: name of the file that says so from now on, with ``content``.
        content: of the marker, as JSON has it.
        what: files that will go there, in messages.
        step: what to do where the folder holds anything; ends the message.

    Raises:
        DataError: it does, or there can be no such folder.
    """
    with _folder_of(what, folder, step):
        folder.mkdir(parents=True, exist_ok=True)
    refuse_others(folder, marker, what, step)
    write_json(folder / marker, content)


def refuse_others(folder: Path, marker: str, what: str, step: str) -> None:
    """DataError if a folder that is there holds anything; arguments as of ``claim``."""
    with _folder_of(what, folder, step):
        # A marker that was killed in the making leaves its temporary file, which is ours as well.
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith(f".{marker}."))
    if names:
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        raise DataError(
            f"{folder.absolute()} holds files that were not generated here: {', '.join(names[:LISTED])}{more}. "
            f"{what.capitalize()} go only into an empty folder: delete this one if it is left over from a generation "
            f"that was cut off, or {step}"
        )


@contextmanager
def _folder_of(what: str, folder: Path, step: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{folder} cannot be a folder of {what} ({error}): {step}") from error


@dataclass(frozen=True)
class Generated:
    """A set of generated files.

    Attributes:
        what: what they are, in messages.
        recipe: what determines them, as JSON has it; the same recipe gives the same files.
        counts: samples per split.
        own: the option that reads files of one's own instead (``data=...``), for the message about such.
    """

    what: str
    recipe: dict[str, Any]
    counts: dict[str, int]
    own: str

    def look(self, root: Path) -> None:
        """Look whether ``into`` would find its files in ``root`` or could write them; writes nothing.

        Raises:
            DataError: as ``into``.
        """
        stored = _recipe(root / MARKER) or _recipe(root / MANIFEST)  # the marker goes when the manifest is there
        if stored is not None:
            self._compare(root, stored)
        elif root.exists():
            refuse_others(root, MARKER, self.what, self._step(root))

    def into(self, root: Path, write: Callable[[], None]) -> None:
        """Have the files in ``root``: those that are there, or new ones if it is missing, empty or cut off.

        Args:
            root: folder of the files.
            write: writes them into ``root``; called only after ``root`` is claimed.

        Raises:
            DataError: ``root`` holds files of another recipe or anything else; nothing in it has been changed.
        """
        if (made := _recipe(root / MANIFEST)) is not None:
            return self._compare(root, made)
        self._claim(root)
        say(f"generating {' + '.join(map(str, self.counts.values()))} {self.what} into {root}")
        write()
        write_json(root / MANIFEST, {"synthetic": True, "counts": self.counts, "recipe": self.recipe})
        remove(root / MARKER)

    def _claim(self, root: Path) -> None:
        if (begun := _recipe(root / MARKER)) is not None:
            self._compare(root, begun)
            say(f"the generation of {self.what} in {root} was cut off, starting again")
            return
        claim(root, MARKER, {"generating": self.what, "recipe": self.recipe}, self.what, self._step(root))

    def _step(self, root: Path) -> str:
        return (
            f"set data.root (tools/prepare.py: --root) to another one. Files of your own are read by {self.own} "
            f"data.root={root}"
        )

    def _compare(self, root: Path, stored: dict[str, Any]) -> None:
        if stored != self.recipe:
            raise DataError(
                f"{root} holds {self.what} made with {str(stored)[:1000]}, asked for is {self.recipe}; "
                "delete that folder or set data.root to another one"
            )


@reader(DataError, "a manifest of generated files", "make it readable or set data.root to another folder")
def _recipe(path: Path) -> dict[str, Any] | None:
    """The recipe in a manifest or marker of ours; None where there is none: the file is missing or someone else's."""
    if not path.is_file():
        return None
    content = path.read_bytes()
    try:
        recipe = json_object(content).get("recipe")
    except (ValueError, RecursionError):  # not of our making: the folder is refused, and the message says what it holds
        return None
    return recipe if isinstance(recipe, dict) else None
