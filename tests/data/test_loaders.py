import gc
import subprocess
import sys
import threading
import time
from itertools import chain

import pytest
import torch

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.data.ahead import made_ahead
from geo_lm4ve.data.loaders import EvalLoader, Samples, TrainLoader, make_loader
from geo_lm4ve.data.random import generator
from geo_lm4ve.parts.data import DataError, Loader


class Numbers:
    """Samples whose batches are (row, random number) pairs; some rows can be spoilt, some batches slow."""

    noun = "numbers"

    def __init__(self, count=23, spoilt=(), wait=0.0, shift=0.0):
        self.count, self.spoilt, self.wait, self.shift = count, spoilt, wait, shift
        self.made, self.threads = 0, set()

    def __len__(self):
        return self.count

    def order(self, seed, epoch):
        return torch.randperm(self.count, generator=generator(seed, epoch))

    def train_batch(self, rows, draw):
        random = torch.rand(draw.whole, generator=generator(draw.seed, draw.epoch, draw.number))
        return self.taken(rows, random[draw.share])

    def batch(self, rows):
        return self.taken(rows, torch.full((len(rows),), self.shift))

    def augmented(self, seed, view):
        return Numbers(self.count, self.spoilt, self.wait, shift=float(view))

    def taken(self, rows, random):
        self.threads.add(threading.current_thread())
        time.sleep(self.wait * (1 + self.made % 3))  # later batches are often done before earlier ones
        self.made += 1
        for row in rows.tolist():
            if row in self.spoilt:
                raise DataError(f"number {row} is spoilt")
        return torch.stack([rows.double(), random.double()], 1)


WORKERS = [{"workers": 0}, {"workers": 1}, {"workers": 3, "prefetch": 1}, {"workers": 4, "prefetch": 3}]


def train(numbers=None, batch_size=2, **place):
    return TrainLoader(numbers or Numbers(), batch_size=batch_size, **place)


def evaluation(numbers=None, batch_size=2, **place):
    return EvalLoader(numbers or Numbers(), batch_size=batch_size, **place)


def same(first, second):
    return all(torch.equal(one, two) for one, two in zip(first, second, strict=True))


def workers_left():
    return [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_loaders_and_samples_keep_their_contracts():
    assert isinstance(Numbers(), Samples)
    assert isinstance(train(), Loader)
    assert isinstance(evaluation(), Loader)
    assert (len(train()), train().samples, len(evaluation()), evaluation().samples) == (11, 23, 12, 23)


@pytest.mark.parametrize("place", WORKERS)
def test_workers_change_no_batch_and_no_order(place):
    numbers = Numbers(wait=0.001)
    assert same(train(numbers, seed=3, **place).batches(2), train(seed=3).batches(2))
    assert same(evaluation(numbers, view=2, **place).batches(), evaluation(view=2).batches())
    assert (threading.main_thread() in numbers.threads) == (place["workers"] == 0)
    assert workers_left() == []


@pytest.mark.parametrize("place", WORKERS)
def test_an_epoch_goes_on_in_its_middle(place):
    whole = list(train(seed=1).batches(4))
    assert same(train(seed=1, **place).batches(4, start=5), whole[5:])
    assert list(train(**place).batches(4, start=11)) == []
    assert same(evaluation(**place).batches(start=9), list(evaluation().batches())[9:])


@pytest.mark.parametrize("world", [2, 3])
def test_shares_of_the_processes_make_up_the_global_batch(world):
    whole = list(train(batch_size=2 * world).batches(1))
    shares = [list(train(rank=rank, world=world, workers=rank).batches(1)) for rank in range(world)]
    assert same([torch.cat(parts) for parts in zip(*shares, strict=True)], whole)
    assert len(torch.cat(whole)[:, 0].unique()) == len(whole) * 2 * world


@pytest.mark.parametrize("world", [1, 2, 5, 30])
def test_evaluation_gives_every_sample_once_in_file_order(world):
    loaders = [evaluation(rank=rank, world=world, workers=rank % 3) for rank in range(world)]
    shares = [list(loader.batches()) for loader in loaders]
    assert torch.cat(list(chain(*shares)))[:, 0].tolist() == list(range(23))
    assert [len(share) for share in shares] == [len(loader) for loader in loaders]


@pytest.mark.parametrize("place", WORKERS)
def test_an_error_comes_out_as_itself_where_its_batch_would(place):
    batches = evaluation(Numbers(spoilt=(9, 13), wait=0.001), **place).batches()
    assert same([next(batches) for _ in range(4)], list(evaluation().batches())[:4])
    with pytest.raises(DataError, match=r"^number 9 is spoilt") as caught:
        next(batches)
    assert caught.value.__notes__ == ["while batch 4 of epoch 0 was made, of numbers 8, 9"]
    assert list(batches) == []
    assert workers_left() == []


def test_an_error_names_its_first_rows_only():
    with pytest.raises(DataError) as caught:
        list(evaluation(Numbers(spoilt=(0,)), batch_size=23).batches())
    assert caught.value.__notes__[0].endswith("of numbers 0, 1, 2, 3, 4, 5, 6, 7, ...")


def test_workers_are_ahead_by_what_was_asked_for_and_no_more():
    numbers = Numbers(count=1000)
    batches = evaluation(numbers, workers=2, prefetch=3).batches()
    assert numbers.made == 0
    next(batches)
    deadline = time.monotonic() + 10
    while numbers.made < 7 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    assert numbers.made == 7
    batches.close()


@pytest.mark.parametrize("how", ["close", "forget", "throw"])
def test_an_iteration_that_is_given_up_leaves_no_worker(how):
    numbers = Numbers(count=1000, wait=0.005)
    batches = evaluation(numbers, workers=3, prefetch=5).batches()
    next(batches)
    assert workers_left()
    if how == "close":
        batches.close()
    elif how == "throw":
        with pytest.raises(KeyboardInterrupt):
            batches.throw(KeyboardInterrupt)
    del batches
    gc.collect()
    assert workers_left() == []
    made = numbers.made
    assert made < 16
    time.sleep(0.05)
    assert numbers.made == made


def test_a_program_ends_in_the_middle_of_an_iteration():
    code = (
        "from geo_lm4ve.data.ahead import made_ahead\n"
        "results = made_ahead(str, range(1000), workers=3, prefetch=2)\n"
        "print(next(results))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)


def test_two_iterations_do_not_meet():
    loader = train(workers=2)
    pairs = list(zip(loader.batches(0), loader.batches(1), strict=True))
    assert same([first for first, _ in pairs], train().batches(0))
    assert same([second for _, second in pairs], train().batches(1))


def test_nothing_to_make():
    assert list(made_ahead(str, [], workers=2, prefetch=2)) == []


def test_too_few_samples():
    with pytest.raises(
        DataError, match="23 numbers do not fill one batch of 8 on each of 3 processes; lower the batch"
    ):
        train(batch_size=8, world=3)


@pytest.mark.parametrize(
    "place",
    [{"batch_size": 0}, {"rank": -1}, {"rank": 2, "world": 2}, {"view": -1}, {"workers": -1}, {"prefetch": 0},
     {"train": True, "view": 1}],
)  # fmt: skip
def test_arguments_out_of_range(place):
    with pytest.raises(ValueError, match="a loader needs batch_size >= 1"):
        make_loader(Numbers(), **{"train": False, "batch_size": 2, **place})


@pytest.mark.parametrize("option", ["modelnet40", "argoverse1"])
def test_every_data_set_has_workers(option):
    assert (make("data", option).workers, make("data", option).prefetch) == (0, 2)
    with pytest.raises(ConfigError, match=r"data.workers=-1 must be at least 0"):
        make("data", option, {"workers": -1})
