from __future__ import annotations

import numpy as np

from pipeline.linear import STRENGTHS, LinearClassifier
from pipeline.sequences import Sequences


def fitted(rows: list[list[int]], labels: list[int]) -> LinearClassifier:
    training = Sequences.of(rows)
    return LinearClassifier().fit(training, np.array(labels), training, np.array(labels))


def test_it_learns_from_single_tokens() -> None:
    linear = fitted([[2, 3], [3, 2], [4, 3], [3, 4]] * 5, [0, 0, 1, 1] * 5)
    assert linear.predict(Sequences.of([[2], [4], [9, 4]])).tolist() == [0, 1, 1]


def test_it_learns_from_pairs_what_single_tokens_do_not_tell() -> None:
    linear = fitted([[2, 3, 5], [3, 2, 5]] * 10, [0, 1] * 10)
    assert linear.predict(Sequences.of([[2, 3], [3, 2]])).tolist() == [0, 1]


def test_a_pair_does_not_reach_over_the_end_of_a_row() -> None:
    linear = fitted([[2, 3], [2], [3, 2]] * 10, [0, 1, 1] * 10)
    assert linear.predict(Sequences.of([[2], [3], [2, 3]]))[2] == 0


def test_an_empty_or_unknown_row_is_predicted() -> None:
    linear = fitted([[2], [3], [3]] * 10, [0, 1, 1] * 10)
    assert linear.predict(Sequences.of([[], [99]])).tolist() == [1, 1]


def test_the_strength_is_one_of_those_named() -> None:
    assert fitted([[2], [3]] * 10, [0, 1] * 10).strength in STRENGTHS
