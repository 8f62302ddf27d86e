import numpy as np
from scene_examples import example

from geo_lm4ve.traffic.viz.choice import middles, worst_and_spread
from geo_lm4ve.traffic.viz.html import fitting


def test_half_the_worst_and_half_spread():
    errors = [*np.arange(50.0).tolist(), *[0.0] * 50]
    shown = worst_and_spread(errors, 10)
    assert len(shown) == 10
    assert shown == sorted(shown)
    assert set(range(45, 50)) <= set(shown)
    assert min(shown) == 0
    assert max(shown) == 99
    assert worst_and_spread([1.0, 2.0], 5) == [0, 1]


def test_a_page_holds_so_many(monkeypatch):
    scenes = [example(name=str(number)) for number in range(20)]
    assert len(fitting(scenes)) == 20
    monkeypatch.setattr("geo_lm4ve.traffic.viz.html.MAX_BYTES", 115_000)
    kept = fitting(scenes)
    assert 1 < len(kept) < 20
    assert (kept[0].name, kept[-1].name) == ("0", "19")


def test_middles_of_equal_parts():
    assert middles(160, 4) == [20, 60, 100, 140]
    assert middles(3, 12) == [0, 1, 2]
    assert middles(0, 12) == []
