"""Clouds that nobody should have: every road ends in finite numbers or in an error that says what is wrong."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo_lm4ve.create import create_model
from geo_lm4ve.files import UserError
from geo_lm4ve.geometry import checks
from geo_lm4ve.geometry.grouping import group
from geo_lm4ve.geometry.meshes import read_points
from geo_lm4ve.geometry.neighbours import ball_query, knn, three_nn
from geo_lm4ve.geometry.normalize import normalize_unit_sphere
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.points.augment import ScaleAndShift
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.files import Clouds
from geo_lm4ve.points.loader import CloudSplit, Recipe

quick = settings(max_examples=25, deadline=None, derandomize=True, database=None)
GROUPS, NEAREST = 8, 4

NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -0.5, 1e-45, 1e-20, 1e12, 3e18, 1e25, -3.4e38, np.nan, np.inf, -np.inf])


SCALES = st.sampled_from([1.0, 1.0, 0.0, 1e-42, 1e-25, 1e10, 1e20, 1e38])


@st.composite
def clouds(draw, channels=(3,)):
    """One or two clouds (b, n, c): normal, of one point, huge, tiny, far away, with too few points or odd numbers."""
    shape = (draw(st.integers(1, 2)), draw(st.sampled_from([0, 1, 3, 7, 8, 20])), draw(st.sampled_from(channels)))
    values = np.random.default_rng(draw(st.integers(0, 9))).normal(size=shape)
    values = values * draw(SCALES) + draw(st.sampled_from([0.0, 0.0, 1e6, -1e30]))
    if draw(st.booleans()) and values.size:
        values[:, 1:] = values[:, :1]
    for _ in range(draw(st.sampled_from([0, 0, 1, 3])) if values.size else 0):
        values.flat[draw(st.integers(0, values.size - 1))] = draw(NUMBERS)
    with np.errstate(over="ignore"):
        return torch.from_numpy(values.astype(np.float32))


HUGE = torch.tensor([[[1e30, 0, 0], [-1e30, 0, 0], [0, 3e38, 0], [0, -3e38, 1]] * 5])


def finite_or_named(action, *values):
    """What it gives, if it gives anything: finite; it may refuse by an error that says something."""
    try:
        found = action(*values)
    except (UserError, ValueError) as error:
        if not str(error):
            raise
        return None
    assert torch.isfinite(found).all()
    return found


@quick
@given(clouds())
@example(HUGE)
def test_normalisation(points):
    found = finite_or_named(normalize_unit_sphere, points)
    if torch.isfinite(points).all() and points.shape[1]:
        assert found is not None
        radius = found.norm(dim=-1).amax(-1)
        assert ((radius == 0) | ((radius - 1).abs() < 1e-3)).all(), radius
        assert not found[(points == points[:, :1]).all((1, 2))].any(), "a point got an extent"
        spread = (points - points[:, :1]).abs().amax((1, 2))
        assert (radius[spread > 1e-3 * points.abs().amax((1, 2))] > 0).all(), "a cloud with an extent became a point"


@quick
@given(clouds())
@example(HUGE)
def test_sampling_and_neighbours(points):
    def indices(found):
        assert ((found >= 0) & (found < points.shape[1])).all()
        return found.float()

    finite_or_named(lambda: indices(farthest_point_sample(points, GROUPS)))
    finite_or_named(lambda: indices(knn(points[:, :2], points, NEAREST)))
    finite_or_named(lambda: indices(ball_query(points[:, :2], points, 0.5, NEAREST)))
    finite_or_named(lambda: group(points, points[:, :2], NEAREST)[0])
    finite_or_named(lambda: three_nn(points[:, :2], points)[0])


@quick
@given(clouds(), st.sampled_from([1, 8, 30]))
@example(HUGE, 8)
def test_batches(points, count):
    def batch():
        recipe = Recipe(count, True, ScaleAndShift(2 / 3, 3 / 2, 0.2))
        split = CloudSplit(Clouds(points, torch.zeros(len(points), dtype=torch.int64)), recipe)
        return split.batch(torch.arange(len(points))).settled().points

    finite_or_named(batch)


@pytest.fixture(scope="module")
def model():
    return create_model("point_bert_tiny", num_classes=3, num_groups=GROUPS, group_size=NEAREST).eval()


@quick
@given(points=clouds())
@example(points=HUGE)
def test_a_model(model, points):
    def logits():
        with torch.no_grad():
            rows = torch.arange(len(points))
            return model(PointBatch(points, rows * 0, rows))

    finite_or_named(logits)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.mark.parametrize("suffix", ["npy", "txt", "csv"])
@quick
@given(points=clouds(channels=(3, 2, 6)))
@example(points=HUGE)
def test_files(folder, suffix, points):
    path = folder / f"cloud.{suffix}"
    if suffix == "npy":
        np.save(path, points[0].numpy())
    else:
        np.savetxt(path, points[0].numpy(), delimiter="," if suffix == "csv" else " ")
    read = finite_or_named(lambda: read_points(path, at_least=2).points)
    if read is not None:
        assert torch.allclose(read, points[0, :, :3])


@pytest.mark.parametrize("shape", [(20, 3), (2, 20), (2, 20, 2), (2, 20, 6), (1, 2, 20, 3)])
def test_other_shapes_are_refused_with_the_rule(shape):
    for check in (checks.working, checks.all_finite):
        with pytest.raises(ValueError, match=r"points must be a batch of clouds \(b, n, 3\), got"):
            check("points", torch.full(shape, torch.nan))
