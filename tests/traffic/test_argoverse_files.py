"""Reading both layouts: what the files say comes out, and every kind of damage is named."""

import json
import re
from datetime import datetime

import numpy as np
import pyarrow.parquet as pq
import pytest
from traffic_files import first

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.argoverse.argoverse1 import Argoverse1Config, Argoverse1Files
from geo_lm4ve.traffic.argoverse.argoverse1_csv import read_sequence
from geo_lm4ve.traffic.argoverse.argoverse1_map import read_drivable_raster, read_vector_map, vector_map_path
from geo_lm4ve.traffic.argoverse.argoverse2 import Argoverse2Config
from geo_lm4ve.traffic.argoverse.argoverse2_map import read_surfaces
from geo_lm4ve.traffic.argoverse.argoverse2_map import read_vector_map as read_json_map
from geo_lm4ve.traffic.argoverse.argoverse2_parquet import read_scenario
from geo_lm4ve.traffic.batch import LANE_EDGES, AgentType, Turn
from geo_lm4ve.traffic.cache.packing import check_map

HEADER = "TIMESTAMP,TRACK_ID,OBJECT_TYPE,X,Y,CITY_NAME"


@pytest.fixture
def csv(av1):
    """One sequence as (path, list of rows)."""
    path = av1 / "train" / "data" / "2.csv"
    return path, path.read_text().splitlines()


@pytest.fixture
def scenario_table(av2):
    """One scenario as (path, table)."""
    path = first(av2 / "train", "scenario_*.parquet")
    return path, pq.read_table(path).to_pydict()


def rewrite(path, lines):
    path.write_text("\n".join(lines) + "\n", errors="surrogateescape")
    return path


def rewrite_table(path, columns):
    import pyarrow as pa

    pq.write_table(pa.table(columns), path)
    return path


def edited(line, cell, value):
    cells = line.split(",")
    cells[cell] = value
    return ",".join(cells)


def of_agent(lines):
    return [number for number, line in enumerate(lines) if ",AGENT," in line]


def test_a_sequence_is_read_as_the_file_has_it(csv):
    path, lines = csv
    recording = read_sequence(path)
    assert (recording.scene_id, recording.city, recording.history) == ("2", "SYN", 20)
    stamps = sorted({float(line.split(",")[0]) for line in lines[1:]})
    for line in lines[1:]:
        stamp, track, role, x, y, _ = line.split(",")
        row, step = recording.track_ids.index(track), stamps.index(float(stamp))
        assert recording.valid[row, step]
        assert recording.positions[row, step].tolist() == [float(x), float(y)]
        assert AgentType(recording.types[row]).name == role.lower()
    assert recording.valid.sum() == len(lines) - 1
    assert recording.types[0] == AgentType.agent
    assert recording.types[recording.ego] == AgentType.av
    np.testing.assert_allclose(recording.times, 0.1 * np.arange(20), atol=1e-6)


def test_motion_is_read_off_the_observed_positions(csv):
    recording = read_sequence(csv[0])
    for row in range(len(recording.track_ids)):
        steps = np.flatnonzero(recording.valid[row, :20])
        if len(steps) < 2:
            assert recording.velocity[row].tolist() == [0, 0]
            continue
        moved = recording.positions[row, steps[-1]] - recording.positions[row, steps[-2]]
        elapsed = recording.times[steps[-1]] - recording.times[steps[-2]]
        np.testing.assert_allclose(recording.velocity[row], moved / elapsed)
    velocity, heading = recording.velocity[0], recording.heading[0]
    if np.linalg.norm(velocity) > 5:
        assert abs(np.arctan2(velocity[1], velocity[0]) - heading) < 0.1


def test_order_of_rows_does_not_matter(csv):
    path, lines = csv
    before = read_sequence(path)
    after = read_sequence(rewrite(path, [lines[0], *reversed(lines[1:])]))
    assert after.track_ids[0] == before.track_ids[0]
    order = [after.track_ids.index(name) for name in before.track_ids]
    assert np.array_equal(after.positions[order], before.positions)


def test_a_sequence_without_future_is_a_test_sequence(csv):
    path, lines = csv
    stamps = sorted({line.split(",")[0] for line in lines[1:]})[:20]
    recording = read_sequence(rewrite(path, [lines[0], *(x for x in lines[1:] if x.split(",")[0] in stamps)]))
    assert recording.future is None
    assert recording.positions.shape[1] == 50
    assert not recording.valid[:, 20:].any()


def test_a_sequence_without_recording_car_is_fine(csv):
    path, lines = csv
    assert read_sequence(rewrite(path, [line for line in lines if ",AV," not in line])).ego == -1


def test_a_sequence_with_300_agents_is_fine(csv):
    path, lines = csv
    more = [
        f"{stamp},extra-{number},OTHERS,{1500 + number}.5,1500.0,SYN"
        for number in range(300) for stamp in sorted({line.split(",")[0] for line in lines[1:]})
    ]  # fmt: skip
    recording = read_sequence(rewrite(path, [*lines, *more]))
    assert len(recording.track_ids) > 300


SPOILED_CSV = {
    "empty": (lambda lines: [], "not a csv file"),
    "header only": (lambda lines: lines[:1], "0 different TIMESTAMPs"),
    "other header": (lambda lines: ["A,B", "1,2"], f"the header must be {HEADER}, it is A,B"),
    "cut in a row": (lambda lines: [*lines[:-30], lines[-30][:25]], "Expected 6 columns"),
    "cut between rows": (lambda lines: lines[: len(lines) // 2], "different TIMESTAMPs; a sequence has 50 steps"),
    "a frame missing": (
        lambda lines: [line for line in lines if line.split(",")[0] != lines[40].split(",")[0]],
        "49 different TIMESTAMPs",
    ),
    "agent misses a step": (
        lambda lines: [line for i, line in enumerate(lines) if i != of_agent(lines)[5]],
        "the AGENT lacks 1 of its 20 observed steps",
    ),
    "agent misses a future step": (
        lambda lines: [line for i, line in enumerate(lines) if i != of_agent(lines)[35]],
        "the AGENT lacks 1 of its 30 future steps",
    ),
    "no AGENT": (lambda lines: [line.replace(",AGENT,", ",OTHERS,") for line in lines], "exactly one AGENT .* has 0"),
    "two AGENTs": (lambda lines: [line.replace(",AV,", ",AGENT,") for line in lines], "exactly one AGENT .* has 2"),
    "two AVs": (lambda lines: [line.replace(",OTHERS,", ",AV,") for line in lines], "at most one AV"),
    "a track of two types": (
        lambda lines: [edited(x, 2, "OTHERS") if i == of_agent(lines)[3] else x for i, x in enumerate(lines)],
        "rows of different OBJECT_TYPEs",
    ),
    "unknown type": (
        lambda lines: [line.replace(",OTHERS,", ",TRAM,") for line in lines],
        "unknown OBJECT_TYPE 'TRAM'; known: AGENT, AV, OTHERS",
    ),
    "NaN": (lambda lines: [*lines[:7], edited(lines[7], 3, "nan"), *lines[8:]], r"data row 7 has the position \[nan"),
    "infinite": (lambda lines: [*lines[:7], edited(lines[7], 4, "inf"), *lines[8:]], "positions must be finite"),
    "no number": (lambda lines: [*lines[:7], edited(lines[7], 4, "north"), *lines[8:]], "not a csv file .*north"),
    "missing number": (lambda lines: [*lines[:7], edited(lines[7], 3, ""), *lines[8:]], "positions must be finite"),
    "a row twice": (lambda lines: [*lines, lines[-1]], "1 rows repeat the step of a track"),
    "two cities": (lambda lines: [*lines[:-1], edited(lines[-1], 5, "PIT")], "one city, this file names"),
    "beyond the Earth": (
        lambda lines: [*lines[:7], edited(lines[7], 3, "1e12"), *lines[8:]],
        "positions must be finite",
    ),
    "another time": (
        lambda lines: [edited(x, 0, "7") if x.split(",")[0] == lines[-1].split(",")[0] else x for x in lines],
        "TIMESTAMPs are 0.1 to .* s apart",
    ),
    "not UTF-8": (lambda lines: [*lines[:-1], edited(lines[-1], 1, "\udcff")], "not a csv file"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILED_CSV.values(), ids=SPOILED_CSV.keys())
def test_damaged_sequences_are_named_with_the_reason(csv, spoil, words):
    path, lines = csv
    with pytest.raises(DataError, match=rf"2\.csv.*{words}"):
        read_sequence(rewrite(path, spoil(lines)) if spoil(lines) else rewrite(path, []))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"77\.csv is missing; get it again"):
        read_sequence(tmp_path / "77.csv")


def test_maps_of_other_cities_are_named(csv, av1):
    path, lines = csv
    files = Argoverse1Files(path.parent, av1 / "map_files")
    rewrite(path, [line.replace(",SYN", ",LAX") for line in lines])
    with pytest.raises(DataError, match=r"2\.csv: there is no map of the city 'LAX' in .*only of SYN"):
        files.scene(path)


def test_a_map_of_another_place_is_found_out(csv, av1):
    path, lines = csv
    moved = [lines[0], *(edited(line, 3, str(float(line.split(",")[3]) + 5000)) for line in lines[1:])]
    scene = Argoverse1Files(path.parent, av1 / "map_files").scene(rewrite(path, moved))
    with pytest.raises(DataError, match=r"scene 2: no lane of .*SYN.* within 200 m .*map of another place"):
        check_map(scene)


def test_a_town_comes_back_from_its_xml(av1):
    lanes = read_vector_map(vector_map_path(av1 / "map_files", "SYN"))
    assert len(lanes) == 392
    assert lanes.dangling == 0
    assert set(lanes.attributes[:, 0]) == set(Turn)
    assert set(lanes.links[:, 2]) == set(range(len(LANE_EDGES)))
    successors = {(source, target) for source, target, kind in lanes.links.tolist() if kind == 0}
    predecessors = {(target, source) for source, target, kind in lanes.links.tolist() if kind == 1}
    assert successors == predecessors


SPOILED_XML = {
    "cut": (lambda text: text[: len(text) // 2], "is cut off, damaged or not an Argoverse 1 vector map"),
    "not a map": (lambda text: "<html></html>", "holds no lanes"),
    "unknown node": (lambda text: text.replace('<nd ref="5" />', '<nd ref="999999" />'), "999999"),
    "unknown turn": (lambda text: text.replace('v="LEFT"', 'v="UP"', 1), "UP"),
    "no number": (lambda text: text.replace(' x="', ' x="east', 1), "not an Argoverse 1 vector map"),
    "no tag": (lambda text: text.replace('k="is_intersection"', 'k="other"', 1), "not an Argoverse 1 vector map"),
    "same id": (lambda text: text.replace('lane_id="9000001"', 'lane_id="9000000"'), "two lanes share one id"),
    "NaN": (lambda text: text.replace(' x="', ' x="nan" old="', 1), "at least two finite points"),
    "beyond the Earth": (lambda text: text.replace(' x="', ' x="1e12" old="', 1), "at least two finite points"),
    "digits that Python takes": (lambda text: text.replace(' x="', ' x="1_0" old="', 1), "'1_0' is no number"),
    "an id of 100 bits": (lambda text: text.replace('lane_id="9000001"', f'lane_id="{10**30}"'), "more than 64 bits"),
    "no encoding": (lambda text: text.replace("UTF-8", "foo"), "vector map"),
    "a node twice": (lambda text: text.replace('<node id="1"', '<node id="0"'), "two nodes have the id '0'"),
    "two turns": (
        lambda text: text.replace('k="is_intersection"', 'k="turn_direction"', 1),
        "turn_direction of a lane",
    ),
    "one point": (lambda text: re.sub(r"(<nd [^>]*>\s*)+(<nd [^>]*>)", r"\2", text, count=1), "at least two finite"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILED_XML.values(), ids=SPOILED_XML.keys())
def test_damaged_city_maps_are_named_with_the_reason(av1, spoil, words):
    path = vector_map_path(av1 / "map_files", "SYN")
    path.write_text(spoil(path.read_text()))
    with pytest.raises(DataError, match=rf"vector_map\.xml.*{words}"):
        read_vector_map(path)


def test_the_raster_answers_by_the_official_rule(tmp_path):
    """Rounded to metres, moved, truncated; row 0 and column 0 count as outside."""
    pixels = np.zeros((20, 30))
    pixels[0, :] = pixels[:, 0] = pixels[4, 7] = 1
    np.save(tmp_path / "PIT_10314_driveable_area_mat_2019_05_28.npy", pixels)
    to_image = np.array([[1, 0, -100.0], [0, 1, -50.0], [0, 0, 1]])
    np.save(tmp_path / "PIT_10314_npyimage_to_city_se2_2019_05_28.npy", to_image)
    raster = read_drivable_raster(tmp_path, "PIT")
    points = np.array([[107.4, 54.4], [106.6, 53.6], [107.6, 54.0], [107.0, 50.0], [100.0, 54.0], [9000.0, 54.0]])
    assert raster.contains(points).tolist() == [True, True, False, False, False, False]
    assert raster.contains(points.reshape(3, 2, 2)).shape == (3, 2)
    assert read_drivable_raster(tmp_path, "MIA") is None


def write_rasters(folder, pixels, to_image):
    np.save(folder / "PIT_10314_driveable_area_mat_2019_05_28.npy", pixels)
    np.save(folder / "PIT_10314_npyimage_to_city_se2_2019_05_28.npy", to_image)


def test_a_damaged_raster_is_named(tmp_path):
    (tmp_path / "PIT_10314_driveable_area_mat_2019_05_28.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "PIT_10314_npyimage_to_city_se2_2019_05_28.npy").write_bytes(b"")
    with pytest.raises(DataError, match=r"driveable_area_mat.*damaged"):
        read_drivable_raster(tmp_path, "PIT")


@pytest.mark.parametrize(
    ("pixels", "to_image", "words"),
    [
        (np.ones((2, 2)), np.full((3, 3), np.nan), r"npyimage_to_city.*3x3 finite numbers"),
        (np.ones((2, 2)), np.diag([2.0, 1.0, 1.0]), r"npyimage_to_city.*a rotation and a shift"),
        (np.ones((2, 2)), np.eye(4), r"npyimage_to_city.*3x3 finite numbers"),
        (np.ones(4), np.eye(3), r"driveable_area_mat.*rows and columns"),
        (np.array([["a"]]), np.eye(3), r"driveable_area_mat.*not integers or floating"),
    ],
    ids=["NaN", "stretched", "4x4", "1D", "texts"],
)
def test_rasters_that_say_something_else_are_named(tmp_path, pixels, to_image, words):
    write_rasters(tmp_path, pixels, to_image)
    with pytest.raises(DataError, match=words):
        read_drivable_raster(tmp_path, "PIT")


def test_positions_far_off_a_raster_are_outside(tmp_path):
    """As whole numbers they would not fit into 64 bits."""
    write_rasters(tmp_path, np.ones((5, 5)), np.eye(3))
    raster = read_drivable_raster(tmp_path, "PIT")
    assert raster.contains(np.array([[1e300, 2.0], [2.0, -1e300], [np.nan, 2.0], [2.0, 2.0]])).tolist() == [
        False, False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize("city", ["*", "?YN", "[S]YN", "../map_files/SYN", "SYN/..", "", "/", "**", "SYN\0", "{city}"])
def test_a_city_is_no_pattern(av1, city):
    """``*`` used to find the map of another city, ``/`` ended in NotImplementedError."""
    folder = av1 / "map_files"
    with pytest.raises(DataError, match="there is no map of the city"):
        vector_map_path(folder, city)
    assert read_drivable_raster(folder, city) is None


def test_a_scenario_is_read_as_the_file_has_it(scenario_table):
    path, table = scenario_table
    recording = read_scenario(path)
    assert recording.scene_id == path.parent.name
    assert recording.track_ids[0] == table["focal_track_id"][0]
    assert recording.track_ids[recording.ego] == "AV"
    for row, track in enumerate(table["track_id"]):
        number, step = recording.track_ids.index(track), table["timestep"][row]
        assert recording.valid[number, step]
        assert recording.positions[number, step].tolist() == [table["position_x"][row], table["position_y"][row]]
        assert AgentType(recording.types[number]).name == table["object_type"][row]
        assert recording.categories[number] == table["object_category"][row]
        if step == max(np.flatnonzero(recording.valid[number, :50]), default=-1):
            assert recording.heading[number] == table["heading"][row]
            assert recording.velocity[number].tolist() == [table["velocity_x"][row], table["velocity_y"][row]]
    assert recording.valid.sum() == len(table["track_id"])


def test_a_scenario_without_future_is_a_test_scenario(scenario_table):
    path, table = scenario_table
    keep = [step < 50 for step in table["timestep"]]
    short = {name: [value for value, kept in zip(values, keep) if kept] for name, values in table.items()}
    assert read_scenario(rewrite_table(path, short)).future is None


def changed(table, name, row, value):
    return {**table, name: [*table[name][:row], value, *table[name][row + 1 :]]}


def without(table, row):
    return {name: values[:row] + values[row + 1 :] for name, values in table.items()}


def focal_row(table, step):
    return next(
        row for row, track in enumerate(table["track_id"])
        if track == table["focal_track_id"][0] and table["timestep"][row] == step
    )  # fmt: skip


SPOILED_PARQUET = {
    "no focal track": (lambda t: {**t, "focal_track_id": ["7"] * len(t["city"])}, "focal track '7' has no rows"),
    "two focal tracks": (lambda t: changed(t, "focal_track_id", 3, "7"), "focal_track_id must be the same"),
    "two cities": (lambda t: changed(t, "city", 3, "austin"), "city must be the same in all rows"),
    "focal lacks a step": (lambda t: without(t, focal_row(t, 12)), "lacks 1 of its 50 observed steps"),
    "focal lacks a future step": (lambda t: without(t, focal_row(t, 80)), "lacks 1 of its 60 future steps"),
    "unknown type": (lambda t: {**t, "object_type": ["tram"] * len(t["city"])}, "unknown object_type 'tram'; known: "),
    "unknown category": (lambda t: changed(t, "object_category", 0, 9), "object_category must lie in 0..3"),
    "type changes": (lambda t: changed(t, "object_type", 0, "bus"), "rows of different object_type"),
    "NaN position": (lambda t: changed(t, "position_x", 4, float("nan")), "data row 5 has a position, heading or"),
    "NaN heading": (lambda t: changed(t, "heading", 4, float("nan")), "not finite"),
    "time out of range": (lambda t: changed(t, "timestep", 0, 110), "timesteps must lie in 0..109"),
    "a row twice": (lambda t: changed(t, "timestep", focal_row(t, 3), 4), "repeat the step"),
    "no heading": (lambda t: {k: v for k, v in t.items() if k != "heading"}, "heading"),
    "no rows": (lambda t: {k: v[:0] for k, v in t.items()}, "another type|not a scenario"),
    "null text": (lambda t: changed(t, "city", 4, None), "column city has 1 empty values"),
    "null step": (lambda t: changed(t, "timestep", 4, None), "column timestep has 1 empty values"),
    "beyond the Earth": (lambda t: changed(t, "position_x", 4, 1e12), "data row 5 has a position"),
    "numbers as texts": (lambda t: {**t, "heading": [str(x) for x in t["heading"]]}, "heading is of another type: str"),
    "times": (
        lambda t: {**t, "timestep": [datetime(1970, 1, 1)] * len(t["city"])},
        "timestep is of another type: time",
    ),
    "nested": (lambda t: {**t, "heading": [[x] for x in t["heading"]]}, "heading is of another type: list"),
    "another scenario": (lambda t: {**t, "scenario_id": ["../x"] * len(t["city"])}, r"holds the scenario '../x'"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILED_PARQUET.values(), ids=SPOILED_PARQUET.keys())
def test_damaged_scenarios_are_named_with_the_reason(scenario_table, spoil, words):
    path, table = scenario_table
    with pytest.raises(DataError, match=rf"scenario_.*parquet.*({words})"):
        read_scenario(rewrite_table(path, spoil(table)))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_parquet_file_that_is_cut_off_is_named(scenario_table, share):
    path, _ = scenario_table
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match=r"scenario_.*parquet is cut off"):
        read_scenario(path)


SPOILED_JSON = {
    "cut": (lambda text: text[: len(text) // 2], "is cut off, damaged or not a map of Argoverse 2"),
    "list": (lambda text: "[]", "a list of 0, not a JSON object"),
    "no lanes": (lambda text: "{}", "lane_segments"),
    "lanes in a list": (lambda text: '{"lane_segments": []}', "lane_segments is a list of 0, not a mapping"),
    "a text for a number": (lambda text: re.sub(r'"x": [-.0-9]+', '"x": "1.5"', text, count=1), "that are no numbers"),
    "null": (lambda text: re.sub(r'"x": [-.0-9]+', '"x": null', text, count=1), "coordinates that are no numbers"),
    "NaN": (lambda text: re.sub(r'"x": [-.0-9]+', '"x": NaN', text, count=1), "at least 2 finite points"),
    "an id of 100 bits": (lambda text: re.sub(r'"id": \d+', f'"id": {10**30}', text, count=1), r"\.id is 10+, not"),
    "a text for a truth value": (
        lambda text: re.sub('"is_intersection": [a-z]+', '"is_intersection": "false"', text, count=1),
        "is_intersection is neither true nor false",
    ),
    "a link that is no id": (lambda text: re.sub(r'"successors": \[[^]]*\]', '"successors": [null]', text, count=1),
        "successors holds something else than ids"),
    "too deep": (lambda text: "[" * 100_000, "nested too deep"),
    "no centreline": (lambda text: text.replace('"centerline"', '"middle"', 1), "centerline"),
    "unknown lane type": (lambda text: text.replace('"VEHICLE"', '"TRAM"', 1), "TRAM"),
    "one point": (
        lambda text: json.dumps({"lane_segments": {"1": {
            "id": 1, "centerline": [{"x": 0, "y": 0, "z": 0}], "is_intersection": False, "lane_type": "VEHICLE",
            "successors": [], "predecessors": [], "left_neighbor_id": None, "right_neighbor_id": None,
        }}}),
        "at least 2 finite points",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "words"), SPOILED_JSON.values(), ids=SPOILED_JSON.keys())
def test_damaged_scenario_maps_are_named_with_the_reason(av2, spoil, words):
    path = first(av2 / "train", "log_map_archive_*.json")
    path.write_text(spoil(path.read_text()))
    with pytest.raises(DataError, match=rf"log_map_archive_.*{words}"):
        read_json_map(path)


def test_a_map_without_any_lanes_is_tolerated(av2, tmp_path):
    for path in (av2 / "train").rglob("*.json"):
        path.write_text('{"lane_segments": {}, "drivable_areas": {}, "pedestrian_crossings": {}}')
    config = Argoverse2Config(root=str(av2), cache=str(tmp_path))
    batch = next(iter(config.build().loader("train", batch_size=7, train=False, seed=0).batches(0)))
    assert len(batch) == 7
    assert batch.graph["lane"].points.shape == (0, 2, 2)


def test_links_that_leave_the_map_are_counted(av2):
    lanes = read_json_map(first(av2 / "train", "log_map_archive_*.json"))
    assert lanes.dangling > 0
    assert lanes.links[:, :2].max() < len(lanes)


def test_drivable_area_by_the_even_odd_rule(av2):
    path = first(av2 / "train", "log_map_archive_*.json")
    surfaces, lanes = read_surfaces(path), read_json_map(path)
    assert surfaces.contains(lanes.points).mean() > 0.95  # outermost points lie on the outline
    assert not surfaces.contains(lanes.points + 500.0).any()
    square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    notched = type(surfaces)([np.insert(square, 1, [[2.0, 3.0]], axis=0)], [], [])
    points = np.array([[[2.0, 3.5], [2.0, 1.0]], [[3.9, 3.9], [5.0, 2.0]]])
    assert notched.contains(points).tolist() == [[True, False], [True, False]]


def test_own_files_are_read_without_the_data_set(made_av1, made_av2, tmp_path):
    sequence = made_av1 / "val" / "data" / "1.csv"
    batch = Argoverse1Config(root=str(tmp_path)).read([sequence, sequence])
    assert batch.scene_id == ["1", "1"]
    path = first(made_av2 / "val", "scenario_*.parquet")
    for given in (path, path.parent):
        assert Argoverse2Config(root=str(tmp_path)).read([given]).scene_id == [path.parent.name]


def test_own_files_without_a_map_say_what_is_missing(made_av1, made_av2, tmp_path):
    alone = tmp_path / "1.csv"
    alone.write_text((made_av1 / "val" / "data" / "1.csv").read_text())
    with pytest.raises(DataError, match=r"no map_files folder above it or in data\.root=.*; set data\.root="):
        Argoverse1Config(root=str(tmp_path)).read([alone])
    (tmp_path / "map_files").mkdir()
    with pytest.raises(DataError, match=r"no map of its city .* in .*map_files; set data\.root="):
        Argoverse1Config(root=str(tmp_path)).read([alone])
    with pytest.raises(DataError, match=r"is not a scenario: expected <id>/scenario_<id>\.parquet"):
        Argoverse2Config(root=str(tmp_path)).read([alone])


def test_sequences_are_in_numeric_order(av1):
    folder = av1 / "train" / "data"
    (folder / "10.csv").write_text((folder / "1.csv").read_text())
    names = [path.stem for path in Argoverse1Files(folder, None).items]
    assert names == [str(number) for number in [1, 2, 3, 4, 5, 6, 7, 10]]
