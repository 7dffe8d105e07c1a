"""A linear model that was fitted without one class at a time."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.baselines import unseen_classes
from pipeline.baselines.unseen_classes import leave_classes_out
from pipeline.inputs import Sequences

NAMES = ["a", "b", "c", "untested"]


def sequences(rows: list[list[int]]) -> Sequences:
    lengths = [len(row) for row in rows]
    ids = np.array([token for row in rows for token in row], np.int32)
    return Sequences(ids=ids, offsets=np.cumsum([0, *lengths]))


# Each class has a word of its own; a row of an unseen one holds no known n-gram but the word 9 of all.
ROWS = sequences([[2, 9], [3, 9], [4, 9]] * 20)
LABELS = np.array([0, 1, 2] * 20)
TEST = sequences([[2], [3], [4], [9]])


def test_a_class_whose_words_are_its_own_stands_out_from_known_classes() -> None:
    found = leave_classes_out(ROWS, LABELS, sequences([[2], [3], [4]] * 3), np.array([0, 1, 2] * 3), NAMES)
    assert [(entry.label, entry.rows, entry.auroc) for entry in found.classes] == [
        ("a", 3, 1), ("b", 3, 1), ("c", 3, 1),
    ]  # fmt: skip


def test_a_class_of_known_words_hides_among_them() -> None:
    """Class c has the words of a: without one of them, its rows are as sure as the other's."""
    rows = sequences([[2, 9], [3, 9], [2, 9]] * 20)
    found = leave_classes_out(rows, LABELS, sequences([[2], [2]]), np.array([0, 2]), NAMES)
    assert [(entry.label, entry.auroc) for entry in found.classes] == [("a", 0.5), ("c", 0.5)]


def test_the_largest_classes_are_left_out_and_one_without_test_rows_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = sequences([[2], [3], [3], [4], [4], [4], [5]])
    labels, truth = np.array([0, 1, 1, 2, 2, 2, 3]), np.array([0, 1, 2])
    monkeypatch.setattr(unseen_classes, "MAX_CLASSES", 2)
    found = leave_classes_out(rows, labels, sequences([[2], [3], [4]]), truth, NAMES)
    assert [entry.label for entry in found.classes] == ["c", "b"]


def test_what_cannot_be_measured_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = leave_classes_out(sequences([[2], [3]]), np.array([0, 1]), TEST, np.array([0, 1, 0, 0]), NAMES)
    assert (pair.classes, pair.reason) == ([], "with two classes, none can be left out")
    monkeypatch.setattr(unseen_classes, "MAX_ROWS", 59)
    many = leave_classes_out(ROWS, LABELS, TEST, np.array([0, 1, 2, 0]), NAMES)
    assert (many.classes, many.reason) == ([], "the training part has more than 59 rows")


def test_a_test_part_of_one_class_has_no_known_rows_to_compare_with() -> None:
    single = leave_classes_out(ROWS, LABELS, TEST, np.array([1, 1, 1, 1]), NAMES)
    assert (single.classes, single.reason) == ([], "the test part has one class")


def test_texts_without_a_token_tell_nothing() -> None:
    empty = sequences([[], [], []])
    found = leave_classes_out(empty, LABELS[:3], empty, LABELS[:3], NAMES)
    assert found.reason == "no training text has a token"
    found = leave_classes_out(ROWS, LABELS, empty, LABELS[:3], NAMES)
    assert [entry.auroc for entry in found.classes] == [0.5] * 3
