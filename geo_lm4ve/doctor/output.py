"""A diagnosis on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.columns import Columns
from rich.console import Console
from rich.table import Table
from rich.text import Text

from geo_lm4ve.doctor.diagnosis import Diagnosis
from geo_lm4ve.doctor.inventory import HUB_ADVICE, Item
from geo_lm4ve.doctor.packages import Finding, State
from geo_lm4ve.words import marked

_GOOD, _BAD, _SOSO = "green", "bold red", "yellow"


def print_diagnosis(found: Diagnosis, console: Console) -> None:
    """All sections, the verdict last."""
    console.print(marked((f"geo_lm4ve {found.version}", "bold"), f", Python {found.python}"))
    console.print(Columns(map(_core, found.core), title="Core packages", padding=(0, 3)))
    header = ("package", "version", "", "for", "what to do")
    _print(console, "Optional packages", header, map(_optional, found.optional))
    _print(console, "Device", ("", ""), _pairs(found.device))
    for device, operations in found.kernels.items():
        _print(console, f"Point operations on {device}", ("operation", "served by"), _pairs(operations))
    _print(console, "Blocks", ("block=", "at hand", "source", "note"), map(_item, found.blocks), caption=HUB_ADVICE)
    _print(console, "Data", ("data=", "at hand", "folder", "note"), map(_item, found.data))
    for problem in found.problems:
        console.print(marked(("PROBLEM", "bold red"), " ", problem), soft_wrap=True)
    console.print("[bold green]The core works.[/]" if found.ok else "[bold red]The core does not work.[/]")


def _print(
    console: Console, title: str, header: Sequence[str], rows: Iterable[Sequence[Text]], caption: str = ""
) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=any(header), caption=caption)
    table.caption_justify = "left"
    for place, name in enumerate(header):
        table.add_column(name, no_wrap=place == 0, overflow="fold")
    for row in rows:
        table.add_row(*row)
    if table.row_count:
        console.print(table)


def _core(finding: Finding) -> Text:
    colour = _GOOD if finding.state is State.ok else _BAD
    return marked((finding.state.value, colour), f" {finding.name} {finding.version}")


def _optional(finding: Finding) -> Sequence[Text]:
    colour = _GOOD if finding.state is State.ok else _SOSO
    texts = (finding.name, finding.version, (finding.state.value, colour), finding.purpose, finding.advice)
    return [marked(text) for text in texts]


def _item(item: Item) -> Sequence[Text]:
    at_hand = ("yes", _GOOD) if item.at_hand else ("no", _SOSO)
    return [marked(text) for text in (item.name, at_hand, item.source, item.note)]


def _pairs(facts: Mapping[str, str]) -> Iterable[Sequence[Text]]:
    return ((marked(name), marked(value)) for name, value in facts.items())
