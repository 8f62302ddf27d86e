"""Official files of questions: where a user has them, where a prepared folder keeps them, and what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from geo_lm4ve.answering.files.scanqa import read_scanqa
from geo_lm4ve.answering.files.sqa3d import read_sqa3d
from geo_lm4ve.answering.questions import Question, QuestionSet, scanqa_type, sqa3d_type
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.indoor.stored.folder import CLASSES, annotation_file, question_file
from geo_lm4ve.words import unfit


@dataclass(frozen=True)
class Layout:
    """How a data set lays out its questions.

    Attributes:
        name: of the data set, as commands and options call it.
        title: as papers call it.
        splits: it has; the first is trained on.
        annotations: file of a split, as published.
        questions: a second file of a split, which has the questions; "": they are in the first.
        folder: in which the publisher's archive has both, possibly.
        classes: file of the answers that classifiers know, beside that folder or in it; "": there is none.
        type_of: question -> its type, as the data set's evaluation tells them apart.
    """

    name: str
    title: str
    splits: tuple[str, ...]
    annotations: str
    questions: str = ""
    folder: str = ""
    classes: str = ""
    type_of: Callable[[str], str] = scanqa_type

    def read(self, root: Path, split: str) -> QuestionSet:
        """The questions of a split out of a prepared folder."""
        path = annotation_file(root, split)
        return read_sqa3d(path, question_file(root, split)) if self.questions else read_scanqa(path)

    def there(self, root: Path) -> tuple[str, ...]:
        """The splits that a prepared folder has."""
        return tuple(split for split in self.splits if annotation_file(root, split).is_file())

    def files(self, split: str) -> list[str]:
        """The published files of a split."""
        return [name.format(split=split) for name in (self.annotations, self.questions) if name]


SCANQA = Layout("scanqa", "ScanQA", ("train", "val", "test_w_obj", "test_wo_obj"), "ScanQA_v1.0_{split}.json")
SQA3D = Layout(
    "sqa3d", "SQA3D", ("train", "val", "test"), "v1_balanced_sqa_annotations_{split}_scannetv2.json",
    "v1_balanced_questions_{split}_scannetv2.json", folder="balanced", classes=CLASSES,
    type_of=sqa3d_type,
)  # fmt: skip
LAYOUTS = {layout.name: layout for layout in (SCANQA, SQA3D)}
"""By name."""


@dataclass(frozen=True)
class Asked:
    """The questions that a user has.

    Attributes:
        layout: of their files.
        splits: split -> its questions.
        copies: place in a prepared folder -> file that belongs there, unchanged.
    """

    layout: Layout
    splits: Mapping[str, QuestionSet]
    copies: Mapping[Path, Path]

    def scans(self) -> dict[str, Counter[str]]:
        """Scan -> how many questions of each split are about it; sorted by name."""
        found: dict[str, Counter[str]] = {}
        for split, one in self._all():
            found.setdefault(one.scene, Counter())[split] += 1
        return dict(sorted(found.items()))

    def _all(self) -> Iterator[tuple[str, Question]]:
        for split, asked in self.splits.items():
            for one in asked.questions:
                yield split, one


def find_questions(layout: Layout, folder: Path) -> Asked:
    """The files of all splits that are in a folder, or in the one below it that the publisher's archive has.

    Raises:
        DataError: those of train are not there, a file is damaged, or a scan has a name that no file can have.
    """
    places = [folder, *([folder / layout.folder] if layout.folder else [])]
    home = next((place for place in places if (place / layout.files("train")[0]).is_file()), None)
    if home is None:
        raise DataError(
            f"{folder} has no {layout.files('train')[0]}{' (nor has its folder ' * bool(layout.folder)}"
            f"{layout.folder}{')' * bool(layout.folder)}: --from takes the folder with {layout.title}'s files of "
            "questions; datasets/README.md and the README.md of the data set say where to get them"
        )
    splits, copies = dict[str, QuestionSet](), dict[Path, Path]()
    for split in layout.splits:
        paths = [home / name for name in layout.files(split)]
        if not paths[0].is_file():
            continue
        splits[split] = read_sqa3d(*paths) if layout.questions else read_scanqa(paths[0])
        copies |= dict(zip((annotation_file(Path(), split), question_file(Path(), split)), paths))
    if layout.classes:
        known = [place / layout.classes for place in (home, folder, home.parent)]
        copies |= {Path(CLASSES): path for path in known[::-1] if path.is_file()}
    asked = Asked(layout, splits, copies)
    if odd := [scan for scan in asked.scans() if unfit(scan)]:
        raise DataError(
            f"a question of {home} is about the scan {odd[0]!r:.80}, whose name {unfit(odd[0])}; mend the file"
        )
    return asked
