"""What class weights change; tests/models has what every network is trained for."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from pipeline.batches import Batches, SortedBatches
from pipeline.metrics import scores
from pipeline.models.kim_cnn import Options, build
from pipeline.options import Train
from pipeline.sequences import Sequences
from pipeline.trainer import MacroF1, Record, balanced_weights, make_repeatable, train

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
# The rare class 1 has a word of its own, which is more often class 0's.
TEXTS = Sequences.of([[5]] * 60 + [[6]] * 20)
LABELS = np.array([0] * 60 + [0] * 12 + [1] * 8)


def trained(**options) -> tuple[np.ndarray, dict[str, float], list[Record]]:
    """The labels predicted, what Keras says of the network that was kept, and the history."""
    make_repeatable(1, "float32")
    vectors = np.random.default_rng(1).uniform(-0.25, 0.25, (8, 12)).astype(np.float32)
    network = build(Options(filters=8, dropout=0.0), vectors, 2)
    validation = SortedBatches(TEXTS, LABELS)
    training = Batches(TEXTS, LABELS, 20, seed=1)
    history = train(network, training, validation, Train(epochs=15, **options), lambda record: None)
    kept = network.evaluate(validation.dataset(), verbose=0, return_dict=True)
    return np.array(network(TEXTS.padded())).argmax(axis=1), kept, history


def test_a_class_weighs_rows_over_classes_times_its_rows() -> None:
    assert balanced_weights(np.array([0, 0, 3, 0])) == {0: pytest.approx(4 / 6), 3: 4 / 2}
    weights = balanced_weights(LABELS)
    assert list(weights.values()) == pytest.approx(
        compute_class_weight("balanced", classes=np.arange(2), y=LABELS)
    )
    assert sum(weights[label] for label in LABELS.tolist()) == pytest.approx(len(LABELS))


def test_balanced_class_weights_raise_the_recall_of_the_rare_class() -> None:
    plain, balanced = trained(patience=15)[0], trained(patience=15, class_weights="balanced")[0]
    assert plain.tolist() == [0] * 80  # at word 6, 12 rows outvote 8
    assert balanced.tolist() == [0] * 60 + [1] * 20  # there, 8 rows of weight 5 outvote 12 of 5/9


def test_with_class_weights_the_epoch_of_the_best_macro_f1_is_kept() -> None:
    predicted, kept, history = trained(patience=3, class_weights="balanced")
    best = max(record["validation_macro_f1"] for record in history)
    assert kept["macro_f1"] == pytest.approx(best)
    assert best == pytest.approx(scores(LABELS, predicted, ["a", "b"])["macro_f1"], abs=1e-5)
    assert "validation_macro_f1" not in trained(patience=1)[2][0]


def test_macro_f1_is_that_of_the_scores_over_several_batches() -> None:
    random = np.random.default_rng(2)
    labels, logits = random.integers(0, 4, 50), random.normal(size=(50, 4)).astype(np.float32)
    metric = MacroF1()
    for rows in np.array_split(np.arange(50), 3):
        metric.update_state(labels[rows], logits[rows])
    expected = scores(labels, logits.argmax(axis=1), list("abcd"))["macro_f1"]
    assert float(metric.result()) == pytest.approx(expected, abs=1e-5)


def test_macro_f1_is_of_the_classes_that_have_rows() -> None:
    # Of four classes two occur, and a third is predicted.
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2])
    metric = MacroF1()
    metric.update_state(labels, np.eye(4, dtype=np.float32)[predicted])
    # F1 of class 0 is 2 * 1 * 0.5 / 1.5, of class 1 it is 0.5.
    assert float(metric.result()) == pytest.approx((2 / 3 + 0.5) / 2, abs=1e-5)
    assert scores(labels, predicted, list("abcd"))["macro_f1"] == pytest.approx((2 / 3 + 0.5) / 2)
