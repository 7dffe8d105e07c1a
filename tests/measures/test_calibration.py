from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.__main__ import main
from pipeline.errors import Diverged
from pipeline.measures.calibration import divergence, error_by_chance, fit_temperature, reliability
from pipeline.measures.softmax import softmax

ROOT = Path(__file__).resolve().parents[2]


def draw(rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from their softmax: at temperature 1 they are calibrated."""
    random = np.random.default_rng(1)
    logits = random.normal(scale=2, size=(rows, classes)).astype(np.float32)
    return logits, (logits + random.gumbel(size=logits.shape)).argmax(axis=1)


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_logits_that_are_too_large_by_a_factor_have_that_temperature(factor: float, classes: int) -> None:
    logits, labels = draw(20_000, classes)
    temperature = fit_temperature(logits * factor, labels)
    assert temperature == pytest.approx(factor, rel=0.05)
    before = reliability(softmax(logits * factor), labels).error
    after = reliability(softmax(logits * factor, temperature), labels).error
    assert after < 0.02 and (factor == 1 or after < before)


def test_a_temperature_is_found_where_the_likelihood_alone_has_no_best_one() -> None:
    logits = np.array([[2, 0], [0, 2]], np.float32)
    right, wrong = np.array([0, 1]), np.array([1, 0])
    assert fit_temperature(logits[:0], right[:0]) == pytest.approx(1, abs=1e-3)
    assert 0.3 < fit_temperature(logits[:1], right[:1]) < 1 < fit_temperature(logits[:1], wrong[:1]) < 3
    many = np.repeat(logits, 1000, axis=0)
    assert 0.05 < fit_temperature(many, np.repeat(right, 1000)) < fit_temperature(logits, right)
    assert 3 < fit_temperature(many, np.repeat(wrong, 1000)) <= np.exp(3)
    assert np.isfinite(fit_temperature(1e4 * logits, wrong))


@pytest.mark.parametrize(("sure", "power"), [(3 / 4, -1 / 4), (1 / 4, 3 / 4)])
def test_the_prior_weighs_as_computed_by_hand_for_one_row(sure: float, power: float) -> None:
    """Of two classes the right one has the logit m. The loss t²/2 + log(1 + exp(-m / T)) with T = exp(t) is
    stationary where t = -(m / T)(1 - p), with p the right class's probability at T: p / (1 - p) = exp(m / T).
    For p = 3/4, m / T is log 3 and t = -log 3 / 4; for 1/4, m / T is -log 3 and t = 3/4 log 3."""
    temperature = 3**power
    logits = np.array([[np.log(sure / (1 - sure)) * temperature, 0]])
    assert fit_temperature(logits, np.array([0])) == pytest.approx(temperature, rel=1e-4)


def test_a_network_that_is_far_worse_than_guessing_at_any_temperature_is_named() -> None:
    logits, labels = 1.25e27 * np.eye(2)[[0, 1, 1, 1]], np.array([0, 1, 0, 0])
    message = divergence(logits, labels, fit_temperature(logits, labels))
    assert message == "it diverged (validation loss 6.2e+26); lower train.learning_rate"  # half are wrong
    assert len(f"  caution: {message}") <= 79
    right = logits.argmax(axis=1)
    assert divergence(logits, right, fit_temperature(logits, right)) is None
    assert divergence(logits[:0], labels[:0], 1.0) is None


def test_a_network_that_is_only_too_sure_or_always_wrong_has_not_diverged() -> None:
    logits, labels = draw(1000, 3)
    for factor, each in ((10, labels), (1, (logits.argmax(axis=1) + 1) % 3)):
        temperature = fit_temperature(factor * logits, each)
        assert temperature > 5 and divergence(factor * logits, each, temperature) is None


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_not_finite_are_an_error_of_one_line(number: float) -> None:
    outputs, labels = np.array([[0.4, 0.6], [number, 0.5]], np.float32), np.array([0, 1])
    for measure in (
        lambda: fit_temperature(outputs, labels),
        lambda: divergence(outputs, labels, 1.0),
        lambda: reliability(outputs, labels),
        lambda: error_by_chance(outputs, seed=1),
    ):
        with pytest.raises(Diverged) as raised:
            measure()
        assert str(raised.value) == "the network's outputs are not finite: lower train.learning_rate"


@pytest.mark.slow
def test_train_says_that_a_training_diverged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))
    corpus = tmp_path / "reviews.csv"
    rows = [f"{['good film', 'bad film', 'film'][n % 3]} number{n // 3},{'ab'[n % 2]}" for n in range(300)]
    corpus.write_text("text,label\n" + "\n".join(rows) + "\n", "utf-8")
    values = "train.learning_rate=1e30 train.epochs=1 network.filters=2 embed.dimensions=4"
    assert main(["configure", f"CORPUS={corpus}", "MODEL=kim-rand", f"SET={values}"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    for verb in ("prepare", "tokenize"):
        assert main(["stage", verb, str(folder.parent)]) == 0
    assert main(["stage", "embed", str(folder)]) == 0
    # In a process of its own: MLflow's libraries warn.
    command = [sys.executable, "-m", "pipeline", "stage", "train", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "\n  caution: it diverged (validation loss " in done.stdout


@given(
    st.lists(st.lists(st.floats(-50, 50, width=32), min_size=3, max_size=3), min_size=1, max_size=9),
    st.floats(0.05, 20),
)
def test_no_temperature_changes_which_class_is_the_most_probable(
    rows: list[list[float]], temperature: float
) -> None:
    logits = np.array(rows, np.float32)
    probabilities = softmax(logits, temperature)
    assert (probabilities[np.arange(len(rows)), logits.argmax(axis=1)] == probabilities.max(axis=1)).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_the_calibration_error_of_four_rows_is_that_computed_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55]])
    bins = reliability(probabilities, np.array([0, 0, 0, 0]), bins=5)
    assert bins.rows.tolist() == [0, 0, 1, 2, 1]  # 0.8 closes its bin
    np.testing.assert_allclose(bins.confidence, [0, 0, 0.55, 0.75, 0.9])
    np.testing.assert_allclose(bins.accuracy, [0, 0, 0, 0.5, 1])
    assert bins.error == pytest.approx(1 / 4 * 0.55 + 2 / 4 * 0.25 + 1 / 4 * 0.1)


def test_who_is_sure_and_always_right_has_no_calibration_error_and_who_is_always_wrong_all() -> None:
    sure = np.eye(3)[[0, 1, 2, 0]]
    assert reliability(sure, np.array([0, 1, 2, 0])).error == 0
    assert reliability(sure, np.array([1, 2, 0, 1])).error == 1


def test_the_error_of_four_rows_by_chance_is_one_of_those_that_can_be_drawn() -> None:
    """Four rows of 0.75 in one bin, of which 0 to 4 are right: 3 has no error, 4 and 2 0.25, 1 0.5, 0 0.75,
    with chances of 42, 32 + 21, 5 and 0.4 %."""
    low, high = error_by_chance(np.array([[0.75, 0.25]] * 4), seed=1)
    assert (low, high) == pytest.approx((0, 0.5))
    assert error_by_chance(np.array([[0.75, 0.25]] * 4), seed=1) == (low, high)


def test_who_is_sure_has_no_error_by_chance_and_no_rows_have_none() -> None:
    assert error_by_chance(np.eye(3), seed=1) == (0, 0)
    assert error_by_chance(np.empty((0, 3)), seed=1) == (0, 0)


@pytest.mark.parametrize("rows", [200, 20_000])
def test_of_calibrated_classifiers_about_95_percent_are_inside_and_of_others_none(rows: int) -> None:
    random = np.random.default_rng(1)
    logits = random.normal(scale=2, size=(rows, 4)).astype(np.float32)
    probabilities = softmax(logits)
    low, high = error_by_chance(probabilities, seed=1)
    labels = (logits + random.gumbel(size=(100, *logits.shape))).argmax(axis=2)
    errors = np.array([reliability(probabilities, each).error for each in labels])
    assert 0.88 <= np.mean((low <= errors) & (errors <= high)) <= 1
    assert reliability(softmax(logits, 0.3), labels[0]).error > high


def test_a_row_of_weight_two_counts_as_two_rows_for_the_temperature() -> None:
    random = np.random.default_rng(3)
    logits, labels, weights = (
        random.normal(size=(40, 3)),
        random.integers(0, 3, 40),
        random.integers(1, 4, 40),
    )
    copies = np.repeat(np.arange(40), weights)
    expected = fit_temperature(logits[copies], labels[copies])
    assert fit_temperature(logits, labels, weights.astype(np.float32)) == pytest.approx(expected, rel=1e-4)
