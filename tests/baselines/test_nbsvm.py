"""NBSVM, with numbers computed by hand and published; what all baselines share is in test_catalogue.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.model_selection import StratifiedKFold, train_test_split

from pipeline.baselines.nbsvm import INTERPOLATION, NaiveBayesSVM, interpolated
from pipeline.inputs import Sequences
from pipeline.options import Tokenize
from pipeline.text.encoder import TextEncoder
from tests.baselines.choosing import fit

MR = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "mr.csv"


def test_interpolated_weights_are_those_computed_by_hand() -> None:
    # mean|w| = 2
    assert interpolated(np.array([1.0, -3.0, 2.0]), 0.25).tolist() == [1.75, 0.75, 2.0]


def test_nbsvm_scores_are_those_computed_by_hand() -> None:
    # Row "a" of class 0, row "b" of class 1: for class 1, p = (1, 2), q = (2, 1), r = (-L, L) with L = log 2.
    # By symmetry b = 0 and w = (v, v) with the least v^2 + 2 C (1 - L v)^2: v = 2 C L / (1 + 2 C L^2). All
    # weights are equal, so that interpolation changes none: the scores of class 1 are -L v and L v.
    features, log2, strength = csr_matrix(np.eye(2)), np.log(2), 0.5
    weight = 2 * strength * log2 / (1 + 2 * strength * log2**2)
    model = NaiveBayesSVM(strength, seed=1).fit(features, np.array([0, 1]))
    expected = log2 * weight * np.array([[1, -1], [-1, 1]])
    assert model.scores(features) == pytest.approx(expected, abs=1e-3)
    assert model.predict(features).tolist() == [0, 1]


def test_nbsvm_with_balanced_classes_has_the_scores_computed_by_hand() -> None:
    # Row "a" of class 0, twice row "b" of class 1: p = (1, 3), q = (2, 1), r = (log 3/8, log 9/4). "a" weighs
    # 3/2, each "b" 3/4. liblinear's bias is a weight like the others, so that the gradient is 0 where
    # w = (-u r_a, v r_b) and b = v - u, with u = 3 C (1 + w_a r_a + b) and v = 3 C (1 - w_b r_b - b).
    features, strength = csr_matrix(np.array([[1.0, 0], [0, 1], [0, 1]])), 0.5
    a, b = np.log(3 / 8), np.log(9 / 4)
    lines = np.array(
        [[1 + 3 * strength * (1 + a**2), -3 * strength], [-3 * strength, 1 + 3 * strength * (1 + b**2)]]
    )
    u, v = np.linalg.solve(lines, [3 * strength, 3 * strength])
    weights = interpolated(np.array([-u * a, v * b]), INTERPOLATION)
    expected = np.array([a * weights[0], b * weights[1], b * weights[1]]) + INTERPOLATION * (v - u)
    model = NaiveBayesSVM(strength, seed=1, balanced=True).fit(features, np.array([0, 1, 1]))
    assert model.scores(features)[:, 1] == pytest.approx(expected, abs=1e-3)


def test_a_frequent_class_does_not_outweigh_what_rows_of_the_others_say() -> None:
    random = np.random.default_rng(1)

    def rows(count: int) -> tuple[Sequences, np.ndarray]:
        """Half of the rows are of class 0. In four of five, one token of five is of their class alone."""
        labels = np.where(random.random(count) < 0.5, 0, random.integers(1, 6, count))
        told = np.where(random.random(count) < 0.8, labels, random.integers(0, 6, count))
        tokens = np.column_stack(
            [random.integers(2, 40, count) + 40 * told, random.integers(400, 500, (count, 4))]
        )
        return Sequences.from_rows(tokens.tolist()), labels

    training, validation, (test, truth) = rows(600), rows(200), rows(2000)
    fitted, _ = fit("nbsvm", training, validation, 6, "accuracy", 1)
    assert np.mean(fitted.predict(test) == truth) > np.mean(truth == 0) + 0.05


@pytest.mark.slow
@pytest.mark.skipif(not MR.is_file(), reason="shared/corpora is not there")
def test_it_reaches_the_published_accuracy_on_mr() -> None:
    """Wang and Manning 2012, table 2: NBSVM with bigrams, 79.4 % over ten folds."""
    table = pd.read_csv(MR, dtype=str)
    texts, labels = table["text"].to_numpy(), pd.factorize(table["label"])[0].astype(np.int64)
    accuracies = []
    for rest, tested in StratifiedKFold(10, shuffle=True, random_state=1).split(texts, labels):
        learned, held_out = train_test_split(rest, test_size=0.1, random_state=1, stratify=labels[rest])
        encoder = TextEncoder.learn(texts[learned].tolist(), Tokenize())
        training, validation, test = (
            (encoder.encode(texts[part]), labels[part]) for part in (learned, held_out, tested)
        )
        fitted, _ = fit("nbsvm", training, validation, 2, "accuracy", 1)
        accuracies.append(np.mean(fitted.predict(test[0]) == test[1]))
    assert np.mean(accuracies) == pytest.approx(0.794, abs=0.005)
