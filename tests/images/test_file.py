"""What becomes of image files of every mode, and of files that are none."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.images.file import Unreadable, fitted, is_grey, opened
from pipeline.inputs import Images

ROOT = Path(__file__).resolve().parents[2]


def read(path: Path, height: int = 2, width: int = 2, channels: int = 3) -> np.ndarray:
    with opened(path) as image:
        return fitted(image, height, width, channels)


NO_IMAGE = "no png, jpg, webp, gif, bmp or tiff image"


def saved(folder: Path, image: Image.Image, name: str = "image.png", **options) -> Path:
    image.save(folder / name, **options)
    return folder / name


def reason(path: Path) -> str:
    with pytest.raises(Unreadable) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def png(width: int, height: int, body: bytes) -> bytes:
    """A grey png whose header says a size and whose pixels are `body`."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_grey_and_coloured_pixels_come_back_as_they_are(tmp_path: Path) -> None:
    grey = np.array([[0, 100], [200, 255]], np.uint8)
    path = saved(tmp_path, Image.fromarray(grey))
    np.testing.assert_array_equal(read(path, channels=1)[:, :, 0], grey)
    np.testing.assert_array_equal(read(path), np.repeat(grey[:, :, None], 3, axis=2))
    colour = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(read(saved(tmp_path, Image.fromarray(colour))), colour)


def test_sixteen_bits_keep_their_upper_eight(tmp_path: Path) -> None:
    values = np.array([[0, 255], [25_700, 65_535]], np.uint16)
    path = saved(tmp_path, Image.fromarray(values))
    assert read(path, channels=1)[:, :, 0].tolist() == [[0, 0], [100, 255]]
    with opened(path) as image:
        assert is_grey(image)


def test_black_and_white_is_black_and_white(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.fromarray(np.array([[True, False], [False, True]])))
    assert read(path, channels=1)[:, :, 0].tolist() == [[255, 0], [0, 255]]


def test_what_is_transparent_shows_white(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0] = [255, 0, 0, 255]  # a red upper half; the lower one is not there
    expected = [[[255, 0, 0]] * 2, [[255, 255, 255]] * 2]
    assert read(saved(tmp_path, Image.fromarray(pixels))).tolist() == expected
    half = np.array([[[0, 128]] * 2] * 2, np.uint8)  # grey with alpha
    assert read(saved(tmp_path, Image.fromarray(half, "LA")), channels=1).ravel().tolist() == [127] * 4


def test_a_palette_gives_its_colours_and_its_transparent_one_shows_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    image.putpalette([10, 20, 30, 200, 100, 50])
    opaque = read(saved(tmp_path, image))
    assert opaque.tolist() == [[[10, 20, 30], [200, 100, 50]], [[200, 100, 50], [10, 20, 30]]]
    clear = read(saved(tmp_path, image, transparency=1))
    assert clear.tolist() == [[[10, 20, 30], [255] * 3], [[255] * 3, [10, 20, 30]]]


def test_cmyk_is_read_in_its_colours(tmp_path: Path) -> None:
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # magenta and yellow: red
    red = read(saved(tmp_path, cmyk, "image.jpg", quality=95), 16, 16)
    assert np.abs(red.reshape(-1, 3).mean(axis=0) - [255, 0, 0]).max() < 12


def test_an_image_is_turned_upright_as_exif_says(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16), np.uint8)
    pixels[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise: what is above comes to the right
    for name in ("image.png", "image.jpg"):
        turned = read(saved(tmp_path, Image.fromarray(pixels), name, exif=exif), 16, 16, 1)[:, :, 0]
        assert turned[:, :6].mean() < 20 and turned[:, 10:].mean() > 235


def test_another_size_is_scaled_with_its_aspect_kept_and_cut_to_the_middle(tmp_path: Path) -> None:
    wide = np.zeros((20, 60), np.uint8)
    wide[:, 20:40] = 255
    assert (read(saved(tmp_path, Image.fromarray(wide)), 10, 10, 1) > 200).mean() > 0.95
    tiny = read(saved(tmp_path, Image.new("L", (1, 1), 77)), 4, 6, 1)
    assert tiny.shape == (4, 6, 1) and (tiny == 77).all()


def test_a_large_jpg_is_read_at_a_lower_resolution_to_the_same_colours(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("RGB", (1000, 800), (200, 60, 20)), "image.jpg")
    assert np.abs(read(path, 8, 8).reshape(-1, 3).mean(axis=0) - [200, 60, 20]).max() < 4


@pytest.mark.parametrize("name", ["image.png", "image.jpg"])
def test_a_truncated_image_is_damaged_or_cut(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    whole = saved(tmp_path, Image.fromarray(noise), name).read_bytes()
    for length in (len(whole) // 2, len(whole) * 9 // 10, 30):
        (tmp_path / name).write_bytes(whole[:length])
        assert "cut" in reason(tmp_path / name) or NO_IMAGE in reason(tmp_path / name)


def test_garbage_is_no_image_and_a_missing_file_or_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    for garbage in (b"", b"garbage", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(40), b"<svg/>"):
        path.write_bytes(garbage)
        assert reason(path) == NO_IMAGE or "damaged or cut" in reason(path)
    Image.new("L", (2, 2)).save(path, "PPM")  # whatever its name says
    assert reason(path) == NO_IMAGE
    assert reason(tmp_path / "none.png") == "no such file or directory"
    assert reason(tmp_path) == "is a directory"


def test_wrong_checksums_are_damage(tmp_path: Path) -> None:
    whole = bytearray(png(2, 2, zlib.compress(bytes(6))))
    (tmp_path / "image.png").write_bytes(whole)
    assert read(tmp_path / "image.png").shape == (2, 2, 3)
    whole[20] ^= 1
    (tmp_path / "image.png").write_bytes(whole)
    assert reason(tmp_path / "image.png")


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    (tmp_path / "image.png").write_bytes(png(side, side, zlib.compress(bytes(10))))
    assert "pixels, as in a decompression bomb" in reason(tmp_path / "image.png")


@pytest.mark.parametrize("mode", ["I;16", "LA", "RGB", "RGBA", "P"])
def test_a_large_image_is_converted_in_strips_to_the_same_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (50, 30, 4)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    if mode == "I;16":
        image = Image.fromarray(noise[:, :, :2].copy().view(np.uint16)[:, :, 0])
    else:
        image = Image.fromarray(noise).convert(mode)
    path = saved(tmp_path, image, exif=exif, **({"transparency": 3} if mode == "P" else {}))
    whole = [read(path, 20, 20, channels) for channels in (1, 3)]
    monkeypatch.setattr("pipeline.images.file.STRIP_PIXELS", 70)
    for channels, expected in zip((1, 3), whole, strict=True):
        np.testing.assert_array_equal(read(path, 20, 20, channels), expected)


def test_the_memory_for_a_large_image_is_a_few_bytes_a_pixel(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.fromarray(np.zeros((6000, 6000), np.uint16)))
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom pipeline.images.file import fitted, opened\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "with opened(Path(sys.argv[1])) as image:\n    fitted(image, 8, 8, 1)\n"
        "print((peak() - before) * 1024 / 6000 ** 2)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True)
    assert float(done.stdout) < 6, done.stderr


def test_a_lack_of_memory_is_no_fault_of_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("L", (2, 2)))
    with pytest.raises(MemoryError), opened(path):
        raise MemoryError


def test_images_are_selected_in_order_and_read_from_a_map_as_from_memory(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 4, 8, 3)).astype(np.uint8)
    np.save(tmp_path / "images.npy", pixels)
    for images in (
        Images.from_pixels(pixels),
        Images.from_pixels(np.load(tmp_path / "images.npy", mmap_mode="r")),
    ):
        assert images.shape == (4, 8, 3) and images.lengths.tolist() == [1] * 9
        chosen = images.select(np.array([7, 0, 3])).select(np.array([2, 0]))
        np.testing.assert_array_equal(chosen.padded(), pixels[[3, 7]])
        assert type(chosen.padded()) is np.ndarray


@pytest.mark.parametrize(("name", "options"), [
    ("a.webp", {"lossless": True}),
    ("a.gif", {}),
    ("a.bmp", {}),
    ("a.tiff", {}),
    ("a.tif", {"compression": "tiff_lzw"}),
])  # fmt: skip
def test_other_formats_are_read_like_png(tmp_path: Path, name: str, options: dict[str, object]) -> None:
    path = saved(tmp_path, Image.new("RGB", (4, 4), (200, 60, 20)), name, **options)
    assert read(path, 2, 2).reshape(-1, 3).tolist() == [[200, 60, 20]] * 4


@pytest.mark.parametrize(("format", "start", "size"), [
    ("GIF", 6, b"\xff" * 4),
    ("WEBP", 21, b"\xff" * 3 + b"\x0f"),  # 28 bits for width and height
    ("BMP", 18, b"\xff\xff\0\0" * 2),
])  # fmt: skip
def test_a_decompression_bomb_of_another_format_is_refused_too(
    tmp_path: Path, format: str, start: int, size: bytes
) -> None:
    Image.new("RGB", (4, 4)).save(
        tmp_path / "image", format, **({"lossless": True} if format == "WEBP" else {})
    )
    content = bytearray((tmp_path / "image").read_bytes())
    content[start : start + len(size)] = size
    (tmp_path / "image").write_bytes(content)
    assert "pixels, as in a decompression bomb" in reason(tmp_path / "image")


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.tiff"])
def test_of_several_images_in_a_file_the_first_is_read(tmp_path: Path, name: str) -> None:
    first, second = (Image.new("RGB", (4, 4), color) for color in ((200, 60, 20), (0, 0, 255)))
    options = {"lossless": True} if name == "a.webp" else {}
    path = saved(tmp_path, first, name, save_all=True, append_images=[second], **options)
    assert read(path, 2, 2).reshape(-1, 3).tolist() == [[200, 60, 20]] * 4
