"""Image files as a classifier takes them, by their paths and by their bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from pipeline.errors import InputError
from pipeline.images import encoder as image_encoder
from pipeline.images.encoder import ImageEncoder
from pipeline.tables.columns import concatenate


def saved(folder: Path, image: Image.Image) -> Path:
    image.save(folder / "image.png")
    return folder / "image.png"


def test_the_encoder_reads_what_can_be_read_and_says_why_the_rest_cannot(tmp_path: Path) -> None:
    good = saved(tmp_path, Image.new("RGB", (5, 5), (1, 2, 3)))
    encoder = ImageEncoder(2, 3, 3)
    data, bounds = concatenate([str(path).encode() for path in (good, tmp_path / "none.png", good)])
    (rows,) = encoder.encode_bytes(data, bounds, tmp_path)
    assert rows.inputs.padded().tolist() == [[[[1, 2, 3]] * 3] * 2] * 2
    assert rows.problems == ["", "no such file or directory", ""]
    assert [counts.tolist() for counts in rows.tokens] == [[1, 1], [1, 1], [0, 0]]
    with pytest.raises(InputError, match="none.png: no such file"):
        encoder.encode([good, tmp_path / "none.png"])
    assert encoder.encode([]).padded().shape == (0, 2, 3, 3)
    assert list(encoder.encode_bytes(*concatenate([]), tmp_path)) == []


def test_an_encoder_comes_back_from_json_and_from_nothing_else() -> None:
    encoder = ImageEncoder(2, 3, 1)
    assert ImageEncoder.from_json(encoder.to_json()) == encoder
    sizes = [{"height": 0}, {"height": 10**8}, {"width": 10**30}, {"channels": 2}, {"channels": True}]
    for wrong in (None, [], {}, {"height": 2, "width": 3}, *(encoder.to_json() | size for size in sizes)):
        with pytest.raises(InputError, match="encoder.json: no sizes"):
            ImageEncoder.from_json(wrong, "encoder.json")


def test_paths_are_relative_to_the_folder_and_without_one_rows_are_the_files_bytes(tmp_path: Path) -> None:
    good = saved(tmp_path, Image.new("L", (2, 2), 7))
    encoder = ImageEncoder(2, 2, 1)
    (by_path,) = encoder.encode_bytes(*concatenate([b"image.png"]), tmp_path)
    (by_bytes,) = encoder.encode_bytes(*concatenate([good.read_bytes(), b"no image"]), None)
    assert by_path.inputs.padded().tolist() == by_bytes.inputs.padded().tolist() == [[[[7], [7]], [[7], [7]]]]
    assert (by_path.problems, by_bytes.problems) == ([""], ["", "no png, jpg, webp, gif, bmp or tiff image"])


def test_a_batch_holds_no_more_pixels_than_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = saved(tmp_path, Image.new("L", (2, 2), 7))
    monkeypatch.setattr(image_encoder, "BATCH_BYTES", 2 * 4 + 1)
    rows = concatenate([str(good).encode()] * 5)
    assert [len(batch.inputs) for batch in ImageEncoder(2, 2, 1).encode_bytes(*rows, tmp_path)] == [2, 2, 1]


def test_a_served_model_takes_the_bytes_of_its_own_example() -> None:
    encoder = ImageEncoder(2, 3, 3)
    column = encoder.served_column("path")
    assert (column.name, column.type) == ("image", "binary")
    rows = concatenate([encoder.to_bytes(value) for value in column.examples])
    (batch,) = encoder.encode_bytes(*rows, None)
    assert batch.inputs.padded().tolist() == [[[[255] * 3] * 3] * 2]
    with pytest.raises(InputError, match="a str: expected the bytes of an image file"):
        encoder.to_bytes("image.png")
