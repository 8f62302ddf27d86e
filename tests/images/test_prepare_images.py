import io
import shutil

import pytest
from PIL import Image
from rich.console import Console

from geo_lm4ve.commands import prepare
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.prepare.base import find

FEW = ("--train", "2", "--val", "1", "--test", "0", "--pixels", "16")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("images") / "made"
    prepare.main(["synthetic_images", *FEW, "--root", str(root)])
    return root


@pytest.fixture
def root(made, tmp_path):
    return shutil.copytree(made, tmp_path / "copy")


def printed(table):
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    return console.file.getvalue()


def test_the_command_generates_and_says_how_to_read_it(tmp_path, capsys):
    prepare.main(["synthetic_images", *FEW, "--seed", "4", "--root", str(tmp_path)])
    said = capsys.readouterr().out
    assert "30 images of 16 x 16 pixels, the solid takes 0." in said
    assert (
        f"data=synthetic_images data.root={tmp_path} data.train=2 data.val=1 data.test=0 data.pixels=16 data.seed=4"
        in (" ".join(said.split()))
    )


def test_check_counts_by_class_and_split(root):
    rows = [line.split() for line in printed(find("synthetic_images").check(root)).replace("│", " ").splitlines()]
    assert ["chair", "2", "1"] in [row[:3] for row in rows]


def test_there_is_nothing_to_take_it_from(tmp_path):
    with pytest.raises(DataError, match="synthetic_images is generated: --from has no meaning here"):
        find("synthetic_images").prepare(tmp_path, tmp_path)


def test_a_folder_without_a_manifest_is_no_set(tmp_path):
    with pytest.raises(DataError, match=r"holds no images that .* synthetic_images has made; if that was cut off, run"):
        find("synthetic_images").check(tmp_path)


def test_what_is_missing_is_counted(root):
    (root / "train" / "mug" / "00001.jpg").unlink()
    with pytest.raises(DataError, match=r"holds \{'train': 19, 'val': 10\} images, its manifest says \{'train': 20"):
        find("synthetic_images").check(root)


def cut(stem):
    path = stem.with_suffix(".jpg")
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda stem: stem.with_suffix(".png").unlink(), "lacks 1 of 10 masks"),
        (lambda stem: stem.with_suffix(".png").write_bytes(b""), "an empty file"),
        (cut, "truncated"),
        (lambda stem: Image.new("1", (17, 17)).save(stem.with_suffix(".png")), "has 17 x 17 pixels, its image"),
    ],
    ids=["missing", "empty", "cut", "size"],
)
def test_a_damaged_image_or_mask_is_named(root, spoil, said):
    spoil(root / "val" / "gear" / "00000")
    with pytest.raises(DataError, match=said) as refused:
        find("synthetic_images").check(root)
    assert "gear/00000" in str(refused.value)
