"""Members weighed on held-out rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.stacking import cross_fit, stack


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def test_a_member_that_knows_has_the_weight_and_one_that_guesses_has_none() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 2000)
    knows = log_softmax(np.eye(2)[labels] * random.normal(1, 2, (2000, 1)))
    guesses = log_softmax(random.normal(0, 2, (2000, 2)))
    weights = stack([knows, guesses], labels)
    assert weights[0] > 0.3
    assert weights[1] == pytest.approx(0, abs=0.03)


def test_members_that_are_always_right_have_bounded_weights() -> None:
    labels = np.array([0, 1])
    right = log_softmax(np.eye(2)[labels] * 10)
    assert 0 < stack([right, right], labels)[0] < 5


def test_the_prior_weighs_as_computed_by_hand_for_one_row() -> None:
    """Two members, two classes; the second member has no opinion, the first a log-odds of d. The loss
    w - log(w)/2 + log(1 + exp(-w d)) is stationary where 1 - 1/(2 w) = d / (1 + exp(w d)). With w d = log 3
    that is 1 - d/(2 log 3) = d/4."""
    d = 1 / (1 / 4 + 1 / (2 * np.log(3)))
    opinions = [log_softmax(np.array([[d, 0.0]])), log_softmax(np.array([[0.0, 0.0]]))]
    assert stack(opinions, np.array([0])) == pytest.approx([np.log(3) / d, 1 / 2], rel=1e-4)


@pytest.mark.parametrize("rows", [1, 3, 10])
def test_members_that_are_wrong_on_every_row_still_decide_the_label(rows: int) -> None:
    """Weights of 0 would add up to equal logits, and the first class would be every row's label."""
    wrong = log_softmax(np.tile([0.0, 4.0, 1.0], (rows, 1)))
    weights = stack([wrong, wrong], np.zeros(rows, int))
    assert min(weights) > 0
    unseen = log_softmax(np.array([[0.0, 0.1, 5.0]]))
    assert (weights[0] * unseen + weights[1] * unseen).argmax() == 2


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(0, 30), st.integers(1, 4), st.floats(0, 1e4))
def test_weights_are_positive_and_no_nearby_ones_are_better(
    seed: int, rows: int, members: int, size: float
) -> None:
    random = np.random.default_rng(seed)
    opinions = [log_softmax(size * random.normal(size=(rows, 3))) for _ in range(members)]
    labels = random.integers(0, 3, rows)

    def loss(weights: np.ndarray) -> float:
        pooled = log_softmax(np.tensordot(weights, opinions, 1))
        return weights.sum() - np.log(weights).sum() / members - pooled[np.arange(rows), labels].sum()

    best = np.array(stack(opinions, labels))
    assert np.isfinite(best).all() and best.min() > 0
    for _ in range(20):
        other = best * np.exp(random.normal(0, 0.1, members))
        assert loss(best) <= loss(other) + 1e-4 * max(1, abs(loss(best)))


def test_without_rows_the_weights_are_equal() -> None:
    nothing = np.empty((0, 3))
    assert stack([nothing, nothing], np.empty(0, int)) == pytest.approx([0.5, 0.5])


def test_a_row_is_pooled_by_weights_that_its_own_label_did_not_choose() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 40)
    opinions = [log_softmax(random.normal(0, 2, (40, 2))) for _ in range(2)]
    before = cross_fit(opinions, labels)
    for row in range(40):
        changed = labels.copy()
        changed[row] = 1 - changed[row]
        after = cross_fit(opinions, changed)
        assert (after[row] == before[row]).all()
        assert (after != before).any()


def test_members_that_only_guess_gain_nothing_by_their_weights() -> None:
    """Weights fitted on the rows themselves would."""
    random, own, crossed = np.random.default_rng(1), [], []
    for _ in range(300):
        labels = random.integers(0, 2, 30)
        opinions = [log_softmax(random.normal(0, 2, (30, 2))) for _ in range(2)]
        weights = stack(opinions, labels)
        own.append((np.tensordot(weights, np.stack(opinions), 1).argmax(axis=1) == labels).mean())
        crossed.append((cross_fit(opinions, labels).argmax(axis=1) == labels).mean())
    assert np.mean(own) > 0.515
    assert np.mean(crossed) == pytest.approx(0.5, abs=0.02)  # a standard error of 0.005


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_the_fewest_rows_are_pooled_too(rows: int) -> None:
    opinion = log_softmax(np.tile([3.0, 0.0], (rows, 1)))
    assert cross_fit([opinion, opinion], np.zeros(rows, int)).argmax(axis=1).tolist() == [0] * rows


def test_logits_as_large_as_float32_holds_have_a_weight_that_keeps_them_finite() -> None:
    """They are wrong of the second row: a weight above 1e-38 would make it as good as impossible."""
    logits = np.tile(np.array([3e38, -3e38, 0], np.float32), (2, 1))
    (weight,) = stack([logits], np.array([0, 1]))
    assert 0 < weight < 1e-38
    assert np.isfinite(log_softmax(weight * logits.astype(np.float64))).all()


def test_a_constant_for_each_row_changes_no_weights() -> None:
    """Logits need not be log-probabilities."""
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 50)
    logits = [np.eye(3)[labels] + random.normal(0, 2, (50, 3)) for _ in range(2)]
    shifted = [one + random.normal(0, 5, (50, 1)) for one in logits]
    expected = stack([log_softmax(one) for one in logits], labels)
    assert stack(logits, labels) == pytest.approx(expected, rel=1e-3)
    assert stack(shifted, labels) == pytest.approx(expected, rel=1e-3)


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    random = np.random.default_rng(3)
    members, labels = [random.normal(size=(40, 3)) for _ in range(2)], random.integers(0, 3, 40)
    weights = random.integers(1, 4, 40)
    copies = np.repeat(np.arange(40), weights)
    expected = stack([member[copies] for member in members], labels[copies])
    assert stack(members, labels, weights.astype(np.float32)) == pytest.approx(expected, rel=1e-4)
