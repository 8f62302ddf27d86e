import subprocess
import sys

import pytest

from geo_lm4ve.viz import style


def test_generated_data_is_always_called_so():
    assert style.mark_synthetic("Solids", True) == "Solids · synthetic data"
    assert style.mark_synthetic("Synthetic solids", True) == "Synthetic solids"
    assert style.mark_synthetic("ModelNet40", False) == "ModelNet40"


def test_inches_from_the_upper_left_corner():
    figure = style.new_figure(4, 3)
    axes = style.new_axes(figure, left=1, top=0.5, width=2, height=1)
    assert axes.get_position().bounds == pytest.approx((0.25, 0.5, 0.5, 1 / 3))


def test_no_global_state():
    code = "import sys, geo_lm4ve.viz; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
