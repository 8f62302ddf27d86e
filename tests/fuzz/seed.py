"""What a campaign starts from: files that the project's own writers make, and how they are read."""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Mutator = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Seed:
    """A good file and its reader.

    Attributes:
        name: short and unique; on the command line and in the table.
        readers: names in ``READERS`` of the guarded readers whose bytes are mutated here.
        write: makes the file, and whatever has to lie beside it, in an empty folder; returns the file to mutate.
        read: reads the file as a user does, far enough that every value has been looked at.
        mutators: what is done to its bytes.
        slow: a case takes a tenth of a second or more; fewer of them run with the tests.
        forgiving: a spoiled file costs time and nothing else, so that no case is refused.
    """

    name: str
    readers: tuple[str, ...]
    write: Callable[[Path], Path]
    read: Callable[[Path], object]
    mutators: Sequence[Mutator]
    slow: bool = False
    forgiving: bool = False

    def mutated(self, content: bytes, case: int) -> bytes:
        """The bytes of one case: one to three mutations, the same whenever it is asked for."""
        chance = random.Random(f"{self.name}:{case}")
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            try:
                content = chance.choice(self.mutators)(content, chance)
            except Exception:  # noqa: BLE001 (what knows a format may meet what an earlier mutation has left of it)
                content = content[: chance.randrange(len(content) + 1)]
        return content


def all_seeds() -> dict[str, Seed]:
    """The seeds of every ``seeds_*.py`` beside this file, by name."""
    seeds: dict[str, Seed] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("seeds_"):
            for seed in importlib.import_module(module.name).SEEDS:
                if seed.name in seeds:
                    raise ValueError(f"two seeds are called {seed.name}")
                seeds[seed.name] = seed
    return seeds


def all_readers() -> set[str]:
    """The names of every guarded reader of the package, all of whose modules are imported for that."""
    import geo_lm4ve
    from geo_lm4ve.reading import READERS

    for module in pkgutil.walk_packages(geo_lm4ve.__path__, "geo_lm4ve."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return {name for name in READERS if name.startswith("geo_lm4ve.")}
