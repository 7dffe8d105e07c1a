from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from pipeline.baselines import catalogue
from pipeline.baselines.candidate import FittedCandidate, Rows, Texts
from pipeline.baselines.catalogue import BASELINES, Baseline, choose
from pipeline.config.stage_options import BaselineOptions
from pipeline.inputs import Sequences
from tests.baselines.choosing import fit

OF_TOKENS = [name for name, baseline in BASELINES.items() if baseline.fits("tokens")]
LEARNING = [name for name in OF_TOKENS if name != "majority"]


def rows_for(name: str, rows: list[list[int]]) -> Rows:
    """Rows in the form that a baseline takes: token 7 is written `w7`."""
    tokens = Sequences.from_rows(rows)
    texts = [" ".join(f"w{token}" for token in row) for row in rows]
    return Texts(pd.Series(texts), tokens) if BASELINES[name].takes == "texts" else tokens


def predict(
    name: str, rows: list[list[int]], labels: list[int], test: list[list[int]], seed: int = 1
) -> tuple[list[int], str]:
    """Fitted and chosen on the same rows."""
    library = BASELINES[name].library
    if library:
        pytest.importorskip(library, reason=f"{library} is not installed")
    training = rows_for(name, rows), np.array(labels)
    fitted, _ = fit(name, training, training, max(labels) + 1, "accuracy", seed)
    predicted = fitted.predict(rows_for(name, test))
    assert predicted.dtype == np.int64
    return predicted.tolist(), fitted.setting


def test_the_options_name_every_baseline_in_the_order_shown() -> None:
    (names,) = get_args(BaselineOptions.model_fields["baselines"].annotation)
    assert list(get_args(names)) == list(BASELINES)


def test_the_majority_is_the_most_frequent_label_and_of_several_the_first() -> None:
    assert predict("majority", [[2], [3], [4]], [0, 2, 2], [[2], []]) == ([2, 2], "label 2")
    assert predict("majority", [[2], [3]], [2, 1], [[2]]) == ([1], "label 1")


@pytest.mark.parametrize("name", LEARNING)
def test_it_learns_from_single_tokens(name: str) -> None:
    rows = [[2, 3], [3, 2], [4, 3], [3, 4]] * 5
    assert predict(name, rows, [0, 0, 1, 1] * 5, [[2], [4], [9, 4]])[0] == [0, 1, 1]


@pytest.mark.parametrize("name", LEARNING)
def test_it_learns_from_pairs_what_single_tokens_do_not_tell(name: str) -> None:
    assert predict(name, [[2, 3, 5], [3, 2, 5]] * 40, [0, 1] * 40, [[2, 3, 5], [3, 2, 5]])[0] == [0, 1]


@pytest.mark.parametrize("name", ["linear", "nbsvm"])
def test_a_pair_does_not_reach_over_the_end_of_a_row(name: str) -> None:
    assert predict(name, [[2, 3], [2], [3, 2]] * 10, [0, 1, 1] * 10, [[2], [3], [2, 3]])[0][2] == 0


@pytest.mark.parametrize("name", LEARNING)
def test_it_tells_several_classes_apart(name: str) -> None:
    rows = [[2, 5], [3, 5], [4, 5]] * 20
    assert predict(name, rows, [0, 1, 2] * 20, [[4, 5], [2, 5], [3, 5]])[0] == [2, 0, 1]


@pytest.mark.parametrize("name", OF_TOKENS)
def test_an_empty_or_unknown_row_is_predicted(name: str) -> None:
    rows = [[2], [3], [3], []] * 10
    assert predict(name, rows, [0, 1, 1, 1] * 10, [[], [99], [99, 98]])[0] == [1, 1, 1]


@pytest.mark.parametrize("name", OF_TOKENS)
def test_a_class_without_a_training_row_is_not_predicted(name: str) -> None:
    training = rows_for(name, [[2], [3], [3], [3]] * 10), np.array([0, 3, 3, 3] * 10)
    test = rows_for(name, [[2], [3], [4]])
    if not BASELINES[name].available():
        pytest.skip(f"{BASELINES[name].library} is not installed")
    fitted, _ = fit(name, training, (test, np.array([0, 3, 1])), 5, "macro_f1", 1)
    assert set(fitted.predict(test).tolist()) <= {0, 3}


@pytest.mark.parametrize("name", OF_TOKENS)
@pytest.mark.parametrize(("rows", "labels"), [([[2], [3]], [1, 1]), ([[], [], []], [0, 1, 1])])
def test_without_a_second_class_or_a_token_it_is_the_majority(
    name: str, rows: list[list[int]], labels: list[int]
) -> None:
    assert predict(name, rows, labels, [[2], [], [9]]) == ([1, 1, 1], "label 1")


@pytest.mark.parametrize("name", LEARNING)
def test_it_learns_from_rows_sorted_by_class(name: str) -> None:
    random = np.random.default_rng(7)
    labels = np.repeat([0, 1], 500)
    telling = random.integers(2, 200, 1000) + 200 * labels  # one rare token among seven that say nothing
    rows = np.column_stack([telling, random.integers(500, 510, (1000, 7))]).tolist()
    predicted, _ = predict(name, rows, labels.tolist(), rows)
    assert np.mean(predicted == labels) > 0.95


@pytest.mark.parametrize("name", LEARNING)
def test_a_seed_repeats_the_predictions_and_the_choice(name: str) -> None:
    random = np.random.default_rng(7)
    rows = random.integers(2, 30, (60, 5)).tolist()
    labels = random.integers(0, 3, 60).tolist()
    test = random.integers(2, 30, (200, 5)).tolist()
    assert predict(name, rows, labels, test, seed=2**32 - 1) == predict(
        name, rows, labels, test, seed=2**32 - 1
    )


def test_the_candidate_with_most_validation_rows_right_is_chosen_and_of_several_the_first() -> None:
    rows, labels = [[2, 3], [3, 2], [4, 3], [3, 4]] * 5, [0, 0, 1, 1] * 5
    assert predict("linear", rows, labels, [[2]])[1] == "C = 10"


def constant(
    training: Sequences, labels: np.ndarray, classes: int, seed: int, balanced: bool, settings: Sequence[int]
) -> Iterator[FittedCandidate]:
    """Each setting is the label of all rows."""
    for label in settings:
        yield FittedCandidate(
            f"{label} of {len(training)} rows", lambda inputs, c=label: np.full(len(inputs), c)
        )


def test_the_best_on_all_held_out_rows_is_fitted_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BASELINES, "linear", Baseline("", constant, (0, 2, 1)))
    rows = Sequences.from_rows([[2], [3], [4]])
    training = rows, np.array([0, 1, 2])
    splits = [(training, (rows, np.array(labels))) for labels in ([0, 0, 1], [2, 2, 2])]
    chosen = choose("linear", splits, 3, "accuracy", 1)
    assert (chosen.settings, chosen.score) == ((2,), pytest.approx(1 / 2))
    assert choose("linear", splits[:1], 3, "accuracy", 1)[2:] == ((0,), pytest.approx(2 / 3))
    both = Sequences.from_rows([[2], [3], [4], [2], [3]])
    fitted = catalogue.fit(chosen, (both, np.array([0, 1, 2, 2, 2])), 3, 1)
    assert fitted.setting == "2 of 5 rows" and fitted.predict(rows).tolist() == [2, 2, 2]


def test_a_fold_of_one_class_counts_its_majority_for_every_setting() -> None:
    two = Sequences.from_rows([[2], [3]]), np.array([0, 1])
    one = Sequences.from_rows([[2], [3]]), np.array([1, 1])
    chosen = choose("linear", [(two, two), (one, two)], 2, "accuracy", 1)
    assert chosen.score == pytest.approx(3 / 4) and chosen.baseline is BASELINES["linear"]


def test_a_baseline_is_the_opponent_of_networks_that_read_the_same() -> None:
    fitting = {
        kind: [name for name, one in BASELINES.items() if one.fits(kind)] for kind in ("tokens", "images")
    }
    assert fitting == {
        "tokens": ["linear", "svm", "nbsvm", "fasttext", "majority"],
        "images": ["pixels", "majority"],
    }


def test_a_baseline_without_its_library_is_not_available() -> None:
    assert BASELINES["linear"].available()
    assert not Baseline("", BASELINES["linear"].candidates, (1.0,), library="not_installed").available()


def test_the_classes_weigh_the_same_only_where_they_do_for_the_network_too() -> None:
    # Of 63 texts "2 3", two in three are of class 1, and "4" goes with class 0 in none: by accuracy "2 3" is
    # class 1. Where both classes weigh the same, so do 20 texts "2 3" of class 0 out of 21 and 43 of 1 out of
    # 143: 0.95 against 0.30.
    rows = Sequences.from_rows([[2, 3]] * 63 + [[4]] * 100 + [[5]])
    training = rows, np.array([0] * 20 + [1] * 43 + [1] * 100 + [0])
    # One class 0 row right and one of four class 1 rows wrong: macro-F1 is (2/3 + 6/7) / 2, accuracy 4/5. All
    # called class 1: macro-F1 is (0 + 8/9) / 2, accuracy 4/5 as well, and it comes first.
    validation = Sequences.from_rows([[2, 3], [2, 3], [4], [4], [4]]), np.array([0, 1, 1, 1, 1])
    by_accuracy, accuracy = fit("linear", training, validation, 2, "accuracy", 1)
    by_macro_f1, macro_f1 = fit("linear", training, validation, 2, "macro_f1", 1)
    assert (accuracy, macro_f1) == pytest.approx((4 / 5, (2 / 3 + 6 / 7) / 2))
    assert by_accuracy.predict(validation[0]).tolist() == [1, 1, 1, 1, 1]
    assert by_macro_f1.predict(validation[0]).tolist() == [0, 0, 1, 1, 1]
    assert not by_accuracy.setting.endswith("balanced") and by_macro_f1.setting.endswith(", balanced")


@pytest.mark.parametrize("name", LEARNING)
def test_by_macro_f1_it_is_balanced_only_where_that_is_better(name: str) -> None:
    if not BASELINES[name].available():
        pytest.skip(f"{BASELINES[name].library} is not installed")
    part = rows_for(name, [[2, 3], [3, 2], [4, 3], [3, 4]] * 5), np.array([0, 0, 1, 1] * 5)
    assert not fit(name, part, part, 2, "macro_f1", 1)[0].setting.endswith("balanced")
