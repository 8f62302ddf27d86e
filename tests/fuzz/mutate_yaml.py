"""Ways to spoil YAML: what the format itself can do to a reader, besides what spoils any text."""

from __future__ import annotations

import random

from mutate_text import TEXT
from seed import Mutator

ODD_LINES = (
    "a: ${a}", "a: ${b}\nb: ${a}", "lr: ${oc.env:HOME}", "x: !!python/object/apply:os.system [true]", "a: &a [*a]",
    "hydra: {callbacks: {a: {_target_: builtins.print}}}", "hydra:\n  job: {env_set: {A: b}}", "\tname: tab",
    "name: twice\nname: twice", "? [a, b]\n: c", "1: one", "null: none", "---\nsecond: document", "name: 2026-11-25",
    "seed: " + "9" * 30, "seed: 0x7f", "seed: 1:30", "seed: 1e400", "name: !!binary aGVsbG8=", "<<: {seed: 3}",
    "defaults: nothing", "defaults: [{a: b, c: d}]", "defaults:\n- one\n- _self_", "optim: null", "optim: [1]",
    "data: 3", "optim: {lr: .nan}", "run: {root: \"a\\0b\"}", "optim: {epochs: true}", "%YAML 9.9", "%TAG ! x",
    "name: |2\n   x", "# @package hydra.callbacks", "# @package a.b", "name: \"\\ud800\"", "encoder: {dim: 999999999}",
    "...",
)  # fmt: skip


def odd_line(content: bytes, chance: random.Random) -> bytes:
    """A line that stands for more than it seems is somewhere among the others, as deep as they are."""
    pieces = content.split(b"\n")
    at = chance.randrange(len(pieces) + 1)
    near = pieces[min(at, len(pieces) - 1)]
    depth = chance.choice((0, len(near) - len(near.lstrip(b" "))))
    lines = chance.choice(ODD_LINES).encode().split(b"\n")
    pieces[at:at] = [b" " * depth + line for line in lines]
    return b"\n".join(pieces)


def bomb(content: bytes, chance: random.Random) -> bytes:
    """Aliases of aliases: a few lines that stand for very many values."""
    width, depth = chance.choice((2, 10)), chance.choice((3, 9, 30))
    lines = [b"b0: &b0 [x]"]
    lines += [f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * width)}]".encode() for n in range(1, depth)]
    return b"\n".join((content, *lines, b""))


YAML: tuple[Mutator, ...] = (odd_line, odd_line, odd_line, bomb, *TEXT)
