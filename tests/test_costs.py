"""The entry ``cost`` of results: written, read back, said; nonsense is named."""

import pytest

from geo_lm4ve.costs import KINDS, PARTS, Cost, Latency, cost_of, figure
from geo_lm4ve.files import to_json

FLOPS = {part: {"trainable": 1e9, "frozen": 0.0} for part in PARTS} | {"block": {"trainable": 0.0, "frozen": 6e9}}
COST = Cost(FLOPS, Latency(16, 1.53, 10), Latency(1, 4.0, 3), "cpu (x)", 2, 1, "float32")


def test_it_comes_back_as_it_was_written():
    assert cost_of({"cost": COST.plain()}) == COST
    assert cost_of({"metrics": {}}) is None, "results of before it was measured"
    assert "padding included" in to_json(COST.plain())


def test_sums_and_words():
    assert (COST.gflops(), COST.gflops("frozen"), COST.gflops(*KINDS)) == (9, 6, 9)
    assert COST.rows == {
        "GFLOPs per sample": "9, frozen 6",
        "ms per sample": "1.53 in batches of 16, 4 alone (10 and 3 passes)",
    }
    assert COST.conditions == "cpu (x), 2 thread(s), 1 process(es), float32, batches of 16"
    assert COST.said.startswith(f"a forward pass on {COST.conditions}; ms: median, measured while evaluating; FLOPs: ")


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "0"), (0.00206, "0.00206"), (1.5349, "1.53"), (99.96, "100"), (12345.6, "12,346")]
)
def test_three_digits_are_enough(value, expected):
    assert figure(value) == expected


def changed(path, value):
    plain = COST.plain()
    inner = plain
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return plain


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("flops_per_sample",), None, "cost.flops_per_sample is None, not a mapping"),
        (("flops_per_sample", "block"), {}, "it lacks cost.flops_per_sample.block.trainable"),
        (("flops_per_sample", "head", "frozen"), -1.0, "cost.flops_per_sample.head.frozen is -1, not between 0 and"),
        (("evaluated", "ms_per_sample"), float("nan"), "cost.evaluated.ms_per_sample is nan, not a finite number"),
        (("alone", "batch"), 0, "cost.alone.batch is 0, not a whole number from 1"),
        (("threads",), 1.5, "cost.threads is 1.5, not a whole number"),
        (("precision",), 32, "cost.precision is 32, not a text"),
    ],
)
def test_nonsense_is_named(path, value, said):
    with pytest.raises(ValueError, match=said):
        cost_of({"cost": changed(path, value)})
