import filecmp
import json
from collections import Counter

import numpy as np
import pytest
from room_oracle import Oracle

from geo_lm4ve.geometry.solids.mesh import Mesh, box
from geo_lm4ve.indoor.objects import CLASSES
from geo_lm4ve.indoor.synthetic.furnish import CLEAR, furnish
from geo_lm4ve.indoor.synthetic.kinds import KINDS
from geo_lm4ve.indoor.synthetic.palette import COLORS
from geo_lm4ve.indoor.synthetic.plan import gaps
from geo_lm4ve.indoor.synthetic.refine import refine
from geo_lm4ve.indoor.synthetic.rooms import RoomsRecipe, make_room, scan_name, scan_room
from geo_lm4ve.indoor.synthetic.scan import shell
from geo_lm4ve.indoor.synthetic.write import write_rooms

RECIPE = RoomsRecipe(train=2, val=1, test=1, seed=5, vertices=4000, questions=4)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rooms")
    write_rooms(folder, RECIPE)
    return folder


@pytest.fixture(scope="module")
def plans():
    return [furnish(np.random.default_rng(seed)) for seed in range(25)]


def files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_the_same_recipe_gives_the_same_bytes_and_other_seeds_other_ones(root, tmp_path):
    write_rooms(tmp_path / "same", RECIPE)
    assert files(root) == files(tmp_path / "same")
    assert filecmp.cmpfiles(root, tmp_path / "same", files(root), shallow=False)[1:] == ([], [])
    other = make_room(RoomsRecipe(seed=6), "train", 0)
    assert [thing.name for thing in other.plan.things] != [
        thing.name for thing in make_room(RECIPE, "train", 0).plan.things
    ]


def test_a_room_depends_on_its_number_alone(root, tmp_path):
    write_rooms(tmp_path, RoomsRecipe(train=0, val=1, test=0, seed=5, vertices=4000, questions=4))
    there = files(tmp_path / "scans")
    assert len(there) == 4
    assert filecmp.cmpfiles(root / "scans", tmp_path / "scans", there, shallow=False)[1:] == ([], [])
    assert filecmp.cmp(root / "qa/ScanQA_v1.0_val.json", tmp_path / "qa/ScanQA_v1.0_val.json", shallow=False)


def test_splits_have_scans_of_their_own(root):
    names = [(root / f"meta_data/scannetv2_{split}.txt").read_text().split() for split in ("train", "val", "test")]
    assert names == [["scene9000_00", "scene9001_00"], ["scene8000_00"], ["scene7000_00"]]
    assert sorted(name for split in names for name in split) == sorted(
        folder.name for folder in (root / "scans").iterdir()
    )
    assert len({scan_name("train", number) for number in range(3000)}) == 3000


def test_every_vertex_belongs_to_one_object_of_several_segments(root):
    for folder in (root / "scans").iterdir():
        oracle = Oracle(folder)
        assert (oracle.owners == 1).all()
        assert 0.8 * RECIPE.vertices < len(oracle.raw) <= RECIPE.vertices
        assert oracle.faces.min() == 0
        assert len(np.unique(oracle.faces)) == len(oracle.raw)
        counts = [len(group["segments"]) for group in oracle.groups]
        assert np.median(counts) > 3
        assert [group["objectId"] for group in oracle.groups] == list(range(len(counts)))
        labels = Counter(group["label"] for group in oracle.groups)
        assert (labels["wall"], labels["floor"]) == (4, 1)


def test_the_alignment_makes_walls_follow_the_axes(root):
    for folder in (root / "scans").iterdir():
        oracle = Oracle(folder)
        turn = oracle.alignment[:3, :3]
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=2e-6)
        assert oracle.alignment[3].tolist() == [0, 0, 0, 1]
        assert np.abs(turn[0, 1]) > 0.05  # else nobody would notice that it was left out
        walls = [one for one in oracle.objects.values() if one.name == "wall"]
        assert all(min((wall.high - wall.low)[:2]) < 0.05 for wall in walls)
        (floor,) = (one for one in oracle.objects.values() if one.name == "floor")
        assert abs(floor.center[2]) < 0.01


def test_scanned_objects_are_the_planned_ones():
    made = make_room(RECIPE, "train", 1)
    scan = scan_room(RECIPE, "train", 1, made.plan)
    points = scan.vertices @ scan.alignment[:3, :3].T + scan.alignment[:3, 3]
    for row, (label, planned) in enumerate(zip(scan.labels, scan.rows)):
        if planned < 0:
            continue
        thing, mine = made.plan.things[planned], scan.objects == row
        assert thing.name == label
        np.testing.assert_allclose(points[mine].min(0), thing.low, atol=0.03)
        np.testing.assert_allclose(points[mine].max(0), thing.high, atol=0.03)
        assert np.abs(scan.colors[mine].mean(0) - COLORS[thing.color]).max() < 15


def test_the_table_of_categories_has_all_labels(root):
    head, *lines = (line.split("\t") for line in (root / "scannetv2-labels.combined.tsv").read_text().splitlines())
    table = {line[head.index("raw_category")]: int(line[head.index("nyu40id")]) for line in lines}
    assert set(table) == {"wall", "floor", *KINDS}
    assert all(1 <= number <= 40 for number in table.values())
    assert len(set(KINDS) & set(CLASSES)) >= 16


def test_questions_say_that_they_are_made_up(root):
    assert json.loads((root / "qa/manifest.json").read_text())["synthetic"] is True


def test_things_keep_clear_of_each_other_and_stay_inside(plans):
    for plan in plans:
        half = np.array([*plan.size[:2], 2 * plan.size[2]]) / 2
        for row, one in enumerate(plan.things):
            assert (one.low >= [-half[0], -half[1], 0]).all()
            assert (one.high <= half).all(), one.name
            for other in plan.things[row + 1 :]:
                apart = np.maximum(one.low - other.high, other.low - one.high)
                assert apart.max() > -1e-9, (one.name, other.name)
                if one.support < 0 and other.support < 0:
                    assert apart.max() > CLEAR - 1e-9


def test_small_things_stand_on_what_holds_them(plans):
    found = 0
    for plan in plans:
        for thing in plan.things:
            if thing.support >= 0:
                below = plan.things[thing.support]
                assert KINDS[below.name].holds
                assert thing.low[2] == pytest.approx(below.high[2])
                assert (thing.low[:2] >= below.low[:2]).all()
                assert (thing.high[:2] <= below.high[:2]).all()
                found += 1
    assert found > 20


def test_backs_are_to_the_wall(plans):
    for plan in plans:
        for thing in plan.things:
            if KINDS[thing.name].place in ("wall", "hung"):
                axis = int(np.abs(thing.facing).argmax())
                back = thing.low[axis] if thing.facing[axis] > 0 else thing.high[axis]
                assert abs(back + np.sign(thing.facing[axis]) * plan.size[axis] / 2) < 0.05, thing.name


def test_gaps_are_horizontal():
    low, high = np.array([[0.0, 0, 0], [3, 4, 9]]), np.array([[1.0, 1, 1], [5, 6, 10]])
    assert gaps(low, high, low, high).tolist() == [[0, np.hypot(2, 3)], [np.hypot(2, 3), 0]]


def area(vertices, faces):
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def test_cutting_keeps_the_surface_and_the_owner():
    meshes = [box(1, 2, 0.5), box(0.2, 0.2, 0.2).moved(x=3)]
    vertices, faces, owner = refine(meshes, [1.0, 0.5], 900)
    assert 700 < len(vertices) <= 900
    for row, mesh in enumerate(meshes):
        mine = owner[faces[:, 0]] == row
        assert (owner[faces[mine]] == row).all()
        assert area(vertices, faces[mine]) == pytest.approx(area(mesh.vertices, mesh.faces))
    edges = np.linalg.norm(vertices[faces] - np.roll(vertices[faces], 1, axis=1), axis=2)
    first, longest = owner[faces[:, 0]] == 0, edges.max(1)
    assert longest[first].max() < 2.6 * longest[first].min()
    assert longest[~first].max() < 0.6 * longest[first].max()


def test_too_few_vertices_are_refused():
    with pytest.raises(ValueError, match="7 vertices are too few: the surfaces alone have 8"):
        refine([box(1, 1, 1)], [1.0], 7)


def test_triangles_without_area_are_left_out():
    flat = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]]), np.array([[0, 1, 2], [0, 2, 3]]))
    vertices, faces, _ = refine([flat], [1.0], 50)
    assert len(faces) > 10
    assert min(area(vertices, faces[row : row + 1]) for row in range(len(faces))) > 1e-4


def test_what_no_room_has_place_for_is_drawn_anew():
    """Of this number, the first draw has more small things than its only table holds."""
    plan = make_room(RoomsRecipe(seed=11), "train", 11).plan
    assert max(plan.size) < 10


def test_walls_face_the_room_and_the_floor_faces_up():
    for mesh, towards in zip(shell((4.0, 3.0, 2.5)), [(0, 1, 0), (-1, 0, 0), (0, -1, 0), (1, 0, 0), (0, 0, 1)]):
        a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
        normals = np.cross(b - a, c - a)
        assert np.allclose(normals / np.linalg.norm(normals, axis=1, keepdims=True), towards)
