import subprocess
import sys

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from geo_lm4ve.viz import style


def test_generated_data_is_always_called_so():
    assert style.mark_synthetic("Solids", True) == "Solids · synthetic data"
    assert style.mark_synthetic("Synthetic solids", True) == "Synthetic solids"
    assert style.mark_synthetic("ModelNet40", False) == "ModelNet40"


def test_inches_from_the_upper_left_corner():
    figure = style.new_figure(4, 3)
    axes = style.new_axes(figure, left=1, top=0.5, width=2, height=1)
    assert axes.get_position().bounds == pytest.approx((0.25, 0.5, 0.5, 1 / 3))


def test_a_long_title_shrinks_until_it_fits():
    assert style.fitted("short", 12, room=5) == ("short", 12)
    figure = style.new_figure(5, 2)
    style.heading(figure, "A rather long title with many words about what was evaluated " * 2, "note\n" + "n" * 200)
    for text in figure.texts:
        box = text.get_window_extent(FigureCanvasAgg(figure).get_renderer())
        assert box.x1 < figure.bbox.width


def test_no_global_state():
    code = "import sys, geo_lm4ve.viz; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_activations_have_colours_of_one_scale():
    shades = style.activation_colours(np.array([0.0, 1.0, np.nan]))
    assert len(set(shades)) == 3
    assert style.activation_colours(np.array([1.0]), np.array([0.0, 2.0])) != style.activation_colours(np.array([1.0]))


def test_a_long_text_wraps_and_says_where_it_is_cut():
    assert style.wrapped("short", 9, room=5, rows=2) == ["short"]
    text = "what stands to the left of the table that is nearest to the window " * 9
    three = style.wrapped(text, 9, room=4, rows=3)
    assert len(three) == 3
    assert three[-1].endswith("…")
    assert text.startswith(" ".join(three)[:-1])
    assert style.wrapped("a\nb\u202e", 9, room=4, rows=3) == ["a\\nb\\u202e"]
