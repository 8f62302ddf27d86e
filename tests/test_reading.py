import json

import pytest

from geo_lm4ve.files import UserError
from geo_lm4ve.reading import LIMIT, READERS, Fields, check_bytes, json_object, reader, reading


class ThingError(UserError, ValueError):
    """Raised about things."""


@reader(ThingError, "a thing", "make another")
def read_thing(path, action):
    """Stand-in for any reader."""
    return action()


def failing(error):
    def action():
        raise error

    return action


class PanicException(BaseException):
    """Stand-in for a panic of a library written in Rust."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (IndexError("list index out of range"), r"IndexError: list index out of range"),
        (KeyError("dim"), r"KeyError: 'dim'"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "invalid start byte"),
        (AssertionError(), r"\(AssertionError\)"),
        (MemoryError(), "more memory than there is"),
        (RecursionError(), "nested too deep"),
        (FileNotFoundError(2, "No such file or directory", "a/thing.bin"), r"a/thing\.bin is missing; make another"),
        (PermissionError(13, "Permission denied", "thing.bin"), "cannot be read as a thing .Permission denied"),
        (OSError("not an HDF5 file"), "not an HDF5 file"),
        (ValueError("3 rows\nof 4"), r"thing\.bin is cut off, damaged or not a thing \(3 rows of 4\); make another"),
        (PanicException("overflow"), "overflow"),
    ],
)
def test_whatever_a_library_raises_names_file_cause_and_next_step(error, said):
    with pytest.raises(ThingError, match=said) as caught:
        read_thing("thing.bin", failing(error))
    assert "thing.bin" in str(caught.value)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [NameError("x"), ImportError("h5py"), KeyboardInterrupt(), UserError("says enough")])
def test_our_own_errors_stay_visible(error):
    with pytest.raises(type(error)) as caught:
        read_thing("thing.bin", failing(error))
    assert caught.value is error


def test_every_reader_is_on_the_list_with_what_it_raises():
    entry = READERS[f"{__name__}.read_thing"]
    assert (entry.error, entry.kind, entry.remedy) == (ThingError, "a thing", "make another")


def test_the_place_is_the_named_parameter_or_what_that_calls_its_place():
    class Remote:
        place = "hub:owner/name"

    @reader(ThingError, "a thing", at="source")
    def read(folder, source):
        raise ValueError("no")

    with pytest.raises(ThingError, match=r"^hub:owner/name is cut off"):
        read("folder", source=Remote())


def test_a_generator_cannot_be_guarded():
    with pytest.raises(TypeError, match="runs outside the guard"):

        @reader(ThingError, "a thing")
        def lines(path):
            yield path


def test_a_long_cause_is_cut():
    with pytest.raises(ThingError) as caught, reading("thing.bin", ThingError, "a thing"):
        raise ValueError("x" * 100_000)
    assert len(str(caught.value)) < 500


def test_declared_bytes_are_held_against_what_the_file_has():
    check_bytes(1000, "the table", stored=1000)
    check_bytes(1000, "the table", stored=10, ratio=100)
    with pytest.raises(ValueError, match=r"the table would take 1,001 bytes, the file has 1,000 bytes for it"):
        check_bytes(1001, "the table", stored=1000)
    with pytest.raises(ValueError, match="hold at most 100 times"):
        check_bytes(1001, "the table", stored=10, ratio=100)


def test_where_the_file_sets_no_bound_the_stated_limit_does(monkeypatch):
    monkeypatch.setenv(LIMIT, "0.5")
    check_bytes(1 << 29, "the table")
    for bounds in ({}, {"stored": 1 << 29, "ratio": 1000}):
        with pytest.raises(ValueError, match=rf"0\.6 GiB, the limit is 0\.5 GiB; set {LIMIT}=GIB"):
            check_bytes(int(0.6 * 2**30), "the table", **bounds)
    check_bytes(1 << 30, "what the file holds byte by byte", stored=1 << 30)


@pytest.mark.parametrize("text", ["many", "-1", "0", "nan", "inf"])
def test_a_limit_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv(LIMIT, text)
    with pytest.raises(UserError, match=f"{LIMIT}='{text}' is not a number of GiB"):
        check_bytes(1, "the table")


@pytest.mark.parametrize("text", ["[1]", "3", "null", '"a"', "1" * 1000])
def test_json_that_is_no_object_is_refused_in_few_words(text):
    with pytest.raises(ValueError, match="not a JSON object") as caught:
        json_object(text)
    assert len(str(caught.value)) < 100


GOOD = {"name": "a", "dim": 3, "eps": 1, "names": ["a"], "inner": {"dim": 4}}


def test_fields_are_what_they_are():
    fields = Fields(GOOD)
    assert (fields.text("name"), fields.whole("dim"), fields.number("eps")) == ("a", 3, 1.0)
    assert (fields.texts("names"), fields.fields("inner").whole("dim")) == (["a"], 4)


@pytest.mark.parametrize("value", [None, True, "3", 3.0, -1, 1e300, [], {}, 10**50, float("nan")])
def test_a_field_of_another_kind_is_named_with_its_value(value):
    with pytest.raises(ValueError, match=r"inner\.dim is .* not a whole number from 0 to"):
        Fields({"inner": {"dim": value}}).fields("inner").whole("dim")


@pytest.mark.parametrize("read", ["text", "number", "texts", "fields"])
def test_a_missing_field_is_named_and_a_wrong_one_refused(read):
    with pytest.raises(ValueError, match="it lacks x"):
        getattr(Fields({}), read)("x")
    wrong = json.loads('{"x": 3, "y": "text", "z": NaN, "i": Infinity, "n": [1]}')
    for key in wrong:
        if (read, key) not in {("number", "x"), ("text", "y")}:
            with pytest.raises(ValueError, match=rf"{key} is "):
                getattr(Fields(wrong), read)(key)


def test_an_error_from_inside_gets_a_note_that_says_where_unless_it_does():
    for text, notes in (("no layer 3", ["(met in dir:/models/x)"]), ("/models/x has no layer 3", [])):
        with pytest.raises(UserError) as caught, reading("dir:/models/x", UserError, "a model"):
            raise UserError(text)
        assert (str(caught.value), getattr(caught.value, "__notes__", [])) == (text, notes)
