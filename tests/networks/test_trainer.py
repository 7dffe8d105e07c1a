"""What class weights and averaging change, and what a checkpoint does not.

tests/models has what every network is trained for.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from pipeline.inputs import LabelledInputs, Sequences
from pipeline.measures.metrics import scores
from pipeline.models.kim_cnn import Options, build
from pipeline.networks import trainer
from pipeline.networks.backend import keras
from pipeline.networks.batches import Batches, SortedBatches
from pipeline.networks.checkpoint import Checkpoint
from pipeline.networks.trainer import MacroF1, Record, balanced_weights, make_repeatable, train
from pipeline.options import Train

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
# The rare class 1 has a word of its own, which is more often class 0's.
TEXTS = Sequences.from_rows([[5]] * 60 + [[6]] * 20)
LABELS = np.array([0] * 60 + [0] * 12 + [1] * 8)


def trained(weights: np.ndarray | None = None, **options) -> tuple[np.ndarray, list[Record]]:
    """The labels predicted, and the history."""
    make_repeatable(1, "float32")
    vectors = np.random.default_rng(1).uniform(-0.25, 0.25, (8, 12)).astype(np.float32)
    network = build(Options(filters=8, dropout=0.0), vectors, 2)
    validation = SortedBatches(TEXTS, LABELS, weights=weights)
    train_options = Train(epochs=15, batch_size=20, **options)
    training = trainer.batches(LabelledInputs(TEXTS, LABELS, weights), train_options, seed=1)
    history = train(network, training, validation, train_options, lambda record: None)
    return np.array(network(TEXTS.padded())).argmax(axis=1), history


def test_a_class_weighs_rows_over_classes_times_its_rows() -> None:
    assert balanced_weights(np.array([0, 0, 3, 0])).tolist() == pytest.approx([4 / 6, 4 / 6, 4 / 2, 4 / 6])
    weights = balanced_weights(LABELS)
    np.testing.assert_allclose(weights, compute_sample_weight("balanced", LABELS), rtol=1e-6)
    assert weights.sum() == pytest.approx(len(LABELS))


def test_weights_of_rows_multiply_those_of_classes() -> None:
    rows = LabelledInputs(TEXTS, LABELS, np.full(len(LABELS), 3, np.float32))
    assert trainer.batches(rows._replace(weights=None), Train(), seed=1).weights is None
    np.testing.assert_array_equal(trainer.batches(rows, Train(), seed=1).weights, 3)
    balanced = trainer.batches(rows, Train(class_weights="balanced"), seed=1)
    np.testing.assert_allclose(balanced.weights, 3 * balanced_weights(LABELS), rtol=1e-6)


def test_a_row_of_a_larger_weight_is_learned_in_place_of_others() -> None:
    weights = np.where(LABELS == 1, 5, 1).astype(np.float32)
    assert trained(patience=15, weights=weights)[0].tolist() == [0] * 60 + [1] * 20


def test_balanced_class_weights_raise_the_recall_of_the_rare_class() -> None:
    plain, balanced = trained(patience=15)[0], trained(patience=15, class_weights="balanced")[0]
    assert plain.tolist() == [0] * 80  # at word 6, 12 rows outvote 8
    assert balanced.tolist() == [0] * 60 + [1] * 20  # there, 8 rows of weight 5 outvote 12 of 5/9


def test_with_class_weights_the_epoch_of_the_best_macro_f1_is_kept() -> None:
    """Word 6 is learned as class 1 first, and word 7, of which two in twenty rows are class 1, later."""
    texts = Sequences.from_rows([[5]] * 60 + [[6]] * 20 + [[7]] * 20)
    labels = np.array([0] * 60 + [0] * 12 + [1] * 8 + [0] * 18 + [1] * 2)
    # Of the validation part one row in 29 is of class 1. Class 1 has F1 = 0, with word 6 2/4, with word 7 too
    # 2/10; class 0 56/57, 52/54 and 40/48. Accuracy falls from the beginning: 28/29, 27/29, 21/29.
    validation = (
        Sequences.from_rows([[5]] * 20 + [[6]] * 3 + [[7]] * 6),
        np.array([0] * 20 + [0, 0, 1] + [0] * 6),
    )
    steps = [(0 + 56 / 57) / 2, (2 / 4 + 52 / 54) / 2, (2 / 10 + 40 / 48) / 2]

    make_repeatable(1, "float32")
    vectors = np.random.default_rng(1).uniform(-0.25, 0.25, (9, 12)).astype(np.float32)
    network = build(Options(filters=8, dropout=0.0), vectors, 2)
    options = Train(epochs=15, patience=3, class_weights="balanced", batch_size=20)
    batches = SortedBatches(*validation)
    training = trainer.batches(LabelledInputs(texts, labels), options, seed=1)
    history = train(network, training, batches, options, lambda record: None)
    macro_f1 = [record["validation_macro_f1"] for record in history]
    best = int(np.argmax(macro_f1))
    assert best > 0 and len(history) == best + 1 + 3
    assert [macro_f1[0], macro_f1[best], macro_f1[-1]] == pytest.approx(steps)
    kept = network.evaluate(batches.dataset(), verbose=0, return_dict=True)
    assert kept["macro_f1"] == pytest.approx(steps[1])
    assert kept["accuracy"] == pytest.approx(27 / 29)


def test_what_is_validated_and_kept_is_the_moving_average_of_the_weights_after_each_epoch() -> None:
    random = np.random.default_rng(2)
    rows = Sequences.from_rows(random.integers(1, 8, (60, 5)).tolist())
    labels = random.integers(0, 2, 60)
    seen: dict[float, list[list[np.ndarray]]] = {}
    for momentum in (0.0, 0.5):
        make_repeatable(1, "float32")
        network = build(Options(filters=8, dropout=0.0), np.eye(8, 12, dtype=np.float32), 2)
        seen[momentum] = []
        history = train(
            network,
            Batches(rows, labels, 20, seed=1),
            SortedBatches(rows, labels),
            Train(epochs=4, patience=4, averaging=momentum),
            lambda _, network=network, momentum=momentum: seen[momentum].append(network.get_weights()),
        )
    # By hand, (0.5 w2 + 0.25 w1) / 0.75 and so on: training goes on from the weights, not from their mean.
    shares = [[1], [1 / 3, 2 / 3], [1 / 7, 2 / 7, 4 / 7], [1 / 15, 2 / 15, 4 / 15, 8 / 15]]
    for averages, of_each in zip(seen[0.5], shares, strict=True):
        for place, average in enumerate(averages):
            expected = sum(share * weights[place] for share, weights in zip(of_each, seen[0.0], strict=False))
            np.testing.assert_allclose(average, expected, rtol=1e-5, atol=1e-6)
    best = int(np.argmax([record["validation_accuracy"] for record in history]))
    for kept, average in zip(network.get_weights(), seen[0.5][best], strict=True):
        np.testing.assert_array_equal(kept, average)


class Killed(Exception):
    """As if the process had been."""


@pytest.mark.parametrize(
    ("optimizer", "killed_after", "epoch_rows"),
    [
        ("adam", 3, 40),
        *(
            pytest.param(*kill, None, marks=pytest.mark.slow)
            for kill in (("adam", 1), ("adadelta", 3), ("adam", 5))
        ),
    ],
)
def test_a_training_that_was_killed_goes_on_to_the_same_bits(
    tmp_path: Path, optimizer: str, killed_after: int, epoch_rows: int | None
) -> None:
    """It has six epochs of patience 2: the fifth is the last if none after the third is better."""
    random = np.random.default_rng(3)
    rows = Sequences.from_rows(random.integers(1, 8, (90, 5)).tolist())
    labels = random.integers(0, 2, 90)
    options = Train(
        epochs=6, patience=2, averaging=0.5, optimizer=optimizer, learning_rate=0.1, batch_size=20,
        epoch_rows=epoch_rows,
    )  # fmt: skip

    def run(checkpoint: Checkpoint | None, epochs: int = 99) -> tuple[list[np.ndarray], list[Record]]:
        def on_epoch(record: Record) -> None:
            if record["epoch"] > epochs:
                raise Killed

        make_repeatable(1, "float32")
        vectors = np.random.default_rng(1).uniform(-0.25, 0.25, (8, 12)).astype(np.float32)
        network = build(Options(filters=8, embedding_dropout=0.2), vectors, 2)
        training = trainer.batches(LabelledInputs(rows, labels), options, seed=1)
        assert training.epochs_per_pass == (2 if epoch_rows else 1)
        history = train(network, training, SortedBatches(rows, labels), options, on_epoch, checkpoint)
        return network.get_weights(), history

    checkpoint = Checkpoint(tmp_path / "run" / "network.npz", "this", seconds=0)
    whole, history = run(None)
    with suppress(Killed):
        run(checkpoint, killed_after)
    again, history_again = run(checkpoint)
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one, other)
    timeless = [
        [{key: value for key, value in record.items() if "second" not in key} for record in records]
        for records in (history, history_again)
    ]
    assert timeless[0] == timeless[1]
    state = checkpoint.read()
    assert state and state.notes["epochs"] == len(history)
    assert replace(checkpoint, key="another").read() is None
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-100])
    assert checkpoint.read() is None


def test_a_step_is_traced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow traces it a second time where the first has created variables."""
    traced = []
    train_step = keras.Model.train_step
    monkeypatch.setattr(
        keras.Model, "train_step", lambda self, batch: traced.append(batch) or train_step(self, batch)
    )
    _, history = trained(class_weights="balanced", patience=3)
    assert len(traced) == 1 and history[0]["macro_f1"] > 0


def test_without_class_weights_no_macro_f1_is_computed() -> None:
    assert "validation_macro_f1" not in trained(patience=1)[1][0]


def test_macro_f1_is_that_of_the_scores_over_several_batches() -> None:
    random = np.random.default_rng(2)
    labels, logits = random.integers(0, 4, 50), random.normal(size=(50, 4)).astype(np.float32)
    metric = MacroF1()
    for rows in np.array_split(np.arange(50), 3):
        metric.update_state(labels[rows], logits[rows])
    expected = scores(labels, logits.argmax(axis=1), list("abcd")).macro_f1
    assert float(metric.result()) == pytest.approx(expected, abs=1e-5)


def test_macro_f1_is_of_the_classes_that_have_rows() -> None:
    # Of four classes two occur, and a third is predicted.
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2])
    metric = MacroF1()
    metric.update_state(labels, np.eye(4, dtype=np.float32)[predicted])
    # F1 of class 0 is 2 * 1 * 0.5 / 1.5, of class 1 it is 0.5.
    assert float(metric.result()) == pytest.approx((2 / 3 + 0.5) / 2, abs=1e-5)
    assert scores(labels, predicted, list("abcd")).macro_f1 == pytest.approx((2 / 3 + 0.5) / 2)


@pytest.mark.parametrize(
    ("rows", "epochs"), [(1, 1), (99_999, 1), (100_000, 2), (199_999, 3), (200_000, 4), (10_000_000, 4)]
)
def test_a_large_corpus_is_cut_into_up_to_four_epochs(rows: int, epochs: int) -> None:
    assert Train(epoch_rows=50_000).epochs_per_pass(rows) == epochs
    assert Train().epochs_per_pass(rows) == 1
