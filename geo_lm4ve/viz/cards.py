"""Samples with what was predicted for them as HTML cards, with a filter above them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from geo_lm4ve.words import html as escape

MOST = 60
"""Cards on one page at most."""


class Judged:
    """One sample and what a model said about it; a dataclass of a modality adds the sample itself.

    Attributes:
        top: (class, probability) of the best classes, best first; the first one is the prediction. May be empty.
        true: the true class, or None if it is not known.
        name: which sample this is (index in the split, file name).
    """

    top: Sequence[tuple[str, float]]
    true: str | None
    name: str

    @property
    def correct(self) -> bool | None:
        """Was the prediction right? None if there is no prediction or no truth."""
        return self.top[0][0] == self.true if self.top and self.true is not None else None

    @property
    def label(self) -> str:
        """Its heading: the predicted class, else the true one, else its name."""
        return self.top[0][0] if self.top else self.true or self.name


One = TypeVar("One", bound=Judged)


def cards(samples: Sequence[One], picture: Callable[[One], str], hint: str = "") -> str:
    """The cards of the first MOST samples with a filter above them; what was left out is said.

    Args:
        samples: what is shown.
        picture: HTML of a sample's picture.
        hint: what a reader can do with the pictures.

    Raises:
        ValueError: ``picture`` cannot show one; it is named.
    """
    shown = samples[:MOST]
    left_out = f"The first {len(shown)} of {len(samples)} are shown." if len(shown) < len(samples) else ""
    made = "\n".join(_card(one, place, picture) for place, one in enumerate(shown))
    return f'{_toolbar(shown, " ".join(filter(None, (hint, left_out))))}\n<div class="cards">\n{made}\n</div>'


def _toolbar(samples: Sequence[Judged], hint: str) -> str:
    kinds = [_kind(one) for one in samples]
    counts = {"all": len(kinds)}
    if set(kinds) != {"unknown"}:
        counts |= {"wrong": kinds.count("wrong"), "right": kinds.count("right")}
    buttons = "".join(
        f'<button type="button" data-show="{kind}" aria-pressed="{str(kind == "all").lower()}">{kind} {count}</button>'
        for kind, count in counts.items()
    )
    search = '<input type="search" placeholder="class or name" aria-label="show only this class or name">'
    said = f'<p class="hint">{hint}</p>' if hint else ""
    return f'<div class="toolbar" hidden>{buttons}{search}{said}</div>'


def _kind(sample: Judged) -> str:
    return {True: "right", False: "wrong", None: "unknown"}[sample.correct]


def _card(sample: One, place: int, picture: Callable[[One], str]) -> str:
    try:
        shown = picture(sample)
    except ValueError as error:
        raise ValueError(f"sample {place} ({sample.name or 'no name'}): {error}") from error
    search = escape(" ".join(filter(None, [sample.label, sample.true, sample.name])).lower())
    lines = [
        f'<article class="card {_kind(sample)}" data-search="{search}">',
        shown,
        f"<h3>{escape(sample.label)}</h3>",
    ]
    if sample.true is not None and sample.correct is not True:
        lines.append(f'<p class="true">true: {escape(sample.true)}</p>')
    if sample.name and sample.name != sample.label:
        lines.append(f"<p>{escape(sample.name)}</p>")
    return "\n".join([*lines, _bars(sample), "</article>"])


def _bars(sample: Judged) -> str:
    rows = "".join(
        f'<li{" class=is-true" if name == sample.true else ""} style="--share:{100 * share:.2f}%">'
        f"<span>{escape(name)}</span><span>{share:.1%}</span></li>"
        for name, share in sample.top
    )
    return f'<ol class="bars">{rows}</ol>' if rows else ""
