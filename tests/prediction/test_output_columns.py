"""The columns that predictions may have: what a classifier can give of them, and their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.prediction.labeller import Labeller
from pipeline.prediction.output_columns import OutputColumns
from tests.prediction.handmade import images_classifier, texts_classifier


def test_the_names_stand_in_the_order_of_the_columns() -> None:
    every = OutputColumns(top=2, probabilities=True, evidence=True, shares=True)
    assert every.names(["2", "good"]) == [
        "predicted_label",
        "probability",
        "predicted_label_2",
        "probability_2",
        "probability_of_2",
        "probability_of_good",
        "unknown_words",
        "cut_off",
        "evidence",
    ]


@pytest.mark.parametrize(
    ("columns", "option", "expected"),
    [
        ({"top": 0}, "top", "top is 0: expected a number of labels from 1 to 2"),
        ({"top": 3}, "top", "top is 3: expected a number of labels from 1 to 2"),
        ({"abstain": 1.5}, "abstain", "abstain is 1.5: expected a probability from 0 to 1"),
        ({"abstain": float("nan")}, "abstain", "abstain is nan: expected a probability"),
    ],
)
def test_columns_that_the_classifier_cannot_give_are_refused_with_their_option(
    columns: dict[str, Any], option: str, expected: str
) -> None:
    with pytest.raises(InputError, match=expected) as raised:
        Labeller(texts_classifier(), OutputColumns(**columns), Path())
    assert raised.value.option == option


def test_images_have_no_evidence() -> None:
    with pytest.raises(InputError, match="images have no n-grams"):
        Labeller(images_classifier(), OutputColumns(evidence=True), Path())
