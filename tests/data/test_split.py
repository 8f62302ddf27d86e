import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_lm4ve.data.split import hold_out, subsample


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=120), st.floats(0, 0.99))
def test_carving_is_a_stratified_partition(labels, fraction):
    labels = torch.tensor(labels)
    train, val = hold_out(labels, fraction)
    assert sorted([*train.tolist(), *val.tolist()]) == list(range(len(labels)))
    assert train.tolist() == sorted(train.tolist())
    for label in labels.unique():
        count = int((labels == label).sum())
        assert int((labels[val] == label).sum()) == min(round(fraction * count), count - 1)


def test_carving_depends_on_rows_not_on_chance_and_is_spread():
    labels = torch.zeros(1000, dtype=torch.long)
    val = hold_out(labels, 0.1)[1]
    assert torch.equal(val, hold_out(labels, 0.1)[1])
    assert (val < 500).sum() in range(35, 66)
    assert torch.isin(hold_out(labels, 0.05)[1], val).all()  # a smaller part is contained in a larger one


def test_carving_golden_rows():
    assert hold_out(torch.tensor([0, 1] * 10), 0.2)[1].tolist() == [3, 10, 11, 18]


def test_thinning_keeps_classes_of_sorted_files():
    labels = torch.arange(8).repeat_interleave(100)
    rows = subsample(torch.arange(800), 16)
    assert labels[rows].bincount().tolist() == [2] * 8
    assert subsample(rows, None) is rows
    assert subsample(rows, 99) is rows
