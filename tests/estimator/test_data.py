"""What a caller gives is taken as texts, labels and weights, or refused with its place."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.estimator.data import check_labelled_texts, check_texts
from pipeline.inputs import BOUNDARY


@pytest.mark.parametrize(
    "texts",
    [
        ["a", "b"],
        ("a", "b"),
        np.array(["a", "b"]),
        np.array(["a", "b"], object),
        pd.Series(["a", "b"], index=[7, 3]),
        pd.Series(["a", "b"], dtype="category"),
        pd.DataFrame({"text": ["a", "b"]}),
        (text for text in "ab"),
    ],
    ids=lambda texts: type(texts).__name__,
)
def test_texts_are_taken_in_many_forms(texts: Any) -> None:
    found = check_texts(texts)
    assert found == ["a", "b"] and {type(text) for text in found} <= {str, np.str_}


def test_the_texts_of_a_row_are_joined_by_a_boundary() -> None:
    table = pd.DataFrame({"title": ["a", "b"], "body": ["c", "d"]})
    assert check_texts(table) == check_texts(table.to_numpy()) == [f"a{BOUNDARY}c", f"b{BOUNDARY}d"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", r"write \[text\]"),
        (["a", 5], "text 1 is 5, a int, where str was expected"),
        (["a", None], "text 1 is None, a NoneType"),
        ([float("nan"), "a"], "text 0 is nan, a float"),
        ([b"a"], "text 0 is b'a', a bytes"),
        (np.zeros((2, 2, 2)), "3 dimensions"),
        (np.empty((2, 0)), "without columns"),
        (pd.Series(["a", pd.NA]), "text 1 is"),
        (["a", "\ud800"], "text 1 has half a surrogate pair"),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(texts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_texts(texts)


def test_labels_are_places_in_the_sorted_classes_and_rows_of_weight_0_are_left_out() -> None:
    data = check_labelled_texts(["a", "b", "c", "d"], ["y", "x", "z", "y"], [1, 0.5, 0, 2])
    assert data.texts == ["a", "b", "d"]
    assert data.classes.tolist() == ["x", "y"] and data.labels.tolist() == [1, 0, 1]
    assert data.weights is not None and data.weights.tolist() == [1, 0.5, 2]
    assert check_labelled_texts(["a", "b"], [True, False], None).weights is None


@pytest.mark.parametrize(
    ("labels", "weights", "message"),
    [
        (["x"], None, "1 labels were given for 2 texts"),
        (["x", "x"], None, "one class where two classes"),
        (None, None, "requires y"),
        ([0.5, 1.7], None, "continuous"),
        ([1, float("nan")], None, "label 1 is nan: drop rows"),
        (["x", None], None, "labels of NoneType where texts or numbers"),
        ([date(2026, 1, 2), date(2026, 1, 3)], None, "labels of date"),
        (np.array(["2026-01-02", "2026-01-03"], "datetime64[D]"), None, "labels of date"),
        (["x", "\ud800"], None, "half surrogate pairs"),
        (["x", "y"], [1], r"shape \(1,\) where \(2,\)"),
        (["x", "y"], [1, -1], "negative or not finite"),
        (["x", "y"], [1, np.inf], "negative or not finite"),
        (["x", "y"], [0, 0], "zero for all rows"),
        (["x", "y"], [1, 0], "one class"),
    ],
)
def test_labels_and_weights_that_cannot_be_are_refused(labels: Any, weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_labelled_texts(["a", "b"], labels, weights)


def test_the_columns_of_a_table_are_known_by_their_names() -> None:
    def columns(texts: Any) -> list[str]:
        return check_labelled_texts(texts, ["x", "y"], None).columns

    texts = ["a", "b"]
    assert columns(texts) == columns(pd.Series(texts)) == columns(np.array(texts)) == ["text"]
    assert columns(pd.Series(texts, name="review")) == ["review"]
    assert columns(pd.DataFrame({"title": texts, "body": texts})) == ["title", "body"]
    assert columns(np.array([texts, texts])) == ["text_1", "text_2"]


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="0 texts"):
        check_labelled_texts([], [], None)
