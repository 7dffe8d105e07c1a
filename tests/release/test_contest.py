"""Which rows two classifiers can be compared on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.encoder import Encoder
from pipeline.errors import InputError
from pipeline.images.encoder import ImageEncoder
from pipeline.inputs import Images, Sequences
from pipeline.options import Tokenize
from pipeline.prediction.classifier import Classifier
from pipeline.release import contest
from pipeline.text.encoder import TextEncoder

PIXELS = Images.from_pixels(np.arange(16, dtype=np.uint8).reshape(4, 2, 2, 1))
TEXTS = ["one", "two", "three", "four"]
ENCODER = TextEncoder.learn(TEXTS, Tokenize(minimum_count=1))
SEQUENCES = ENCODER.encode(TEXTS)


def rows_of(inputs: Sequences | Images) -> contest.HeldOutRows:
    lines = pd.DataFrame({"line": [2, 3, 4, 5], "text": TEXTS}, index=[7, 8, 11, 12])  # as in the corpus
    return contest.HeldOutRows(
        inputs, np.array([10, 20, 30, 40], np.uint64), np.array(list("abab"), object), lines
    )


def keys(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def test_rows_that_one_of_them_was_trained_on_are_left_out_and_counted() -> None:
    remaining = rows_of(SEQUENCES).without(keys(20, 99), "the run").without(keys(40, 20), "the champion")
    assert (remaining.origin["text"].tolist(), remaining.truth.tolist()) == (["one", "three"], ["a", "a"])
    assert remaining.inputs.as_sequences().ids.tolist() == ENCODER.encode(["one", "three"]).ids.tolist()
    assert (remaining.keys.tolist(), remaining.origin["line"].tolist(), remaining.left_out) == (
        [10, 30],
        [2, 4],
        2,
    )


def test_of_images_the_rows_are_left_out_too() -> None:
    remaining = rows_of(PIXELS).without(keys(10, 30), "the champion")
    assert remaining.inputs.padded()[:, 0, 0, 0].tolist() == [4, 12]


def test_where_no_row_is_left_the_error_says_who_was_trained_on_them() -> None:
    with pytest.raises(InputError, match="the champion was trained on all of this run's test rows"):
        rows_of(SEQUENCES).without(keys(40, 30, 20, 10), "the champion")


@pytest.mark.parametrize(
    ("encoder", "inputs", "message"),
    [
        (ENCODER, SEQUENCES, None),
        (ImageEncoder(2, 2, 1), PIXELS, None),
        (ImageEncoder(2, 2, 3), PIXELS, r"takes images of \(2, 2, 3\), and this run of \(2, 2, 1\)"),
        (ImageEncoder(2, 2, 1), SEQUENCES, "takes images, and this run texts"),
        (ENCODER, PIXELS, "takes texts, and this run images"),
    ],
)
def test_a_champion_is_asked_about_rows_of_its_own_kind_and_size(
    encoder: Encoder, inputs: Sequences | Images, message: str | None
) -> None:
    champion = Classifier(lambda: pytest.fail("it was asked"), encoder, ["a", "b"], "text")
    if message is None:
        contest.check_accepts(champion, rows_of(inputs))
        return
    with pytest.raises(InputError, match=message):
        contest.check_accepts(champion, rows_of(inputs))
