"""Official checkpoints into a model and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from geo_lm4ve.config import unknown
from geo_lm4ve.model import Model
from geo_lm4ve.pretrained.fitting import CLASSES, Fit
from geo_lm4ve.pretrained.layouts import Layout, NameTable, known_layouts, known_tables, starts, table_of
from geo_lm4ve.pretrained.reading import read_checkpoint
from geo_lm4ve.pretrained.report import LoadReport, grouped
from geo_lm4ve.reading import reader
from geo_lm4ve.saved import CheckpointError

OWN = Layout(title="geo_lm4ve", marker="encoder.stages")
"""Our own names: every model's state dict has them."""


def load_official(
    model: Model,
    source: Path | str | Mapping[str, Any],
    *,
    allow: Sequence[str] = (),
    classes: str = "match",
    place: Path | str | None = None,
) -> LoadReport:
    """Load a published checkpoint (or one of our own) into ``model``, in place; all of it or nothing.

    The kind of file is recognised by its keys: Point-BERT pre-trained or fine-tuned, Point-MAE pre-trained or
    fine-tuned, Point-BERT with LLaMA as the paper's authors saved it, PointNeXt classifiers of OpenPoints,
    mmTransformer, the VectorNet of StreamingForecasting, ScanQA, SQA3D, ViT of timm, DeiT, transformers and the paper's
    authors, VideoMAE of its authors (pre-trained or fine-tuned), transformers and the paper's authors, and geo_lm4ve's
    own. A pre-trained file has no classifier and no file but the paper's has adapters: those parts keep their
    initialisation, and the report says so.

    >>> import geo_lm4ve, tempfile
    >>> from pathlib import Path
    >>> from safetensors.torch import save_file
    >>> from geo_lm4ve.pretrained import to_official
    >>> model = geo_lm4ve.create_model("point_bert_tiny", num_classes=40)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file(to_official(model), Path(folder) / "published.safetensors")
    ...     report = geo_lm4ve.load_official(model, Path(folder) / "published.safetensors")
    >>> report.missing
    ()

    Args:
        model: the model; its architecture must be the checkpoint's.
        source: a ``.pth`` or ``.safetensors`` file, a folder written by ``save_pretrained``, or a state dict.
        allow: prefixes of names, ours or the file's, that may be missing or left over besides what is normal;
            ``llama`` also accepts a file whose frozen block is another than the model's.
        classes: what to do when the output layer has another number of rows: ``match`` raises, ``slice`` keeps the
            file's first rows (official ScanObjectNN files have 40 outputs for 15 classes), ``fresh`` leaves the layer
            as it is.
        place: where a state dict came from, for messages.

    Raises:
        ValueError: ``classes`` is none of the three.
        CheckpointError: unreadable file, unknown kind, names or shapes that do not fit, another frozen block.
    """
    if classes not in CLASSES:
        raise ValueError(unknown("value of classes", classes, CLASSES))
    place = place or ("the given mapping" if isinstance(source, Mapping) else source)
    return _loaded(model, read_checkpoint(source), place, allow, classes)


@reader(CheckpointError, "a checkpoint for this model", "download it again", at="place")
def _loaded(
    model: Model, state: Mapping[str, Tensor], place: Path | str, allow: Sequence[str], classes: str
) -> LoadReport:
    fit = _placed(model, state, place, classes)
    fit.check(allow)
    fit.compare_block(state, allow)
    model.load_state_dict(fit.values, strict=False)  # complete: check() has accounted for every key
    return fit.report()


@reader(CheckpointError, "a checkpoint for this model", "download it again", at="place")
def check_official(model: Model, state: Mapping[str, Tensor], *, allow: Sequence[str], place: Path | str) -> None:
    """Look whether ``load_official`` could take a state dict, while the number of outputs is not known yet.

    What lies in the head is not compared, since several of its tensors may depend on that number.

    Args:
        model: with any number of outputs; it stays as it is.
        state: of a file, as ``read_checkpoint`` gives it.
        allow: as of ``load_official``.
        place: where the state dict came from, for messages.

    Raises:
        CheckpointError: as ``load_official``.
    """
    fit = _placed(model, state, place, "fresh")
    fit.mismatched = [line for line in fit.mismatched if not line.startswith("head.")]
    fit.check((*allow, "head"))
    fit.compare_block(state, allow)


def _placed(model: Model, state: Mapping[str, Tensor], place: Path | str, classes: str) -> Fit:
    fit = Fit(_recognise(state, model, place), model, classes, place)
    rewrite = fit.layout.rewrite
    for key, value in (rewrite(state) if rewrite else state).items():
        fit.place(key, value)
    return fit


def to_official(model: Model) -> dict[str, Tensor]:
    """The model's trained tensors under their official names and shapes: what the original projects can load.

    A frozen block is not part of it.

    Raises:
        CheckpointError: there are no official names for this encoder or for some of the tensors.
    """
    state, table = model.weights(), _table(model)
    own = {key: value for key, value in state.items() if not starts(key, *table.left_out)}
    pairs = {key: table.to_official(key, value.detach().clone()) for key, value in own.items()}
    if nameless := [key for key, pair in pairs.items() if pair is None]:
        raise CheckpointError(f"no official names for {grouped(nameless)}; use save_pretrained for such a model")
    return dict(pair for pair in pairs.values() if pair is not None)


def _table(model: Model) -> NameTable:
    if table := table_of(model.encoder):
        return table
    raise CheckpointError(
        f"no official names are known for {type(model.encoder).__name__}, only for "
        f"{', '.join(table.encoder.__name__ for table in known_tables())}; use save_pretrained for such a model"
    )


def _recognise(state: Mapping[str, Tensor], model: Model, place: Path | str) -> Layout:
    layouts = sorted([*known_layouts(), OWN], key=lambda layout: layout.table is not None)  # our own first
    found = [layout for layout in layouts if layout.matches(state)]
    if not found:
        raise CheckpointError(
            f"{place} is not a checkpoint of a known kind: it holds {grouped(state)}; known: "
            + "; ".join(layout.title for layout in layouts)
        )
    layout = next((layout for layout in found if layout.suits(model.encoder, model.state_dict())), found[-1])
    if layout.table and not isinstance(model.encoder, layout.table.encoder):
        raise CheckpointError(
            f"{place} is {layout.title} and needs a {layout.table.encoder.__name__} encoder, but the model has a "
            f"{type(model.encoder).__name__}"
        )
    return layout
