"""Any image file is read as Pillow's own conversion to RGB has it, or refused by name, and nothing leaks."""

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from image_files import encoded, picture
from PIL import Image

from geo_lm4ve.images.decode import MOST_PIXELS, decoded, decoded_mask, image_size, read_image
from geo_lm4ve.parts.data import DataError

KINDS = {
    "JPEG": ("RGB", "L", "1", "CMYK"),
    "PNG": ("RGB", "L", "1", "P", "RGBA", "LA"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("RGB", "L", "1", "P", "RGBA"),
    "TIFF": ("RGB", "L", "1", "P", "RGBA", "LA", "CMYK"),
    "GIF": ("RGB", "L", "1", "P", "RGBA"),
    "PPM": ("RGB", "L", "1"),
}


def pillow(content):
    """What the loaders of published models see."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in KINDS.items() for mode in modes])
def test_pixels_are_those_of_pillows_conversion(kind, mode):
    content = encoded(picture().convert(mode), kind)
    image = decoded("x", content)
    assert image.mode == "RGB"
    assert np.array_equal(np.asarray(image), pillow(content))
    assert image_size("x", content) == image.size == (12, 10)


def test_transparency_is_dropped_and_blended_with_nothing():
    colours = np.full((4, 4, 4), (200, 100, 50, 0), np.uint8)
    image = decoded("x", encoded(Image.fromarray(colours)))
    assert np.array_equal(np.asarray(image), colours[..., :3])


def test_a_palette_with_transparency_does_not_warn():
    palette = picture().convert("P")
    content = encoded(palette, "PNG", transparency=bytes(range(256)))
    assert np.array_equal(np.asarray(decoded("x", content)), np.asarray(palette.convert("RGB")))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_gray_of_16_bits_is_scaled_and_not_cut_off(kind):
    values = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    image = np.asarray(decoded("x", encoded(Image.fromarray(values), kind)))
    assert np.array_equal(image, np.repeat((values // 257)[..., None], 3, axis=2))


def test_values_of_no_stated_range_are_refused():
    with pytest.raises(DataError, match=r"deep\.tif .*its values reach from -5 to 70000; save it with 8 or 16 bits"):
        decoded("deep.tif", encoded(Image.fromarray(np.array([[-5, 70000]], np.int32)), "TIFF"))
    with pytest.raises(DataError, match="floating point, of no stated range"):
        decoded("x", encoded(Image.fromarray(np.zeros((2, 2), np.float32)), "TIFF"))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_the_first_frame_of_an_animation_counts(kind):
    first, second = picture(1), picture(2)
    content = encoded(
        first, kind, save_all=True, append_images=[second], **({"lossless": True} if kind == "WEBP" else {})
    )
    assert np.array_equal(np.asarray(decoded("x", content)), pillow(content))
    if kind != "GIF":
        assert np.array_equal(np.asarray(decoded("x", content)), np.asarray(first))


def test_one_pixel_is_an_image():
    assert decoded("x", encoded(picture(0, 1, 1))).size == (1, 1)


def test_the_orientation_of_a_photograph_is_left_and_damage_in_its_description_is_no_damage():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(picture(), "JPEG", exif=exif, comment=b"x" * 100)
    plain = encoded(picture(), "JPEG")
    assert decoded("x", content).size == (12, 10)
    damaged = content.replace(b"Exif\0\0MM\0*", b"Exif\0\0MM\xff\xff")
    assert np.array_equal(np.asarray(decoded("x", damaged)), np.asarray(decoded("x", plain)))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "an empty file"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC photograph"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "an AVIF image"),
        (b"\n<!DOCTYPE html><title>404</title>", "a web page"),
        (b'<?xml version="1.0"?>\n<!-- x -->\n<svg width="3"/>', "a drawing"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS"),
        (b"nothing at all", "of no kind that is known here"),
    ],
)
def test_what_is_no_image_is_called_by_its_name(content, what):
    with pytest.raises(DataError, match=rf"cat\.jpg is cut off, damaged or not an image \(it is {what}.*replace it"):
        decoded("cat.jpg", content)


def declared(kind, width, height):
    """A small file that declares a large image."""
    content = bytearray(encoded(picture(), kind))
    if kind == "PNG":
        content[16:24] = struct.pack(">2I", width, height)

        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    elif kind == "BMP":
        content[18:26] = struct.pack("<2i", width, height)
    elif kind == "GIF":
        content[6:10] = struct.pack("<2H", width, height)
    else:
        return f"P6 {width} {height} 255\n".encode() + bytes(100)
    return bytes(content)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "PPM"])
def test_huge_images_are_refused_before_memory_is_asked_for(kind):
    with pytest.raises(DataError, match=rf"30,000 x 30,000 pixels, at most {MOST_PIXELS:,} in all"):
        decoded("huge", declared(kind, 30_000, 30_000))


def test_a_huge_webp_is_refused_before_its_decoder_is_made():
    head = b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (29_999).to_bytes(3, "little") * 2
    with pytest.raises(DataError, match="30,000 x 30,000 pixels"):
        decoded("huge", head + bytes(40))


def test_the_limit_on_what_files_may_ask_for_holds_for_images(monkeypatch):
    monkeypatch.setenv("GEO_LM4VE_READ_LIMIT", "0.01")
    with pytest.raises(DataError, match="GEO_LM4VE_READ_LIMIT=GIB if it is meant"):
        decoded("x", declared("PNG", 3000, 3000))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM"])
def test_truncated_files_are_named(kind, tmp_path):
    content = encoded(picture(0, 64, 64), kind)
    path = tmp_path / "half.jpg"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"half\.jpg .*an image .*replace it or leave it out"):
        read_image(path)


def test_threads_see_what_one_sees_and_filters_of_warnings_stay():
    contents = [encoded(picture(n), kind) for n in range(4) for kind in ("JPEG", "TIFF", "GIF")]
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda content: np.asarray(decoded("x", content)), contents * 4))
    assert warnings.filters == before
    for image, content in zip(found, contents * 4):
        assert np.array_equal(image, pillow(content))


def test_masks_are_white_where_the_object_is():
    one_bit = picture().convert("1")
    assert set(np.unique(np.asarray(decoded_mask("x", encoded(one_bit))))) == {0, 255}
    with pytest.raises(DataError, match=r"m\.png .*its highest value is 1, where an object should be 255"):
        decoded_mask("m.png", encoded(Image.fromarray(np.eye(3, dtype=np.uint8))))
    assert decoded_mask("x", encoded(Image.new("L", (3, 3)))).getextrema() == (0, 0)
