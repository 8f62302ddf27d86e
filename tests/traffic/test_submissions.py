import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.submissions import (
    Forecasts,
    read_argoverse1,
    read_argoverse2,
    write_argoverse1,
    write_argoverse2,
)

RNG = np.random.default_rng(0)


def _argoverse1(scenes=("7", "12", "3"), modes=6, weighted=True):
    p = RNG.dirichlet(np.ones(modes), len(scenes)) if weighted else None
    positions = RNG.uniform(-3000, 3000, (len(scenes), modes, 30, 2)).astype(np.float32).astype(np.float64)
    return Forecasts(list(scenes), None, positions, p)


def _argoverse2(keys=(("a", "1"), ("a", "2"), ("b", "1")), modes=6):
    p = RNG.dirichlet(np.ones(modes), len(keys))
    positions = RNG.uniform(-3000, 3000, (len(keys), modes, 60, 2))
    return Forecasts([key[0] for key in keys], [key[1] for key in keys], positions, p)


def _same(first, second):
    assert first.keys() == second.keys()
    np.testing.assert_array_equal(first.positions, second.positions)
    if first.probabilities is None:
        assert second.probabilities is None
    else:
        np.testing.assert_array_equal(first.probabilities, second.probabilities)


@pytest.mark.parametrize("modes", [1, 6])
@pytest.mark.parametrize("weighted", [True, False])
def test_argoverse1_round_trip(tmp_path, modes, weighted):
    forecasts = _argoverse1(modes=modes, weighted=weighted)
    write_argoverse1(tmp_path / "val.h5", forecasts)
    _same(forecasts, read_argoverse1(tmp_path / "val.h5"))


def test_argoverse1_rows_are_the_official_ones(tmp_path):
    forecasts = _argoverse1(modes=2)
    write_argoverse1(tmp_path / "val.h5", forecasts)
    with h5py.File(tmp_path / "val.h5") as file:
        table = file["argoverse_forecasting"]
        assert table.dtype == np.float64
        assert table.shape == (3 * 2 * 30, 4)
        row = table[1 * 60 + 30 + 4]  # second sequence, second trajectory, fifth step
    expected = [12, *forecasts.positions[1, 1, 4], forecasts.probabilities[1, 1]]
    assert row.tolist() == expected


def _h5(path, table, name="argoverse_forecasting"):
    with h5py.File(path, "w") as file:
        file[name] = np.asarray(table, dtype=np.float64)
    return path


def _table(ids, steps=30, columns=3):
    table = np.zeros((len(ids) * steps, columns))
    table[:, 0] = np.repeat(ids, steps)
    return table


def _nan(table):
    table[40, 1] = np.nan
    return table


def _changing_probability(table):
    table[35, 3] = 0.5
    return table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (_table([1, 1, 2, 2])[:-1], "no multiple of 30"),
        (_table([1, 2], steps=45), "trajectories of .* or 45 steps"),
        (np.concatenate([_table([1], steps=45), _table([2], steps=75)]), "rows 30..59 are not one trajectory"),
        (_table([1, 1, 2, 2, 3, 3, 3]), r"most have 2, but 3 \(3\)"),
        (_table([1, 1, 2, 2, 1, 1]), "forecast twice: 1"),
        (_nan(_table([1, 1, 2, 2])), r"row \d+ of argoverse_forecasting holds .*nan"),
        (_changing_probability(_table([1, 1, 2, 2], columns=4)), "probability changes"),
        (_table([1.5, 1.5]), "not one trajectory of one sequence"),
        (_table([-1, -1]), r"bad\.h5 .*row 0 of argoverse_forecasting holds \[-1"),
        (_table([1e300, 1e300]), "row 0 of argoverse_forecasting"),
        (np.zeros((60, 5)), "must be"),
        (np.zeros((0, 4)), "must be"),
        (np.float64(7), r"must be \(rows, 3\) or \(rows, 4\), it is \(\)"),
    ],
)
def test_argoverse1_refusals(tmp_path, table, message):
    with pytest.raises(ForecastError, match=message):
        read_argoverse1(_h5(tmp_path / "bad.h5", table))


def _driven(steps, modes, weights=None, speed=9.0, scenes=4):
    """Fans of futures from the same place, written as the official writer would if it took another horizon."""
    seconds = 0.1 * np.arange(1, steps + 1)
    blocks = []
    for scene in range(scenes):
        for mode in range(modes):
            way = speed * (1 + 0.1 * mode) * seconds
            angle = scene + 0.1 * mode * seconds
            track = 500.0 * scene + np.stack([way * np.cos(angle), way * np.sin(angle)], axis=1)
            share = [] if weights is None else [np.full((steps, 1), weights[mode])]
            blocks.append(np.concatenate([np.full((steps, 1), scene), track, *share], axis=1))
    return np.concatenate(blocks)


@pytest.mark.parametrize("steps", [15, 45, 60])
@pytest.mark.parametrize("weights", [None, (0.4, 0.2, 0.2, 0.1, 0.06, 0.04), (1 / 6,) * 6, (5, 4, 3, 2, 1, 0.5)])
def test_argoverse1_another_horizon_is_no_other_number_of_modes(tmp_path, steps, weights):
    path = _h5(tmp_path / "long.h5", _driven(steps, 6, weights))
    with pytest.raises(ForecastError, match=rf"long\.h5: .*30 steps .* trajectories of {steps} steps; write the file"):
        read_argoverse1(path)
    whole = read_argoverse1(_h5(tmp_path / "whole.h5", _driven(30, 6, weights)))
    assert whole.positions.shape == (4, 6, 30, 2)


@pytest.mark.parametrize(("steps", "modes"), [(15, 2), (60, 1), (90, 1), (60, 2)])
def test_argoverse1_another_horizon_of_few_modes(tmp_path, steps, modes):
    for weights in (None, (1 / modes,) * modes):
        with pytest.raises(ForecastError, match=f"trajectories of {steps} steps"):
            read_argoverse1(_h5(tmp_path / "few.h5", _driven(steps, modes, weights)))


def test_argoverse1_horizon_of_agents_that_stand(tmp_path):
    """Where nothing moves the sum of probabilities tells; where there is none either, the format's 30 steps hold."""
    with pytest.raises(ForecastError, match="trajectories of 60 steps"):
        read_argoverse1(_h5(tmp_path / "a.h5", _driven(60, 2, (0.5, 0.5), speed=0.01)))
    assert read_argoverse1(_h5(tmp_path / "b.h5", _driven(30, 2, speed=0.01))).positions.shape == (4, 2, 30, 2)


def test_argoverse1_files_that_are_none(tmp_path):
    whole = tmp_path / "whole.h5"
    write_argoverse1(whole, _argoverse1())
    (tmp_path / "cut.h5").write_bytes(whole.read_bytes()[:-2000])
    (tmp_path / "folder.h5").mkdir()
    for name, message in (
        ("cut.h5", "cut.h5 cannot be read as a file of forecasts"),
        ("none.h5", "no file"),
        ("folder.h5", "is a folder"),
    ):
        with pytest.raises(ForecastError, match=message):
            read_argoverse1(tmp_path / name)
    with pytest.raises(ForecastError, match="only 'forecasts'"):
        read_argoverse1(_h5(tmp_path / "other.h5", _table([1]), "forecasts"))


@pytest.mark.parametrize("rows", [10**6, 10**9, 2**40])
def test_argoverse1_rows_that_were_never_written(tmp_path, rows):
    """A thousand bytes that asked for up to 89 GiB."""
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file.create_dataset("argoverse_forecasting", (rows, 4), "f8", chunks=(8192, 1), compression="gzip")
    with pytest.raises(ForecastError, match=r"empty\.h5 .*never written whole"):
        read_argoverse1(tmp_path / "empty.h5")


def test_argoverse1_writer_refuses_what_the_format_cannot_hold(tmp_path):
    with pytest.raises(ForecastError, match="30 steps"):
        write_argoverse1(tmp_path / "x.h5", Forecasts(["1"], None, np.zeros((1, 1, 60, 2)), None))
    with pytest.raises(ForecastError, match="numbered"):
        write_argoverse1(tmp_path / "x.h5", _argoverse1(scenes=("1", "austin")))
    assert not list(tmp_path.iterdir())


def test_argoverse2_round_trip(tmp_path):
    forecasts = _argoverse2()
    write_argoverse2(tmp_path / "val.parquet", forecasts)
    _same(forecasts, read_argoverse2(tmp_path / "val.parquet"))


def test_argoverse2_rows_may_come_in_any_order(tmp_path):
    forecasts = _argoverse2()
    write_argoverse2(tmp_path / "val.parquet", forecasts)
    table = pq.read_table(tmp_path / "val.parquet")
    interleaved = np.arange(18).reshape(3, 6).T.reshape(-1)
    pq.write_table(table.take(pa.array(interleaved)), tmp_path / "mixed.parquet")
    _same(forecasts, read_argoverse2(tmp_path / "mixed.parquet"))


def _spoil(table, spoil):
    columns = table.to_pydict()
    spoil(columns)
    return pa.table(columns)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: c.pop("track_id"), "bad.parquet .*it has no columns track_id; there are: scenario_id"),
        (lambda c: c["predicted_trajectory_x"][3].append(1.0), "must have 60 values, row 3 .scenario a. has 61"),
        (lambda c: c["predicted_trajectory_y"][3].__setitem__(7, float("inf")), "bad.parquet .*not finite: a track 1"),
        (lambda c: c["probability"].__setitem__(2, None), "probability has 1 empty"),
        (lambda c: [values.pop() for values in c.values()], r"most have 6, but b track 1 \(5\)"),
        (lambda c: [values.clear() for values in c.values()], "has no rows|another type"),
        (lambda c: c.__setitem__("predicted_trajectory_x", ["?"] * 18), "another type"),
        (lambda c: c["predicted_trajectory_y"][3].__setitem__(7, None), "predicted_trajectory_y has 1 empty"),
        (lambda c: c["predicted_trajectory_y"][3].__setitem__(7, 1e12), "beyond 1e.08 m: a track 1"),
        (lambda c: c["probability"].__setitem__(2, float("nan")), "a track 1 has a probability that is not finite"),
        (lambda c: c["track_id"].__setitem__(2, None), "track_id has 1 empty"),
    ],
    ids=[
        "column",
        "length",
        "infinite",
        "empty value",
        "modes",
        "no rows",
        "type",
        "empty coordinate",
        "huge",
        "NaN",
        "empty text",
    ],
)
def test_argoverse2_refusals(tmp_path, spoil, message):
    write_argoverse2(tmp_path / "val.parquet", _argoverse2())
    pq.write_table(_spoil(pq.read_table(tmp_path / "val.parquet"), spoil), tmp_path / "bad.parquet")
    with pytest.raises(ForecastError, match=message):
        read_argoverse2(tmp_path / "bad.parquet")


def test_argoverse2_truncated_file(tmp_path):
    write_argoverse2(tmp_path / "val.parquet", _argoverse2())
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "val.parquet").read_bytes()[:-500])
    with pytest.raises(ForecastError, match=r"cut\.parquet is cut off, damaged or not a submission"):
        read_argoverse2(tmp_path / "cut.parquet")


def test_argoverse2_writer_refuses_what_the_format_cannot_hold(tmp_path):
    with pytest.raises(ForecastError, match="60 steps"):
        write_argoverse2(tmp_path / "x.parquet", _argoverse1())
    with pytest.raises(ForecastError, match="names tracks"):
        write_argoverse2(tmp_path / "x.parquet", Forecasts(["a"], None, np.zeros((1, 1, 60, 2)), None))


def test_rows_of_forecasts():
    forecasts = _argoverse2()
    part = forecasts.rows(np.array([2, 0]))
    assert part.keys() == [("b", "1"), ("a", "1")]
    np.testing.assert_array_equal(part.positions, forecasts.positions[[2, 0]])


@pytest.mark.filterwarnings("ignore")  # av2 calls pandas in ways that newer releases warn about
def test_argoverse2_equals_av2_both_ways(tmp_path):
    submission = pytest.importorskip(
        "av2.datasets.motion_forecasting.eval.submission", reason="needs av2: pip install 'geo_lm4ve[motion]'"
    )
    forecasts = _argoverse2()
    forecasts.probabilities[1] = forecasts.probabilities[0]
    write_argoverse2(tmp_path / "ours.parquet", forecasts)
    theirs = submission.ChallengeSubmission.from_parquet(tmp_path / "ours.parquet")
    for row, (scene, track) in enumerate(forecasts.keys()):
        order = np.argsort(-forecasts.probabilities[row], kind="stable")
        p, tracks = theirs.predictions[scene]
        np.testing.assert_array_equal(p, forecasts.probabilities[row, order])
        np.testing.assert_array_equal(tracks[track], forecasts.positions[row, order])
    predictions = {
        "a": (forecasts.probabilities[0], {"1": forecasts.positions[0], "2": forecasts.positions[1]}),
        "b": (forecasts.probabilities[2], {"1": forecasts.positions[2]}),
    }
    submission.ChallengeSubmission(predictions).to_parquet(tmp_path / "theirs.parquet")
    _same(forecasts, read_argoverse2(tmp_path / "theirs.parquet"))
