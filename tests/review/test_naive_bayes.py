"""Naive Bayes models that were fitted without one fold, or one class, at a time."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.inputs import Sequences
from pipeline.review import naive_bayes
from pipeline.review.naive_bayes import leave_classes_out, out_of_fold_probabilities

NAMES = ["a", "b", "c", "untested"]


# Each class has a word of its own; a row of an unseen one holds no known n-gram but the word 9 of all.
ROWS = Sequences.from_rows([[2, 9], [3, 9], [4, 9]] * 20)
LABELS = np.array([0, 1, 2] * 20)
TEST = Sequences.from_rows([[2], [3], [4], [9]])


def test_a_class_whose_words_are_its_own_stands_out_from_known_classes() -> None:
    found = leave_classes_out(
        ROWS, LABELS, Sequences.from_rows([[2], [3], [4]] * 3), np.array([0, 1, 2] * 3), NAMES
    )
    assert [(entry.label, entry.rows, entry.auroc) for entry in found.classes] == [
        ("a", 3, 1), ("b", 3, 1), ("c", 3, 1),
    ]  # fmt: skip


def test_a_class_of_known_words_hides_among_them() -> None:
    """Class c has the words of a: without one of them, its rows are as sure as the other's."""
    rows = Sequences.from_rows([[2, 9], [3, 9], [2, 9]] * 20)
    found = leave_classes_out(rows, LABELS, Sequences.from_rows([[2], [2]]), np.array([0, 2]), NAMES)
    assert [(entry.label, entry.auroc) for entry in found.classes] == [("a", 0.5), ("c", 0.5)]


def test_the_largest_classes_are_left_out_and_one_without_test_rows_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = Sequences.from_rows([[2], [3], [3], [4], [4], [4], [5]])
    labels, truth = np.array([0, 1, 1, 2, 2, 2, 3]), np.array([0, 1, 2])
    monkeypatch.setattr(naive_bayes, "MAX_CLASSES", 2)
    found = leave_classes_out(rows, labels, Sequences.from_rows([[2], [3], [4]]), truth, NAMES)
    assert [entry.label for entry in found.classes] == ["c", "b"]


def test_what_cannot_be_measured_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = leave_classes_out(
        Sequences.from_rows([[2], [3]]), np.array([0, 1]), TEST, np.array([0, 1, 0, 0]), NAMES
    )
    assert (pair.classes, pair.reason) == ([], "with two classes, none can be left out")
    monkeypatch.setattr(naive_bayes, "MAX_ROWS", 59)
    many = leave_classes_out(ROWS, LABELS, TEST, np.array([0, 1, 2, 0]), NAMES)
    assert (many.classes, many.reason) == ([], "the training part has more than 59 rows")


def test_a_test_part_of_one_class_has_no_known_rows_to_compare_with() -> None:
    single = leave_classes_out(ROWS, LABELS, TEST, np.array([1, 1, 1, 1]), NAMES)
    assert (single.classes, single.reason) == ([], "the test part has one class")


def test_texts_without_a_token_tell_nothing() -> None:
    empty = Sequences.from_rows([[], [], []])
    found = leave_classes_out(empty, LABELS[:3], empty, LABELS[:3], NAMES)
    assert found.reason == "no training text has a token"
    found = leave_classes_out(ROWS, LABELS, empty, LABELS[:3], NAMES)
    assert [entry.auroc for entry in found.classes] == [0.5] * 3


def test_a_row_is_judged_without_its_own_label() -> None:
    """Ten rows with a word of their own each: whatever a row's label, its word says nothing of it."""
    rows = Sequences.from_rows([[number] for number in range(2, 12)])
    labels = np.array([0, 1] * 5)
    probabilities = out_of_fold_probabilities(rows, labels, np.arange(10), 2, seed=1)
    assert probabilities[np.arange(10), labels].max() <= 0.5


def test_rows_of_one_group_have_no_model_of_others() -> None:
    rows = Sequences.from_rows([[2], [3]])
    probabilities = out_of_fold_probabilities(rows, np.array([0, 1]), np.zeros(2, np.int64), 2, seed=1)
    assert probabilities.tolist() == [[0.5, 0.5]] * 2
