"""ModelNet out of what its authors gave (OFF meshes) or PointNet++'s gave (normal-resampled clouds)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.invocation import command
from geo_lm4ve.points.prepare.base import CloudPreparer

if TYPE_CHECKING:
    from geo_lm4ve.points.prepare.listing import Listing

MESHES, RESAMPLED = "OFF meshes", "normal-resampled clouds"
POINTS = {MESHES: 2048, RESAMPLED: 8192}
PLACES = {MESHES: "meshes", RESAMPLED: "normal_resampled"}


class ModelNet(CloudPreparer):
    """Takes a folder of either kind, with the official split.

    Attributes:
        title: of the data set.
        classes: names by label.
        models: that each split must have; empty where nobody has counted.
    """

    title: ClassVar[str]
    classes: ClassVar[Sequence[str]]
    models: ClassVar[Mapping[str, int]] = {}
    usual = f"{POINTS[MESHES]} of meshes, {POINTS[RESAMPLED]} of normal-resampled clouds"

    def place(self, source: Path | None) -> Path:
        """See Preparer.place: a folder of its own for each kind."""
        return self.root / PLACES[self.kind(source)] if source and source.is_dir() else self.root

    def kind(self, folder: Path) -> str:
        """What a folder holds: by the lists that only one of the releases has."""
        from geo_lm4ve.points.prepare.resampled import names_file

        return RESAMPLED if names_file(folder, self.name).is_file() else MESHES

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare; ``source`` is the folder with a sub-folder for each class."""
        if source is None or not source.is_dir():
            raise DataError(f"{self._refusal(source)}: {command('prepare')} {self.name} --from FOLDER; {self._kinds()}")
        kind = self.kind(source)
        self.make(root, self._listing(source, kind), self.points or POINTS[kind], source=kind)

    def _kinds(self) -> str:
        return (
            "FOLDER holds OFF meshes (CLASS/train/*.off and CLASS/test/*.off) or normal-resampled clouds "
            f"(CLASS/*.txt and {self.name}_shape_names.txt, {self.name}_train.txt, {self.name}_test.txt)"
        )

    def _refusal(self, source: Path | None) -> str:
        if source is not None and source.suffix == ".dat":
            return (
                f"{source} is a Python pickle, "
                "which runs what its writer put into it when it is opened: it is not read. "
                "Prepare again from the text files that it was made of"
            )
        return f"{source} is no folder" if source else f"{self.title} is prepared from a folder that you have"

    def _listing(self, source: Path, kind: str) -> Listing:
        from geo_lm4ve.points.prepare.listing import list_folder, some
        from geo_lm4ve.points.prepare.resampled import list_resampled

        listing = list_resampled(source, self.name) if kind == RESAMPLED else list_folder(source, (".off",))
        missing, others = set(self.classes) - set(listing.classes), set(listing.classes) - set(self.classes)
        if missing or others or not listing.divided:
            inside = [path for path in sorted(source.iterdir()) if (path / self.classes[0]).is_dir()]
            faults = [
                f"classes are missing: {some(sorted(missing))}" if missing else "",
                f"{some(sorted(others))} are no classes of it" if others else "",
                "" if listing.divided else "classes have no folders train and test",
            ]
            raise DataError(
                f"{source} is not {self.title} ({'; '.join(filter(None, faults))}): "
                + (f"it seems to be in {inside[0]}" if inside else f"{self._kinds()}. {self._other()}")
            )
        if self.models and listing.counts() != self.models:
            raise DataError(
                f"{source} holds {listing.counts()} {kind}, {self.title} has {dict(self.models)}: get it again. "
                + self._other()
            )
        return listing

    def _other(self) -> str:
        return f"A part of it, or another set, is prepared by: {command('prepare')} folder DIR --out OUT"
