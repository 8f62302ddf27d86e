import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest
import torch

from geo_lm4ve.data.loaders import TrainLoader
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.traffic import loader as scene_loader
from geo_lm4ve.traffic.argoverse.argoverse1 import Argoverse1Config
from geo_lm4ve.traffic.cache import build as scene_cache_build
from geo_lm4ve.traffic.cache import own_split as scene_own_split
from geo_lm4ve.traffic.cache import shards as scene_cache
from geo_lm4ve.traffic.cache.shards import KEEP, CacheManifest, Shards
from geo_lm4ve.traffic.loader import WINDOW, SceneSplit
from geo_lm4ve.traffic.view.conventions import SceneView


@pytest.fixture(scope="module")
def source(made_av1, tmp_path_factory):
    """Seven scenes of train in four shards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene_cache_build, "SHARD", 2)
        source = Argoverse1Config(root=str(made_av1), cache=str(tmp_path_factory.mktemp("cache"))).build()
        source.split("train")
        source.split("val")
        return source


def rows(loader, epoch=0, start=0):
    return [sorted(batch.index.tolist()) for batch in loader.batches(epoch, start)]


def test_training_sees_every_scene_once_an_epoch_in_a_new_order(source):
    loader = source.loader("train", batch_size=1, train=True, seed=1)
    epochs = [rows(loader, epoch) for epoch in range(4)]
    assert all(sorted(chain(*epoch)) == list(range(7)) for epoch in epochs)
    assert len({str(epoch) for epoch in epochs}) > 1
    assert rows(source.loader("train", batch_size=1, train=True, seed=2)) != epochs[0]


def test_batches_depend_only_on_seed_epoch_and_number(source):
    loader = source.loader("train", batch_size=2, train=True, seed=5)
    again = source.loader("train", batch_size=2, train=True, seed=5)
    assert rows(loader, 3) == rows(again, 3)
    assert rows(again, 3, start=1) == rows(loader, 3)[1:]
    for one, two in zip(loader.batches(2), again.batches(2)):
        assert torch.equal(one.graph["agent"].history, two.graph["agent"].history)


def test_workers_change_no_scene(made_av1, source, tmp_path, monkeypatch):
    monkeypatch.setattr(scene_cache_build, "SHARD", 2)
    monkeypatch.setattr(scene_loader, "WINDOW", 2)
    busy = Argoverse1Config(root=str(made_av1), cache=str(tmp_path), workers=3).build()
    for one, two in zip(
        source.loader("train", batch_size=2, train=True, seed=5).batches(1),
        busy.loader("train", batch_size=2, train=True, seed=5).batches(1),
        strict=True,
    ):
        assert (one.scene_id, one.agent_ids) == (two.scene_id, two.agent_ids)
        assert torch.equal(one.graph["agent"].history, two.graph["agent"].history)
        assert torch.equal(one.graph["lane"].points, two.graph["lane"].points)


def test_threads_read_a_group_of_shards_once(source, monkeypatch):
    own, read, numbers = source.own["train"], scene_cache.read_shard, []
    monkeypatch.setattr(scene_cache, "read_shard", lambda *given: numbers.append(given[0].name) or read(*given))
    shards = Shards(own.folder, own.cached())
    with ThreadPoolExecutor(8) as pool:
        packs = list(pool.map(lambda _: shards.pack(0, 1), range(32)))
    assert all(pack is packs[0] for pack in packs)
    assert len(numbers) == 2


def test_processes_take_shares_of_the_same_global_batch(source):
    whole = rows(source.loader("train", batch_size=3, train=True, seed=0))
    parts = [rows(source.loader("train", batch_size=1, train=True, seed=0, rank=r, world=3)) for r in range(3)]
    assert [sorted(chain(*shares)) for shares in zip(*parts)] == whole


@pytest.mark.parametrize("world", [1, 2, 3])
def test_evaluation_sees_every_scene_once_in_file_order(source, world):
    loaders = [source.loader("val", batch_size=2, train=False, seed=0, rank=r, world=world) for r in range(world)]
    found = [batch.index.tolist() for loader in loaders for batch in loader.batches(0)]
    assert list(chain(*found)) == list(range(4))
    assert all(loader.samples == 4 for loader in loaders)
    assert [len(loader) for loader in loaders] == [len(list(loader.batches(0))) for loader in loaders]


def test_scenes_are_the_same_whatever_the_batch(source):
    split = source.split("train")
    whole = split.batch(torch.arange(7))
    for row in range(7):
        one = split.batch(torch.tensor([row]))
        mine = whole.graph["agent"].batch == row
        assert one.scene_id == whole.scene_id[row : row + 1]
        assert_equal_up_to_rounding(one.graph["agent"].future, whole.graph["agent"].future[mine], roundings=1)


def test_errors_of_the_loader(source):
    with pytest.raises(DataError, match="7 scenes do not fill one batch of 4 on each of 2 processes"):
        source.loader("train", batch_size=4, train=True, seed=0, world=2)
    with pytest.raises(DataError, match=r"no augmented views .* task.votes=0"):
        source.loader("val", batch_size=1, train=False, seed=0, view=1)
    with pytest.raises(DataError, match="has no split 'test', only train, val"):
        source.loader("test", batch_size=1, train=False, seed=0)
    with pytest.raises(ValueError, match="rank"):
        source.loader("val", batch_size=1, train=False, seed=0, rank=2, world=2)


def test_validation_can_be_carved_out_of_train(made_av1, tmp_path):
    config = Argoverse1Config(root=str(made_av1), cache=str(tmp_path), val_fraction=0.3)
    source = config.build()
    assert source.info.counts == {"train": 5, "val": 2, "test": 4}
    names = {
        split: {name for batch in source.loader(split, batch_size=8, train=False, seed=0).batches(0)
                for name in batch.scene_id}
        for split in ("train", "val")
    }  # fmt: skip
    assert names["train"] | names["val"] == {str(number) for number in range(1, 8)}
    assert not names["train"] & names["val"]
    own = Argoverse1Config(root=str(made_av1), cache=str(tmp_path)).build().split("val")
    assert torch.equal(source.split("test").batch(torch.arange(4)).origin, own.batch(torch.arange(4)).origin)
    assert "30% of train held out as val" in source.info.title


def test_a_limit_thins_every_split(made_av1, tmp_path):
    source = Argoverse1Config(root=str(made_av1), cache=str(tmp_path), limit=3).build()
    assert source.info.counts == {"train": 3, "val": 3}
    assert source.split("train").batch(torch.arange(3)).scene_id == ["1", "3", "5"]
    assert "at most 3 used of each" in source.info.title


def test_titles_say_what_part_of_the_data_set_is_there(source):
    assert source.info.title == "Argoverse 1 (7 of 205,942 train, 4 of 39,472 val)"
    assert (source.info.history, source.info.future, source.info.protocol.name) == (20, 30, "av1")


def test_a_folder_without_scenes_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"no scenes of Argoverse 1 in .*tools/prepare.py argoverse1"):
        Argoverse1Config(root=str(tmp_path)).build()


def test_large_splits_are_not_cached_by_the_way(made_av1, tmp_path, monkeypatch):
    monkeypatch.setattr(scene_own_split, "BUILD_AT_ONCE", 5)
    source = Argoverse1Config(root=str(made_av1), cache=str(tmp_path)).build()
    assert source.loader("val", batch_size=1, train=False, seed=0).samples == 4
    with pytest.raises(DataError, match=r"the 7 scenes in .* first run python tools/prepare.py argoverse1 --root"):
        source.loader("train", batch_size=1, train=True, seed=0)


def test_other_processes_wait_for_the_first(made_av1, tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(scene_own_split, "WAIT", 0.05)
    config = Argoverse1Config(root=str(made_av1), cache=str(tmp_path))
    with pytest.raises(DataError, match="waited"):
        config.build().split("val")
    monkeypatch.delenv("LOCAL_RANK")
    config.build().split("val")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert len(config.build().split("val")) == 4


def test_memory_stays_flat_however_many_shards(source, monkeypatch):
    """Of forty shards (copies of one) two windows of eight are in memory at most, and each is read once an epoch."""
    own = source.own["train"]
    read, alive = scene_cache.read_shard, []

    def watched(*arguments):
        pack = read(*arguments)
        alive.append(weakref.ref(pack))
        return pack

    monkeypatch.setattr(scene_cache, "read_shard", watched)
    shards = Shards(own.folder, CacheManifest("", [own.cached().shards[0]] * 40))
    loader = TrainLoader(SceneSplit(shards, torch.arange(80), SceneView(), 30), batch_size=5, seed=0, rank=0, world=1)
    joined, kept = {}, []
    for batch in loader.batches(0):
        kept.append(batch)
        joined |= {numbers: weakref.ref(pack) for numbers, pack in shards.loaded.items()}
        assert sum(pack() is not None for pack in joined.values()) <= KEEP
        assert not any(pack() for pack in alive)
    assert [len(numbers) for numbers in joined] == [WINDOW] * 5
    assert len(alive) == 40


def test_the_order_leaves_a_window_only_when_it_is_used_up(source):
    record = source.own["train"].cached().shards[0]
    shards = Shards(source.own["train"].folder, CacheManifest("", [record] * 20))
    split = SceneSplit(shards, torch.arange(40), SceneView(), future=30)
    order = split.order(seed=3, epoch=1)
    assert sorted(order.tolist()) == list(range(40))
    used = [set((part // 2).tolist()) for part in order.split(2 * WINDOW)]
    assert [len(window) for window in used] == [8, 8, 4]
    assert len(set().union(*used)) == 20
