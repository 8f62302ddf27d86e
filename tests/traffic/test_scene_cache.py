import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from traffic_files import first

from geo_lm4ve.files import checksum
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.traffic.argoverse.argoverse1 import Argoverse1Config, Argoverse1Files
from geo_lm4ve.traffic.argoverse.argoverse2 import Argoverse2Config
from geo_lm4ve.traffic.batch import LANE_EDGES
from geo_lm4ve.traffic.cache import build as scene_cache_build
from geo_lm4ve.traffic.cache.build import build_cache
from geo_lm4ve.traffic.cache.contents import Steps
from geo_lm4ve.traffic.cache.pack import decode_texts, encode_texts, ragged, unpack_bits
from geo_lm4ve.traffic.cache.shards import KEEP, MANIFEST, ShardRecord, Shards, read_cache_manifest, read_shard
from geo_lm4ve.traffic.view.assembly import assemble
from geo_lm4ve.traffic.view.conventions import SceneView


@pytest.fixture
def small_shards(monkeypatch):
    """Three scenes to a shard."""
    monkeypatch.setattr(scene_cache_build, "SHARD", 3)


def files_of(root, split="train"):
    return Argoverse1Config(root=str(root)).files(split)


def test_ragged_gathers_rows_of_any_length():
    ptr = torch.tensor([0, 3, 3, 5, 9])
    items, lengths = ragged(ptr, torch.tensor([3, 1, 0]))
    assert items.tolist() == [5, 6, 7, 8, 0, 1, 2]
    assert lengths.tolist() == [4, 0, 3]
    assert ragged(ptr, torch.tensor([], dtype=torch.long))[0].tolist() == []


def test_texts_and_bits_come_back():
    texts = ["PIT", "", "Zürich", "a" * 40]
    assert decode_texts(*encode_texts(texts), [2, 0, 1, 3]) == ["Zürich", "PIT", "", "a" * 40]
    assert unpack_bits(torch.tensor([[5, 128]], dtype=torch.uint8)).nonzero()[:, 1].tolist() == [0, 2, 15]


@pytest.mark.parametrize("layout", [Argoverse1Config, Argoverse2Config], ids=["av1", "av2"])
def test_the_cache_is_small_plain_and_complete(layout, request, tmp_path):
    root = request.getfixturevalue("made_av1" if layout is Argoverse1Config else "made_av2")
    manifest = build_cache(layout(root=str(root)).files("train"), tmp_path)
    assert manifest.scenes == 7
    assert manifest.bytes_per_scene < 35_000  # seven scenes share one table of lanes; real scenes: test_argoverse_real
    assert read_cache_manifest(tmp_path) == manifest
    arrays = load_file(tmp_path / manifest.shards[0].file)
    assert all(isinstance(array, torch.Tensor) for array in arrays.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".geo_lm4ve_cache.json", "manifest.json", "report.json", "shard-00000.json", "shard-00000.safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["shard-00000.tar", "shard-00000.safetensors", "report.json", "shard-00000.json"])
def test_a_folder_of_the_user_holds_no_cache(made_av1, tmp_path, name):
    (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(DataError, match=rf"not generated here: {name}\..*set data.cache to another folder"):
        build_cache(files_of(made_av1), tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: '{"mine": 1}'}


@pytest.mark.parametrize("left", ["manifest.json", "shard-00000.json"])
def test_a_cache_from_before_there_were_markers_is_ours(made_av1, tmp_path, left):
    build_cache(files_of(made_av1), tmp_path)
    for path in tmp_path.iterdir():
        if path.name != left:
            path.unlink()
    stale = json.loads((tmp_path / left).read_text())
    (tmp_path / left).write_text(json.dumps({**stale, "key": "of other files"}))
    assert build_cache(files_of(made_av1), tmp_path).scenes == 7


def test_scenes_are_cut_into_shards_in_their_order(made_av1, tmp_path, small_shards):
    manifest = build_cache(files_of(made_av1), tmp_path)
    assert [shard.scenes for shard in manifest.shards] == [3, 3, 1]
    shards = Shards(tmp_path, manifest)
    names = []
    for number in range(3):
        pack = shards.pack(number)
        names += decode_texts(pack.scene_id, pack.scene_id_ptr, torch.arange(len(pack)))
    assert names == [str(number) for number in range(1, 8)]


@pytest.mark.slow
def test_worker_processes_do_the_same_work(made_av1, tmp_path):
    """600 copies of the scenes make two shards, each built by its own process."""
    folder = tmp_path / "train" / "data"
    folder.mkdir(parents=True)
    sources = sorted((made_av1 / "train" / "data").iterdir())
    for number in range(600):
        (folder / f"{number}.csv").symlink_to(sources[number % len(sources)])
    files = Argoverse1Files(folder, made_av1 / "map_files")
    one, two = build_cache(files, tmp_path / "one"), build_cache(files, tmp_path / "two", workers=2)
    assert [shard.sha256 for shard in one.shards] == [shard.sha256 for shard in two.shards]
    assert one.scenes == 600


def test_an_interrupted_build_goes_on_where_it_stopped(made_av1, tmp_path, small_shards, monkeypatch):
    files, real, built = files_of(made_av1), scene_cache_build.build_shard, []

    def stop_at_the_second(files, folder, key, start):
        if start == 3:
            raise KeyboardInterrupt
        return real(files, folder, key, start)

    monkeypatch.setattr(scene_cache_build, "build_shard", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        build_cache(files, tmp_path)
    assert read_cache_manifest(tmp_path) is None
    monkeypatch.setattr(scene_cache_build, "build_shard", lambda *a: built.append(a[-1]) or real(*a))
    manifest = build_cache(files, tmp_path)
    assert built == [3, 6]
    assert manifest == build_cache(files, tmp_path / "at once")


def test_changed_files_are_cached_anew(av1, tmp_path, small_shards):
    folder = tmp_path / "cache"
    before = build_cache(files_of(av1), folder)
    (av1 / "train" / "data" / "7.csv").unlink()
    after = build_cache(files_of(av1), folder)
    assert (before.scenes, after.scenes) == (7, 6)
    assert before.key != after.key
    assert sorted(path.name for path in folder.glob("*.safetensors")) == [shard.file for shard in after.shards]


def test_dropped_scenes_are_counted_and_named(av1, tmp_path, small_shards, capsys):
    (av1 / "train" / "data" / "3.csv").write_text("TIMESTAMP,TRACK_ID\n1,2\n")
    manifest = build_cache(files_of(av1), tmp_path / "cache", max_dropped=0.2)
    assert manifest.scenes == 6
    report = json.loads((tmp_path / "cache" / "report.json").read_text())
    assert [entry["scene"] for entry in report["dropped"]] == ["3.csv"]
    assert "the header must be TIMESTAMP,TRACK_ID" in report["dropped"][0]["reason"]
    assert "1 of 7 scenes dropped" in capsys.readouterr().err


def test_too_many_dropped_scenes_are_an_error_that_a_larger_limit_lifts(av1, tmp_path):
    (av1 / "train" / "data" / "3.csv").write_text("")
    with pytest.raises(DataError, match=r"1 of 7 scenes .* cannot be read, more than the 1.0% that data.max_dropped"):
        build_cache(files_of(av1), tmp_path / "cache")
    assert read_cache_manifest(tmp_path / "cache") is None
    assert build_cache(files_of(av1), tmp_path / "cache", max_dropped=0.2).scenes == 6


def test_a_shard_of_nothing_but_bad_scenes_is_no_trouble(av1, tmp_path, small_shards):
    for number in (1, 2, 3):
        (av1 / "train" / "data" / f"{number}.csv").write_text("")
    manifest = build_cache(files_of(av1), tmp_path / "cache", max_dropped=0.5)
    assert [shard.scenes for shard in manifest.shards] == [0, 3, 1]
    assert Shards(tmp_path / "cache", manifest).sizes == [3, 1]


@pytest.mark.parametrize("harm", ["flip", "cut", "delete"])
def test_damaged_shards_are_found(made_av1, tmp_path, harm):
    manifest = build_cache(files_of(made_av1), tmp_path)
    path = tmp_path / manifest.shards[0].file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    {
        "flip": lambda: path.write_bytes(content),
        "cut": lambda: path.write_bytes(content[: len(content) // 2]),
        "delete": path.unlink,
    }[harm]()
    with pytest.raises(DataError, match=r"shard-00000.safetensors.*built again"):
        Shards(tmp_path, manifest).pack(0)


def test_a_damaged_manifest_is_found(made_av1, tmp_path):
    build_cache(files_of(made_av1), tmp_path)
    (tmp_path / MANIFEST).write_text('{"format": 1, "shards": [')
    with pytest.raises(DataError, match=r"manifest.json is cut off, damaged.*delete it and the cache is built again"):
        read_cache_manifest(tmp_path)


def without(record, key):
    return {name: value for name, value in record.items() if name != key}


@pytest.mark.parametrize(
    "harm",
    [
        lambda record: {**record, "file": "../../shard-00000.safetensors"},
        lambda record: {**record, "scenes": 10**9},
        lambda record: {**record, "bytes": None},
        lambda record: {**record, "dropped": [7]},
        lambda record: {**record, "facts": {"scenes without lanes": "many"}},
        lambda record: without(record, "key"),
    ],
    ids=["elsewhere", "a billion scenes", "no size", "dropped", "facts", "no key"],
)
def test_a_manifest_that_says_something_else_is_found(made_av1, tmp_path, harm):
    build_cache(files_of(made_av1), tmp_path)
    content = json.loads((tmp_path / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps({**content, "shards": [harm(content["shards"][0])]}))
    with pytest.raises(DataError, match=r"manifest.json .*shards\.0\..*the cache is built again"):
        read_cache_manifest(tmp_path)


def test_a_damaged_record_is_no_finished_shard(made_av1, tmp_path):
    build_cache(files_of(made_av1), tmp_path)
    (tmp_path / MANIFEST).unlink()
    (tmp_path / "shard-00000.json").write_text("[" * 100_000)
    assert build_cache(files_of(made_av1), tmp_path).scenes == 7


def nan_at(values, row):
    values[row] = torch.nan
    return values


ODD_ARRAYS = {
    "an array missing": (lambda a: {k: v for k, v in a.items() if k != "times"}, "lacks or adds arrays: times"),
    "another dtype": (lambda a: {**a, "heading": a["heading"].double()}, "heading is torch.float64"),
    "another rank": (lambda a: {**a, "points": a["points"].flatten()}, "points is torch.float32"),
    "offsets that fall": (lambda a: {**a, "point_ptr": a["point_ptr"].flip(0)}, "point_ptr does not span points"),
    "offsets past the end": (lambda a: {**a, "agent_ptr": a["agent_ptr"] * 2}, "agent_ptr does not span heading"),
    "a scene of no agent": (
        lambda a: {**a, "agent_ptr": torch.cat([a["agent_ptr"][:1], a["agent_ptr"][:1], a["agent_ptr"][2:]])},
        "agent_ptr leaves less than 1",
    ),
    "no UTF-8": (lambda a: {**a, "city": torch.full_like(a["city"], 0xFF)}, "can't decode byte"),
    "a lane that is not there": (lambda a: {**a, "lane_view": a["lane_view"] + 10_000}, "lane_view names lanes"),
    "lanes in another order": (lambda a: {**a, "lane_view": a["lane_view"].flip(0)}, "lane_view is not ascending"),
    "a link that leads nowhere": (lambda a: {**a, "link_target": a["link_target"] - 10_000}, "link_target names lanes"),
    "no number": (lambda a: {**a, "positions": nan_at(a["positions"], 3)}, "positions holds numbers"),
    "another type": (lambda a: {**a, "agent_type": a["agent_type"] + 100}, "agent_type leaves 0..12"),
    "another turn": (lambda a: {**a, "attributes": a["attributes"] + 3}, "attributes hold what no lane is"),
    "other steps are valid": (lambda a: {**a, "valid_bits": a["valid_bits"] | 1}, "valid_bits do not say"),
    "steps after the last": (
        lambda a: {**a, "valid_bits": torch.cat([a["valid_bits"][:, :-1], a["valid_bits"][:, -1:] | 128], 1)},
        "valid_bits go beyond the last step",
    ),
    "times that stand": (lambda a: {**a, "times": torch.zeros_like(a["times"])}, "times are not ascending"),
    "two cars": (lambda a: {**a, "is_ego": torch.ones_like(a["is_ego"])}, "several recording cars"),
    "another history": (lambda a: {**a, "times": a["times"][:, :19].contiguous()}, "not have 20 observed steps and"),
}  # fmt: skip


@pytest.fixture(scope="module")
def stored(made_av1, tmp_path_factory):
    """The arrays of a shard."""
    folder = tmp_path_factory.mktemp("stored")
    return load_file(folder / build_cache(files_of(made_av1), folder).shards[0].file)


@pytest.mark.parametrize(("harm", "words"), ODD_ARRAYS.values(), ids=ODD_ARRAYS.keys())
def test_a_shard_with_the_right_checksum_and_odd_content_is_found(stored, harm, words, tmp_path):
    save_file(harm({name: array.clone() for name, array in stored.items()}), path := tmp_path / "shard.safetensors")
    record = ShardRecord(path.name, "", 7, 0, checksum(path, "sha256"))
    with pytest.raises(DataError, match=rf"shard\.safetensors .*{words}.*built again"):
        read_shard(path, record, Steps(20, 30))


def test_shards_read_together_equal_those_read_alone(made_av1, tmp_path, small_shards):
    shards = Shards(tmp_path, build_cache(files_of(made_av1), tmp_path))
    whole = shards.pack(0, 1, 2)
    assert len(whole) == 7
    assert len(shards.pack(2, 0)) == 4
    view, first = SceneView(), 0
    for number in range(3):
        rows = torch.arange(shards.sizes[number])
        alone = assemble(shards.pack(number), rows, rows, view, 30)
        together = assemble(whole, rows + first, rows, view, 30)
        first += len(rows)
        assert alone.scene_id == together.scene_id
        assert alone.agent_ids == together.agent_ids
        assert_equal_up_to_rounding(alone.graph["agent"].future, together.graph["agent"].future, roundings=1)
        assert_equal_up_to_rounding(alone.graph["lane"].points, together.graph["lane"].points, roundings=1)
        for relation in LANE_EDGES:
            edges = [batch.graph["lane", relation, "lane"].edge_index for batch in (alone, together)]
            assert torch.equal(*edges)


def test_shards_hold_few_packs_in_memory(made_av1, tmp_path, small_shards):
    shards = Shards(tmp_path, build_cache(files_of(made_av1), tmp_path))
    for number in (0, 1, 0, 2, 1, 0):
        shards.pack(number)
        assert len(shards.loaded) <= KEEP
    assert shards.pack(0) is shards.pack(0)


def test_the_cache_alone_is_enough(av1, tmp_path):
    config = Argoverse1Config(root=str(av1))
    with_files = config.build().split("train").batch(torch.arange(7))
    for name in ("train", "val", "map_files"):
        shutil.rmtree(av1 / name)
    without = config.build().split("train").batch(torch.arange(7))
    assert torch.equal(with_files.graph["lane"].points, without.graph["lane"].points)
    assert first(av1, "*.safetensors").parent == av1 / "scene_cache" / "train"


def test_folders_that_are_read_only_are_not_written_to(av1, tmp_path, monkeypatch):
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "user"))
    config = Argoverse1Config(root=str(av1))
    assert config.cache_folder() == av1 / "scene_cache"
    av1.chmod(0o555)
    try:
        config.build().split("val")
        assert config.cache_folder().parent == tmp_path / "user" / "scene_cache"
        assert (config.cache_folder() / "val" / MANIFEST).is_file()
        assert not (av1 / "scene_cache").exists()
    finally:
        av1.chmod(0o755)
