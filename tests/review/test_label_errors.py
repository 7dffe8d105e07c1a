"""Rows whose label is probably wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs import Sequences
from pipeline.review.label_errors import suspect_rows
from pipeline.review.naive_bayes import out_of_fold_probabilities


def test_a_row_counts_for_the_class_that_it_is_surer_of_than_that_classs_own_rows() -> None:
    probabilities = np.array(
        [
            [0.9, 0.1],
            [0.5, 0.5],  # class 0 has 0.7 on average: not sure of it, nor of class 1, which has 0.6
            [0.7, 0.3],  # its own label
            [0.7, 0.3],  # labelled 1, counts for 0
            [0.1, 0.9],
            [0.4, 0.6],
        ],
        np.float32,
    )
    found = suspect_rows(probabilities, np.array([0, 0, 0, 1, 1, 1]))
    assert found.rows.tolist() == [3]
    assert found.suggested.tolist() == [0]
    assert found.probability.tolist() == pytest.approx([0.7])


def test_the_least_probable_label_comes_first() -> None:
    probabilities = np.array([[0.6, 0.4], [0.4, 0.6], [0.2, 0.8], [0.9, 0.1]], np.float32)
    found = suspect_rows(probabilities, np.array([0, 0, 0, 1]))
    assert found.rows.tolist() == [3, 2, 1]


def test_no_row_counts_for_a_class_without_rows() -> None:
    probabilities = np.array([[0.1, 0.0, 0.9], [0.2, 0.8, 0.0]], np.float32)
    assert len(suspect_rows(probabilities, np.array([0, 1])).rows) == 0


def test_most_of_three_percent_of_flipped_labels_are_found_and_few_others() -> None:
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), 250)
    # Three words of the class's own ten, and five of a hundred that say nothing.
    rows = [
        [*random.integers(2 + 10 * label, 12 + 10 * label, 3), *random.integers(50, 150, 5)]
        for label in labels
    ]
    flipped = random.random(len(labels)) < 0.03
    given = np.where(flipped, (labels + random.integers(1, 4, len(labels))) % 4, labels)
    found = suspect_rows(
        out_of_fold_probabilities(Sequences.from_rows(rows), given, np.arange(1000), 4, seed=1), given
    )
    first = found.rows[: flipped.sum()]
    assert flipped[first].mean() > 0.9
    assert (found.suggested[: len(first)] == labels[first]).mean() > 0.9


def test_copies_do_not_vouch_for_each_others_wrong_label() -> None:
    """Of every class 40 texts stand five times, with two words of the class and three of their own; of one
    text of each class all copies have the next class's label."""
    texts = np.arange(80)
    right = np.repeat(texts % 2, 5)
    rows = [[2 + 3 * (t % 2), 3 + 3 * (t % 2), 10 + 3 * t, 11 + 3 * t, 12 + 3 * t] for t in texts]
    sequences = Sequences.from_rows([row for row in rows for _ in range(5)])
    is_wrong = np.repeat(texts < 2, 5)
    labels = np.where(is_wrong, 1 - right, right)
    probabilities = out_of_fold_probabilities(sequences, labels, np.repeat(texts, 5), 2, seed=1)
    found = suspect_rows(probabilities, labels)
    assert sorted(found.rows.tolist()) == np.flatnonzero(is_wrong).tolist()


@given(
    st.lists(
        st.tuples(st.lists(st.integers(1, 5), max_size=4), st.integers(0, 2), st.integers(0, 12)),
        min_size=1,
        max_size=25,
    ),
    st.integers(0, 9),
)
def test_probabilities_sum_to_one_whatever_the_rows(
    rows: list[tuple[list[int], int, int]], seed: int
) -> None:
    texts, labels, groups = (list(column) for column in zip(*rows, strict=True))
    sequences, labels = Sequences.from_rows(texts), np.array(labels)
    probabilities = out_of_fold_probabilities(sequences, labels, np.array(groups), 3, seed)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    found = suspect_rows(probabilities, labels)
    assert (found.suggested != labels[found.rows]).all()
    assert (np.diff(probabilities[found.rows, labels[found.rows]]) >= 0).all()
