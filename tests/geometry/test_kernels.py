import sys
import types

import pytest
import torch
from clouds import awkward_clouds, random_clouds, shapes_unchecked
from torch._subclasses.fake_tensor import FakeTensorMode

from geo_lm4ve.geometry import kernels, packages
from geo_lm4ve.geometry import reference as plain
from geo_lm4ve.geometry.grouping import gather
from geo_lm4ve.geometry.neighbours import ball_query, knn, three_nn
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.testing import assert_equal_up_to_rounding


@pytest.fixture(autouse=True)
def _fresh_probe():
    packages.probe.cache_clear()
    yield
    packages.probe.cache_clear()


def hide(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)


def fake_pointnet2(monkeypatch):
    """A module with the interface and the semantics of pointnet2_ops' CUDA kernels, in torch."""

    def furthest_point_sample(points, count):
        return plain.farthest_point_sample(points, count, 0, 1e-3).int()

    def ball_query(radius, k, points, queries):
        return plain.ball_query(queries, points, radius, k).int()

    def three_nn(queries, points):
        squared, indices = plain.nearest(queries, points, 3)
        return squared.sqrt(), indices.int()

    module = types.ModuleType("pointnet2_ops.pointnet2_utils")
    module.__dict__.update(furthest_point_sample=furthest_point_sample, ball_query=ball_query, three_nn=three_nn)
    monkeypatch.setitem(sys.modules, "pointnet2_ops", types.ModuleType("pointnet2_ops"))
    monkeypatch.setitem(sys.modules, "pointnet2_ops.pointnet2_utils", module)
    return module


def test_announcement_names_every_operation():
    announced = kernels.announce("cpu")
    assert set(announced) == {"farthest_point_sample", "knn", "ball_query", "three_nn"}
    assert announced["ball_query"] == announced["knn"]
    assert announced["knn"].startswith("scipy (scipy ")
    assert announced["knn"].endswith(", a kd-tree for large clouds)")
    assert kernels.announce("cuda")["knn"] == "torch (no other implementation on cuda)"


def test_without_optional_packages_torch_serves_and_the_install_line_is_said(monkeypatch):
    hide(monkeypatch, "torch_quickfps")
    hide(monkeypatch, "pointnet2_ops")
    hide(monkeypatch, "pointnet2_ops.pointnet2_utils")
    hide(monkeypatch, "scipy.spatial")
    assert kernels.announce("cpu")["knn"] == "torch (scipy is not installed: pip install scipy)"
    clouds = random_clouds(1, 1024)
    assert torch.equal(knn(clouds, clouds, 2), plain.nearest(clouds, clouds, 2)[1])
    assert kernels.announce("cpu")["farthest_point_sample"].startswith("torch (torch-quickfps is not installed: pip")
    assert kernels.announce("cuda")["ball_query"].startswith("torch (pointnet2_ops is not installed: build it from")
    assert farthest_point_sample(random_clouds(1, 9), 3).shape == (1, 3)


def test_broken_package_is_announced_as_broken(monkeypatch):
    def broken(name):
        raise ImportError("undefined symbol: _ZN3c10")

    monkeypatch.setattr(packages.importlib, "import_module", broken)
    choice = kernels.choose("farthest_point_sample", "cpu")
    assert choice == kernels.Choice("torch", "torch-quickfps is installed but does not load: undefined symbol: _ZN3c10")


def test_reference_context_wins_and_ends():
    with kernels.reference():
        assert kernels.choose("farthest_point_sample") == kernels.Choice("torch", "asked for by kernels.reference()")
    assert "asked" not in kernels.choose("farthest_point_sample").reason


def test_dtypes_that_an_implementation_has_not_go_to_torch():
    assert kernels.choose("farthest_point_sample", dtype=torch.float64).implementation == "torch"
    assert kernels.choose("knn", dtype=torch.float64).implementation == "scipy"


def test_unknown_operation():
    with pytest.raises(ValueError, match="no point operation 'fps'; there are farthest_point_sample"):
        kernels.choose("fps")


@pytest.mark.parametrize(("points", "count"), [(64, 64), (500, 1), (1024, 64), (2048, 300)])
def test_quickfps_gives_the_reference_indices(points, count):
    pytest.importorskip("torch_quickfps")
    clouds = random_clouds(8, points)  # no two candidates are within 70 roundings of one distance
    assert kernels.choose("farthest_point_sample").implementation == "torch-quickfps"
    fast = farthest_point_sample(clouds, count, start=3)
    with kernels.reference():
        assert torch.equal(fast, farthest_point_sample(clouds, count, start=3))


def same_under_fake_tensors(op, *arguments):
    """Whether an operation says, without looking at values, the shapes and dtypes that it then gives."""
    with FakeTensorMode() as mode:
        fake = op(*(mode.from_tensor(a) if isinstance(a, torch.Tensor) else a for a in arguments))
    real = op(*arguments)
    pairs = zip(fake, real) if isinstance(real, tuple) else [(fake, real)]
    return all((a.shape, a.dtype) == (b.shape, b.dtype) for a, b in pairs)


@pytest.mark.parametrize("kind", ["grid", "twice", "duplicates", "collinear", "all equal", "sphere"])
def test_quickfps_takes_one_of_the_farthest_where_several_are(kind):
    pytest.importorskip("torch_quickfps")
    clouds = awkward_clouds(125, 48)[kind]
    taken = gather(clouds, farthest_point_sample(clouds, 20))
    squared = (clouds[:, :, None] - taken[:, None]).square().sum(-1)
    for step in range(1, 20):
        nearest, own = squared[..., :step].amin(-1).amax(-1), (taken[:, step, None] - taken[:, :step]).square().sum(-1)
        assert_equal_up_to_rounding(own.amin(-1), nearest)


def test_kd_tree_says_its_shapes_to_fake_tensors_and_to_graphs():
    clouds = random_clouds(2, 1024)
    queries = clouds[:, :64]
    assert same_under_fake_tensors(kernels.knn, queries, clouds, 8)
    assert same_under_fake_tensors(kernels.three_nn, queries, clouds)
    assert same_under_fake_tensors(kernels.knn, queries.double(), clouds.double(), 8)
    checked = torch.library.opcheck(torch.ops.geo_lm4ve.kd_tree, (queries, clouds, 8))
    assert set(checked.values()) == {"SUCCESS"}


def test_operations_are_traced_into_one_graph():
    def operations(points):
        queries = gather(points, farthest_point_sample(points, 64))
        return knn(queries, points, 8), *three_nn(queries, points), ball_query(queries, points, 0.5, 8)

    clouds = random_clouds(2, 1024)
    with shapes_unchecked():  # whose wrappers cannot be traced
        compiled = torch.compile(operations, backend="eager", fullgraph=True)(clouds)
    assert all(torch.equal(a, b) for a, b in zip(compiled, operations(clouds), strict=True))


def test_quickfps_says_its_shape_to_fake_tensors():
    pytest.importorskip("torch_quickfps")
    for skip in (0.0, 1e-3):
        assert same_under_fake_tensors(kernels.farthest_point_sample, random_clouds(3, 80), 10, 0, skip)


@pytest.mark.parametrize("kept", [40, 10, 9, 1, 0])
@pytest.mark.parametrize("start", [0, 45])
def test_quickfps_passes_over_points_near_the_origin(kept, start):
    pytest.importorskip("torch_quickfps")
    clouds = random_clouds(2, 50)
    clouds[:, kept:] *= 0.005
    assert ((clouds.square().sum(-1) <= 1e-3).sum(-1) >= 50 - kept).all()
    found = farthest_point_sample(clouds, 10, start=start, skip_near_origin=1e-3)
    with kernels.reference():
        expected = farthest_point_sample(clouds, 10, start=start, skip_near_origin=1e-3)
    if kept:  # after the last of them all are equally far, but none is taken that is passed over
        assert torch.equal(found[:, :kept], expected[:, :kept])
        assert (found[:, 1:] < kept).all()
    else:
        assert torch.equal(found, expected)


def on_cuda(monkeypatch):
    """Choose as for a GPU; the fake kernels above run on the CPU."""
    choose = kernels.choose
    monkeypatch.setattr(kernels, "choose", lambda op, device, dtype: choose(op, "cuda", dtype))


def test_pointnet2_kernels_give_the_reference_indices(monkeypatch):
    module = fake_pointnet2(monkeypatch)
    on_cuda(monkeypatch)
    clouds, queries = random_clouds(3, 80), random_clouds(3, 10, seed=1)
    clouds[:, 5:40] *= 0.01  # the kernel would pass over these unless the cloud is moved
    assert not torch.equal(
        module.furthest_point_sample(clouds, 60).long(), plain.farthest_point_sample(clouds, 60, 0, 0)
    )
    for skip in (0.0, 1e-3):
        found = kernels.farthest_point_sample(clouds, 60, 0, skip)
        assert found.dtype == torch.long
        assert torch.equal(found, plain.farthest_point_sample(clouds, 60, 0, skip))
    assert torch.equal(kernels.farthest_point_sample(clouds, 9, 4, 0.0), plain.farthest_point_sample(clouds, 9, 4, 0.0))
    assert torch.equal(kernels.ball_query(queries, clouds, 0.7, 6), plain.ball_query(queries, clouds, 0.7, 6))
    assert torch.equal(kernels.three_nn(queries, clouds)[1], plain.nearest(queries, clouds, 3)[1])
    assert same_under_fake_tensors(kernels.farthest_point_sample, clouds, 60, 0, 0.0)
    assert same_under_fake_tensors(kernels.ball_query, queries, clouds, 0.7, 6)
    assert same_under_fake_tensors(kernels.three_nn, queries, clouds)
