from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.prepare.division import Division
from geo_lm4ve.points.prepare.listing import Item


def items(**classes):
    """Files ``KIND/GROUP_NUMBER.off``; of each class the number of files per group."""
    return [
        Item(Path("x"), f"{kind}/{group}_{number}.off", kind)
        for kind, groups in classes.items()
        for group, count in groups.items()
        for number in range(count)
    ]


def sides(divided, part):
    return {split: {part(item) for item in divided if item.split == split} for split in ("train", "test")}


@given(st.integers(1, 60), st.integers(0, 5), st.sampled_from([0.1, 0.2, 0.5, 0.9]))
@settings(max_examples=50, deadline=None)
def test_every_class_gives_its_part_and_keeps_one(count, seed, fraction):
    divided = Division(fraction, seed).divide(items(a={"x": count}, b={"y": 3}))
    tested = Counter(item.kind for item in divided if item.split == "test")
    nearest = min(range(count + 1), key=lambda n: (abs(n - fraction * count), n))
    assert tested["a"] == (min(max(nearest, 1), count - 1) if count > 1 else 0)
    assert 1 <= tested["b"] <= 2
    assert [item.name for item in divided] == [item.name for item in items(a={"x": count}, b={"y": 3})]


groups = st.dictionaries(st.sampled_from("pqrstuvw"), st.integers(1, 9), min_size=1)


@given(st.dictionaries(st.sampled_from("abcd"), groups, min_size=1), st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_no_group_lies_on_both_sides_and_no_class_leaves_train(classes, seed):
    divided = Division(0.2, seed, r"/(\w)_").divide(items(**classes))
    by_group = sides(divided, lambda item: item.name.split("/")[1][0])
    assert not by_group["train"] & by_group["test"]
    assert sides(divided, lambda item: item.kind)["train"] == classes.keys()


@given(st.dictionaries(st.sampled_from("abcd"), groups, min_size=1), st.integers(0, 5), st.randoms(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_files_of_one_shape_lie_on_one_side_and_so_do_their_groups(classes, seed, random, grouped):
    files = items(**classes)
    shapes = {item.name: random.choice(["", *map(str, range(2 * len(files)))]) for item in files}
    divided = Division(0.2, seed, r"/(\w)_" if grouped else "").divide(files, shapes)
    by_shape = sides(divided, lambda item: shapes[item.name])
    assert not by_shape["train"] & by_shape["test"] - {""}
    if grouped:
        by_group = sides(divided, lambda item: item.name.split("/")[1][0])
        assert not by_group["train"] & by_group["test"]
    assert sides(divided, lambda item: item.kind)["train"] == classes.keys()


def test_shapes_join_files_into_chains_and_leave_others_as_they_were():
    files = items(a={"x": 40}, b={"y": 20})
    assert Division(0.2, 0).divide(files, dict.fromkeys((item.name for item in files), "")) == Division(0.2).divide(
        files
    )
    joined = [{"a/x_0.off": "1", "a/x_1.off": "2"}, {"a/p_0.off": "1", "a/p_1.off": "2"}]  # by group x, by shapes
    chain = items(a={"x": 2, "p": 2, "q": 6})
    for seed in range(8):
        divided = Division(0.2, seed, r"/(\w)_").divide(chain, joined[0] | joined[1])
        assert len({item.split for item in divided if "/q" not in item.name}) == 1


def test_a_class_of_several_groups_is_tested_where_the_fraction_is_of_none():
    divided = Division(0.2, 0, r"/(\w)_").divide(items(a={"p": 10, "q": 9}, b={"r": 5}))
    assert sides(divided, lambda item: item.kind)["test"] == {"a"}
    assert sum(item.split == "test" for item in divided) == 9  # the smaller one


def test_the_seed_chooses_and_other_files_do_not():
    files = items(a={"x": 40})
    one, again, other = (Division(0.2, seed).divide(files) for seed in (0, 0, 1))
    assert one == again
    assert one != other
    assert Division(0.2, 0).divide(files + items(b={"y": 7}))[:40] == one


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"fraction": 0.0}, "--test-fraction 0.0 must lie between 0 and 1"),
        ({"group_by": "["}, "is no regular expression"),
        ({"group_by": "x"}, "has no group: put what files have in common into round brackets"),
    ],
)
def test_settings(settings, text):
    with pytest.raises(DataError, match=text):
        Division(**settings)


def test_a_file_without_a_group_is_named():
    with pytest.raises(DataError, match=r"does not match 2 of 5 files, e\.g\. b/y_0\.off: every file needs a group"):
        Division(0.2, 0, "/(x)_").divide(items(a={"x": 3}, b={"y": 2}))
    with pytest.raises(DataError, match="does not match 2 of 5 files"):
        Division(0.2, 0, "/(x)?").divide(items(a={"x": 3}, b={"y": 2}))
