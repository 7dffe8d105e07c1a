"""The columns that predictions may have: what a classifier can give of them, and their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.measures.abstention import Outcomes
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
        ({"precision": 1.0}, "abstain", "precision is 1.0: expected a share below 1"),
        ({"precision": float("nan")}, "abstain", "precision is nan: expected a share below 1"),
        ({"precision_by_class": -0.1}, "abstain", "precision_by_class is -0.1: expected a share below 1"),
        ({"precision": 0.9, "abstain": 0.5}, "abstain", "expected one of them"),
    ],
)
def test_columns_that_the_classifier_cannot_give_are_refused_with_their_option(
    columns: dict[str, Any], option: str, expected: str
) -> None:
    with pytest.raises(InputError, match=expected) as raised:
        Labeller(texts_classifier(), OutputColumns(**columns), Path())
    assert raised.value.option == option


def shown(rows: int, wrong: int, label: int = 0) -> Outcomes:
    """Validation rows of one predicted label and probability 0.75."""
    correct = np.arange(rows) >= wrong
    return Outcomes(np.full(rows, 0.75, np.float32), np.full(rows, label, np.int32), correct)


def test_a_precision_sets_the_probability_that_the_validation_part_shows() -> None:
    classifier = texts_classifier()
    classifier.validation = shown(60, 0)
    assert OutputColumns(abstain=0.5).thresholds(classifier).tolist() == [0.5, 0.5]
    assert OutputColumns(precision=0.95).thresholds(classifier).tolist() == [0.75, 0.75]
    assert OutputColumns(precision_by_class=0.95).thresholds(classifier).tolist() == [0.75, np.inf]


@pytest.mark.parametrize(
    ("validation", "columns", "said"),
    [
        (None, {"precision": 0.95}, "and this model does not say: train again"),
        (shown(100, 2), {"precision": 0.95}, "the 100 validation rows do not show a precision of 0.95 at any "
         "probability; the highest over all classes is 0.93"),
        (shown(60, 0), {"precision_by_class": 0.99}, "of 0.99 at any probability of any class; the highest "
         "over all classes is 0.95"),
        (shown(60, 60), {"precision": 0.5}, "they are too few for any"),
    ],
)  # fmt: skip
def test_a_precision_that_the_validation_part_does_not_show_is_refused(
    validation: Outcomes | None, columns: dict[str, float], said: str
) -> None:
    classifier = texts_classifier()
    classifier.validation = validation
    with pytest.raises(InputError, match=said):
        Labeller(classifier, OutputColumns(**columns), Path())


def test_images_have_no_evidence() -> None:
    with pytest.raises(InputError, match="images have no n-grams"):
        Labeller(images_classifier(), OutputColumns(evidence=True), Path())
