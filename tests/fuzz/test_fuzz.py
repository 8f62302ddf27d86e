import pytest
from campaign import run
from seed import all_readers, all_seeds

SEEDS = all_seeds()
CASES = 60
"""Of each seed in every test run; ``make fuzz`` runs ten thousand."""


def test_every_reader_has_a_seed():
    seeded = {name for seed in SEEDS.values() for name in seed.readers}
    missing, gone = sorted(all_readers() - seeded), sorted(seeded - all_readers())
    assert not missing, f"give these readers a seed in tests/fuzz/seeds_*.py: {missing}"
    assert not gone, f"these are no readers (any more): {gone}"


@pytest.mark.parametrize("name", SEEDS)
def test_spoiled_files_are_named_and_nothing_else_happens(name):
    cases = CASES // 4 if SEEDS[name].slow else CASES
    outcome = run(SEEDS[name], range(cases))
    assert sum(outcome.ends.values()) == cases
    assert not outcome.faults, outcome.faults
    assert SEEDS[name].forgiving or outcome.ends["named"], "no case was refused: what is mutated is not what is read"
