"""Logistic regression on pixels."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.baselines import pixels
from pipeline.inputs import Images
from tests.baselines.choosing import fit


def test_pixels_are_shares_of_white_and_larger_images_means_of_squares() -> None:
    small = np.array([[[[0], [51]], [[102], [255]]]], np.uint8)
    np.testing.assert_allclose(pixels.values(Images.from_pixels(small)), [[0, 0.2, 0.4, 1]], rtol=1e-6)
    large = np.zeros((1, 64, 65, 1), np.uint8)  # squares of 3 x 3: 21 x 21 of them, and a rim left out
    large[0, :3, :3] = 255
    large[0, 3, 0] = 9 * 17  # of which a ninth is 17, a fifteenth of white
    values = pixels.values(Images.from_pixels(large)).reshape(21, 21)
    assert (
        values[0, 0] == 1 and values[1, 0] == pytest.approx(1 / 15) and values.sum() == pytest.approx(16 / 15)
    )


def test_it_learns_where_an_image_is_bright_and_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 90)
    images = random.integers(0, 120, (90, 4, 4, 1)).astype(np.uint8)
    images[np.arange(90), labels] += 100
    monkeypatch.setattr(pixels, "MAX_VALUES", 60 * 16)
    rows = Images.from_pixels(images)
    fitted, _ = fit("pixels", (rows, labels), (rows, labels), 3, "accuracy", seed=1)
    assert fitted.setting.endswith(", 60 rows of 16 values")
    assert (fitted.predict(rows) == labels).mean() > 0.95
    again, _ = fit("pixels", (rows, labels), (rows, labels), 3, "accuracy", seed=1)
    np.testing.assert_array_equal(fitted.predict(rows), again.predict(rows))


def test_the_majority_of_images_is_that_of_their_labels() -> None:
    rows = Images.from_pixels(np.zeros((3, 2, 2, 1), np.uint8))
    labels = np.array([1, 0, 1])
    part = rows, labels
    assert fit("majority", part, part, 2, "accuracy", 1)[0].predict(rows).tolist() == [1, 1, 1]
    assert fit("pixels", (rows, labels * 0), part, 2, "accuracy", 1)[0].predict(rows).tolist() == [
        0,
        0,
        0,
    ]


def test_by_macro_f1_every_class_may_weigh_the_same() -> None:
    # Two in three of the bright images are of class 1, as all dark ones are: by accuracy bright is class 1.
    # If the classes weigh the same, all of class 0 are bright, and 40 of 140 of class 1.
    images = Images.from_pixels(np.repeat(np.array([250, 5], np.uint8), [60, 100]).reshape(160, 1, 1, 1))
    labels = np.array([0] * 20 + [1] * 140)
    part = images, labels
    by_accuracy, by_macro_f1 = (fit("pixels", part, part, 2, one, 1)[0] for one in ("accuracy", "macro_f1"))
    assert by_accuracy.predict(images).tolist() == [1] * 160
    assert by_macro_f1.predict(images).tolist() == [0] * 60 + [1] * 100
    assert ", balanced, 160 rows" in by_macro_f1.setting
