"""A diagnosis on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.columns import Columns
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from geo_lm4ve.doctor.diagnosis import Diagnosis
from geo_lm4ve.doctor.inventory import HUB_ADVICE, Item
from geo_lm4ve.doctor.packages import Finding, State

_GOOD, _BAD, _SOSO = "[green]ok[/]", "[bold red]{}[/]", "[yellow]{}[/]"


def print_diagnosis(found: Diagnosis, console: Console) -> None:
    """All sections, the verdict last."""
    console.print(f"[bold]geo_lm4ve {found.version}[/], Python {escape(found.python)}", highlight=False)
    console.print(Columns(map(_core, found.core), title="Core packages", padding=(0, 3)))
    header = ("package", "version", "", "for", "what to do")
    _print(console, "Optional packages", header, map(_optional, found.optional))
    _print(console, "Device", ("", ""), _pairs(found.device))
    for device, operations in found.kernels.items():
        _print(console, f"Point operations on {device}", ("operation", "served by"), _pairs(operations))
    _print(console, "Blocks", ("block=", "at hand", "source", "note"), map(_item, found.blocks), caption=HUB_ADVICE)
    _print(console, "Data", ("data=", "at hand", "folder", "note"), map(_item, found.data))
    for problem in found.problems:
        console.print(f"[bold red]PROBLEM[/] {escape(problem)}", highlight=False, soft_wrap=True)
    console.print("[bold green]The core works.[/]" if found.ok else "[bold red]The core does not work.[/]")


def _print(
    console: Console, title: str, header: Sequence[str], rows: Iterable[Sequence[str]], caption: str = ""
) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=any(header), caption=caption)
    table.caption_justify = "left"
    for place, name in enumerate(header):
        table.add_column(name, no_wrap=place == 0, overflow="fold")
    for row in rows:
        table.add_row(*row)
    if table.row_count:
        console.print(table)


def _core(finding: Finding) -> str:
    state = _GOOD if finding.state is State.ok else _BAD.format(finding.state.value)
    return f"{state} {finding.name} {finding.version}"


def _optional(finding: Finding) -> Sequence[str]:
    state = _GOOD if finding.state is State.ok else _SOSO.format(finding.state.value)
    return finding.name, finding.version, state, escape(finding.purpose), escape(finding.advice)


def _item(item: Item) -> Sequence[str]:
    return item.name, "[green]yes[/]" if item.at_hand else "[yellow]no[/]", escape(item.source), escape(item.note)


def _pairs(facts: Mapping[str, str]) -> Iterable[Sequence[str]]:
    return ((escape(name), escape(str(value))) for name, value in facts.items())
