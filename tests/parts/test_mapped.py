"""Anybody's map-style data sets as a data source: order, resume, processes, threads, and what is said of bad ones."""

import random
import threading
from dataclasses import dataclass, replace

import jaxtyping
import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, IterableDataset, Subset

from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.random import GlobalGenerators
from geo_lm4ve.parts.data import DataConfig, DataError
from geo_lm4ve.parts.mapped import MappedData


@dataclass(frozen=True)
class Pairs:
    """A batch of (value, label)."""

    values: torch.Tensor
    labels: torch.Tensor
    index: torch.Tensor

    def __len__(self):
        return len(self.index)

    def to(self, device):
        return replace(self, **{name: value.to(device) for name, value in vars(self).items()})


def collate(items, rows):
    values, labels = zip(*items)
    return Pairs(torch.tensor(values, dtype=torch.float64), torch.tensor(labels), rows)


class Numbers(Dataset):
    """Row i is (i, i % 3); some rows are spoilt, all may be noisy."""

    def __init__(self, length=23, spoilt=None, noise=None):
        self.length, self.spoilt, self.noise = length, spoilt or {}, noise
        self.threads = set()

    def __len__(self):
        return self.length

    def __getitem__(self, row):
        self.threads.add(threading.current_thread().name)
        if row in self.spoilt:
            raise self.spoilt[row]
        return row + (self.noise() if self.noise else 0.0), row % 3


def jitter(item, generator):
    return item[0] + float(torch.rand(1, generator=generator)) / 2, item[1]


def mapped(train=None, *, workers=0, prefetch=2, collate=collate, classes=("a", "b", "c"), **more):
    splits = more.pop("splits", {"train": train or Numbers(), "test": Numbers(7)})
    config = DataConfig(name="numbers", workers=workers, prefetch=prefetch)
    return MappedData(config, "numbers", splits, collate, classes=classes, **more)


def batches(data, split="train", *, epoch=0, start=0, train=True, batch_size=4, seed=0, **place):
    return list(data.loader(split, batch_size=batch_size, train=train, seed=seed, **place).batches(epoch, start))


def joined(made):
    return torch.cat([torch.stack([batch.values, batch.labels.double(), batch.index.double()], 1) for batch in made])


@pytest.fixture
def unchecked():
    """Without the test suite's shape checker, which draws from ``random`` itself."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


DRAWS = {
    "augment": {"augment": jitter},
    "torch": {"train": Numbers(noise=lambda: float(torch.rand(1)) / 2)},
    "numpy": {"train": Numbers(noise=lambda: np.random.rand() / 2)},
    "random": {"train": Numbers(noise=lambda: random.random() / 2)},
}
"""Ways to be random."""


@pytest.mark.parametrize("how", DRAWS)
def test_what_is_random_hangs_on_seed_epoch_and_row_alone(how):
    data = mapped(**DRAWS[how])
    whole = batches(data, epoch=2)
    assert len(whole) == 5
    torch.rand(3), np.random.rand(), random.random()  # what else the process draws changes nothing
    assert torch.equal(joined(batches(mapped(**DRAWS[how]), epoch=2, start=3)), joined(whole[3:]))
    first, other = joined(whole), joined(batches(data, epoch=3))
    assert not torch.equal(first[:, 2], other[:, 2])
    noise = [dict(zip(found[:, 2].tolist(), (found[:, 0] - found[:, 2]).tolist())) for found in (first, other)]
    both = noise[0].keys() & noise[1].keys()
    assert all(noise[0][row] != noise[1][row] for row in both)
    assert len(set(noise[0].values())) == 20
    assert not torch.equal(joined(batches(data, epoch=2, seed=1))[:, 2], first[:, 2])


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("how", DRAWS)
def test_reading_leaves_the_generators_of_the_process_alone(how):
    before = GlobalGenerators.now()
    batches(mapped(**DRAWS[how]))
    assert before.drawn() == []


@pytest.mark.parametrize("how", DRAWS)
def test_processes_share_the_batches_of_one(how):
    whole = batches(mapped(**DRAWS[how]), epoch=1, batch_size=8)
    shares = [batches(mapped(**DRAWS[how]), epoch=1, batch_size=4, rank=rank, world=2) for rank in range(2)]
    assert torch.equal(torch.cat([joined(pair) for pair in zip(*shares, strict=True)]), joined(whole))
    rows = [set(joined(share)[:, 2].tolist()) for share in shares]
    assert rows[0].isdisjoint(rows[1])


@pytest.mark.parametrize("world", [1, 2, 3])
def test_evaluation_gives_every_sample_once_and_plain(world):
    shares = [batches(mapped(augment=jitter), train=False, rank=rank, world=world) for rank in range(world)]
    found = torch.cat([joined(share) for share in shares])
    assert found[:, 2].tolist() == found[:, 0].tolist() == list(range(23))


def test_evaluation_of_noisy_items_repeats_itself():
    found = [joined(batches(mapped(Numbers(noise=np.random.rand)), train=False, epoch=epoch)) for epoch in range(2)]
    assert torch.equal(*found)


@pytest.mark.usefixtures("unchecked")
def test_threads_read_ahead_and_change_no_batch():
    numbers = Numbers()
    data = mapped(numbers, workers=3, augment=jitter)
    assert torch.equal(joined(batches(data, epoch=1)), joined(batches(mapped(augment=jitter), epoch=1)))
    assert any(name.startswith("batches") for name in numbers.threads)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("how", ["torch", "numpy", "random"])
def test_threads_do_not_share_a_generator(how):
    before = GlobalGenerators.now()
    with pytest.raises(DataError, match=r"^numbers, split train, row 0 draws from the global generator of .*data.work"):
        batches(mapped(workers=2, **DRAWS[how]))
    assert before.drawn() == []
    assert batches(mapped(workers=2, **DRAWS[how]), "test", train=False)  # that one draws nothing


def test_votes_see_augmented_views_that_repeat():
    data = mapped(augment=jitter)
    one, again, two = (joined(batches(data, "test", train=False, view=view)) for view in (1, 1, 2))
    assert torch.equal(one, again)
    assert (one[:, 0] != two[:, 0]).all()
    with pytest.raises(DataError, match=r"split test has no augmented views to vote over: give MappedData an augment"):
        batches(mapped(), "test", train=False, view=1)


def test_val_is_carved_out_of_train_class_by_class():
    labels = [row % 3 for row in range(30)]
    data = mapped(splits={"train": Numbers(30)}, val_fraction=0.2, labels=labels)
    assert data.info.counts == {"train": 24, "val": 6}
    found = [joined(batches(data, split, train=False)) for split in ("train", "val")]
    assert sorted(torch.cat(found)[:, 0].tolist()) == list(range(30))
    assert found[1][:, 1].long().bincount().tolist() == [2, 2, 2]
    assert found[1][:, 2].tolist() == list(range(6))  # index counts in the split, as everywhere
    assert mapped(splits={"train": Numbers(30)}, val_fraction=0.2).info.counts == {"train": 24, "val": 6}


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"val_fraction": 1.0}, ConfigError, r"val_fraction=1.0 must be in \[0, 1\)"),
        ({"val_fraction": 0.1, "splits": {"train": Numbers(), "val": Numbers()}}, ConfigError, "and no val among"),
        ({"val_fraction": 0.1, "splits": {"test": Numbers()}}, ConfigError, "there are test"),
        ({"val_fraction": 0.01}, DataError, "val_fraction=0.01 of 23 samples holds none out; raise it"),
        (
            {"val_fraction": 0.1, "labels": [0, 1]},
            DataError,
            r"labels must be \(23,\) whole numbers.*they are int64 \(2,",
        ),
        ({"val_fraction": 0.1, "labels": torch.rand(23)}, DataError, "they are float32"),
        ({"val_fraction": 0.1, "labels": ["a"] * 23}, DataError, "they are <U1"),
        ({"splits": {}}, ConfigError, "there is none"),
        ({"splits": {"valid": Numbers()}}, ConfigError, "maps train, val, test.*they are called valid"),
    ],
)
def test_splits_that_cannot_be_meant(changes, error, text):
    with pytest.raises(error, match=f"^numbers: .*{text}"):
        mapped(**changes)


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(5))


class Lengthless(Dataset):
    def __getitem__(self, row):
        return row, 0


class Broken(Lengthless):
    def __len__(self):
        raise OSError("the disk is gone")


@pytest.mark.parametrize(
    ("dataset", "text"),
    [
        (
            Stream(),
            r"is iterable-style \(Stream\): without row numbers .* Give a data set with __len__",
        ),
        ((row for row in range(3)), r"is iterable-style \(generator\)"),
        (Lengthless(), "is a Lengthless: it must have __len__ and a __getitem__ that takes row numbers"),
        (Numbers, "is a class, not an object of it"),
        ({"train": Numbers()}, "is a dict: it must have"),
        (None, "is a NoneType"),
        ([], "is empty; leave the split out"),
        (Broken(), r"__len__ fails \(OSError: the disk is gone\)"),
    ],
)
def test_what_is_no_map_style_data_set_is_refused(dataset, text):
    with pytest.raises(DataError, match=f"^numbers, split test:? {text}"):
        mapped(splits={"train": Numbers(), "test": dataset})


def test_a_missing_split_is_said():
    with pytest.raises(DataError, match=r"^numbers has no split 'val', only train, test: give MappedData one"):
        batches(mapped(), "val", train=False)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("workers", [0, 2])
def test_an_item_that_fails_is_named(workers):
    broken = Numbers(spoilt={5: OSError("no such scan")})
    with pytest.raises(DataError) as caught:
        batches(mapped(broken, workers=workers), train=False)
    assert str(caught.value) == (
        "numbers, split train, row 5 cannot be read (OSError: no such scan): mend __getitem__ or leave the sample out; "
        "GEO_LM4VE_TRACEBACK=1 shows where it happened"
    )
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__notes__ == ["while batch 1 of epoch 0 was made, of samples 4, 5, 6, 7"]


def test_no_fault_ends_an_epoch_without_a_word():
    with pytest.raises(DataError, match=r"row 6 cannot be read \(StopIteration\)"):
        batches(mapped(Numbers(spoilt={6: StopIteration()})), train=False)


def test_a_carved_row_is_named_by_both_its_numbers():
    data = mapped(splits={"train": Numbers(spoilt={10: ValueError("torn")})}, val_fraction=0.2)
    with pytest.raises(DataError, match=r"split val, row \d+ \(row 10 of what it is carved out of\) cannot be r"):
        batches(data, "val", train=False)


def test_an_error_that_speaks_for_itself_is_left_to_speak():
    with pytest.raises(DataError, match=r"^scan 3 is torn, fetch it again") as caught:
        batches(mapped(Numbers(spoilt={3: DataError("scan 3 is torn, fetch it again")})), train=False)
    assert caught.value.__notes__[0] == "(met in numbers, split train: row 3 cannot be read)"


def broken_augment(item, generator):
    raise KeyError("colour")


def test_an_augmentation_that_fails_is_named():
    with pytest.raises(DataError, match=r"row \d+ cannot be augmented \(KeyError: 'colour'\): mend augment"):
        batches(mapped(augment=broken_augment))


def torn(items, rows):
    raise ValueError(f"row {int(rows[0])} has no colour")


@pytest.mark.parametrize(
    ("collate", "text"),
    [
        (torn, "^numbers, split train: row 0 has no colour"),
        (lambda items, rows: items[9], r"rows 0, 1, 2, 3 cannot be made a batch of \(IndexError: .*\): mend collate"),
        (lambda items, rows: list(items), r"collate gave a list, not a Batch \(parts/data.py\)"),
        (lambda items, rows: collate(items[1:], rows[1:]), "of 4 items collate made a batch of 3 with the index"),
        (
            lambda items, rows: collate(items, rows + 1),
            r"with the index \[1, 2, 3, 4\]; its index must be the rows",
        ),
        (lambda items, rows: replace(collate(items, rows), labels=None), "labels .* of int64, .*; it has NoneType"),
        (lambda items, rows: replace(collate(items, rows), labels=rows + 0.5), r"it has torch.float32 \(4,\)"),
    ],
)
def test_a_collate_that_makes_something_else_is_named(collate, text):
    with pytest.raises(DataError, match=text):
        batches(mapped(collate=collate), train=False)


@pytest.mark.parametrize(("label", "classes"), [(2, ("a", "b")), (-1, ("a", "b", "c"))])
def test_a_label_without_a_name_is_named_with_its_row(label, classes):
    items = [(float(row), 0) for row in range(6)]
    items[3] = (3.0, label)
    with pytest.raises(DataError, match=rf"split train, row 3 has label {label}, but classes names {len(classes)}"):
        batches(mapped(items, classes=classes), train=False)


def test_a_length_that_changes_is_noticed():
    numbers = Numbers()
    loader = mapped(numbers).loader("train", batch_size=4, train=True, seed=0)
    list(loader.batches(0))
    numbers.length = 22
    with pytest.raises(DataError, match=r"taken from a data set of 23 samples, which has 22 now"):
        list(loader.batches(1))


class Columns:
    """Looks like a Hugging Face ``Dataset``: columns, and a row as a dict of plain values."""

    def __init__(self, **columns):
        self.columns = columns

    def __len__(self):
        return len(self.columns["label"])

    def __getitem__(self, key):
        return self.columns[key] if isinstance(key, str) else {name: rows[key] for name, rows in self.columns.items()}


class Folder:
    """Looks like a torchvision data set: ``targets``, ``transform``, items as tuples."""

    def __init__(self, count, transform):
        self.targets, self.transform = [row % 2 for row in range(count)], transform

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, row):
        return self.transform(float(row)), self.targets[row]


def test_data_sets_of_other_libraries():
    rows = Columns(value=[0.0, 1.0, 2.0, 3.0], label=[0, 1, 0, 1])

    def of_both(items, rows):
        return collate([tuple(item.values()) if isinstance(item, dict) else item for item in items], rows)

    pictures = Folder(6, transform=lambda value: value + float(torch.rand(1)) / 2)
    data = mapped(
        splits={"train": pictures, "test": rows, "val": Subset(pictures, [1, 2])}, classes=("a", "b"), collate=of_both
    )
    assert data.info.counts == {"train": 6, "val": 2, "test": 4}
    assert joined(batches(data, "test", train=False)).tolist() == [[0, 0, 0], [1, 1, 1], [2, 0, 2], [3, 1, 3]]
    assert torch.equal(joined(batches(data, batch_size=2)), joined(batches(data, batch_size=2)))
    carved = mapped(splits={"train": rows}, val_fraction=0.5, labels=rows["label"], collate=of_both)
    assert joined(batches(carved, "val", train=False))[:, 1].tolist() in ([0, 1], [1, 0])


def test_pages_show_what_the_modality_shows(tmp_path):
    data = mapped(exhibit=lambda *given: (given[4], f"{len(given[1])} of {given[2].info.title} {given[3]}"))
    assert data.exhibit(tmp_path, [{"index": 0}], "test", "Title") == ("Title", "1 of numbers test")
    assert mapped().exhibit(tmp_path, [], "test", "Title") is None
