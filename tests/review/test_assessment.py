"""The measures of a classifier whose every number is set by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.folding.folded import FoldedModel
from pipeline.measures.abstention import Outcomes
from pipeline.measures.comparison import Opponent
from pipeline.measures.selective import selective
from pipeline.prediction.pool import Pool
from pipeline.review import assessment
from tests.review.hand_set import network, ngrams, pool, rows, scored


def measured(model: Pool) -> dict[str, Any]:
    test = scored(model, rows(["good", "bad", "fine", "fine"], [1, 0, 1, 1]))
    return assessment.measures(
        test, {"majority": Opponent(test.truth, 1)}, None, "accuracy", seed=1
    ).to_json()


def test_the_network_is_also_scored_without_the_n_grams_that_are_weighed_in() -> None:
    found = measured(Pool(FoldedModel([network()]), {"tokens": ngrams()}, [1.0, 0.5]))
    assert found["accuracy"] == 0.5 and found["network_alone_accuracy"] == 1
    assert found["network_alone_macro_f1"] == 1
    # Wilson, 4 of 4 rows: from 4 / (4 + 1.96 ** 2).
    assert found["network_alone_accuracy_interval"] == pytest.approx((0.5101, 1), abs=1e-4)


def test_each_member_is_scored_alone_and_left_out() -> None:
    """Of good, bad, fine and fine, labelled 1, 0, 1 and 1, the n-grams call all 0 and the network errs never;
    so macro-F1 is that of class 0 alone, 2 / 5, halved: two rows in four are wrong for both together."""
    found = measured(Pool(FoldedModel([network()]), {"tokens": ngrams()}, [1.0, 0.5]))["members"]
    right = {"accuracy": 1.0, "macro_f1": 1.0}
    wrong = {"accuracy": 0.25, "macro_f1": pytest.approx(0.2)}
    for member, name, weight, alone, without in zip(
        found, ["networks", "tokens"], [1.0, 0.5], [right, wrong], [wrong, right], strict=True
    ):
        assert member == {
            "name": name,
            "weight": weight,
            **{f"{key}_alone": value for key, value in alone.items()},
            **{f"{key}_without": value for key, value in without.items()},
        }


@pytest.mark.parametrize("model", [pool(), pool(2)])
def test_networks_without_n_grams_are_not_scored_twice(model: Pool) -> None:
    found = measured(model)
    assert not [key for key in found if key.startswith("network_alone")]
    assert found["members"] == []


def test_a_label_that_no_training_row_has_is_an_error_of_every_classifier() -> None:
    """The network has good and bad right; two rows are called odd, which it cannot say, nor the opponent."""
    test = scored(pool(), rows(["good", "bad", "good", "fine"], [1, 0, 2, 2]), ["odd"])
    opponents = {"majority": Opponent(np.array([1, 1, 1, 1]), 1)}
    found = assessment.measures(test, opponents, None, "accuracy", seed=1).to_json()
    assert (found["accuracy"], found["majority_accuracy"]) == (0.5, 0.25)
    # Of good and odd the network's F1 is 2 / (1 + 3) and 0, and bad is right; the majority class has 2 / 5.
    assert found["macro_f1"] == pytest.approx((1 + 2 / 4 + 0) / 3)
    assert found["majority_macro_f1"] == pytest.approx((0 + 2 / 5 + 0) / 3)
    assert found["unknown_label_rows"] == 2
    assert found["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 2, 0]]
    assert [(entry["label"], entry["rows"]) for entry in found["classes"]] == [
        ("bad", 1),
        ("good", 1),
        ("odd", 2),
    ]
    assert found["slices"]["class"][2] == {"slice": "odd", "rows": 2, "accuracy": 0.0} | {
        "interval": found["slices"]["class"][2]["interval"]
    }
    assert test.is_known.tolist() == [True, True, False, False]


def test_out_of_scope_texts_are_compared_with_the_test_part() -> None:
    """Good, bad and fine have a logit of 4 either way; a text of unknown words has 0 for both classes."""
    test = scored(pool(), rows(["good", "bad", "zzz"], [1, 0, 0]))
    sure = Outcomes(np.full(60, 0.9, np.float32), np.ones(60, np.int32), np.ones(60, np.bool_))
    measured = selective(test.outcomes, sure)  # 0.95 from 0.9 on
    found = assessment.other_rows(test, measured, "oos", ["zzz", "zzz yyy", "fine", "zzz"])
    # Each of the two sure rows is above three texts and equal to one; zzz is equal to three and below one.
    assert found.separation.auroc == (2 * (3 + 0.5) + 3 * 0.5) / 12
    assert (found.separation.label, found.separation.rows, found.unlabelled) == ("oos", 4, 0.75)
    assert assessment.other_rows(test, selective(test.outcomes, None), "oos", ["zzz"]).unlabelled is None


def test_rows_that_have_a_copy_in_training_are_also_left_out_of_the_score() -> None:
    table = rows(["good", "bad", "fine", "fine"], [1, 0, 1, 0]).assign(copied=[True, False, True, False])
    test = scored(pool(), table)
    opponents = {"linear": Opponent(np.array([1, 1, 1, 0]), 0.9), "majority": Opponent(test.truth, 0.5)}
    measured = assessment.measures(test, opponents, None, "accuracy", seed=1)
    right = test.predicted == test.truth
    found = measured.to_json()
    assert found["accuracy"] == right.mean()
    assert found["without_copies_rows"] == 2
    assert found["without_copies_accuracy"] == right[[1, 3]].mean()
    assert found["without_copies_baseline_accuracy"] == 0.5
    assert measured.without_copies is not None
    share = f"{right[[1, 3]].mean():.1%}"
    assert (
        measured.without_copies.sentence("accuracy", "LR")
        == f"without near copies: {share} (2 rows), LR 50.0%"
    )


@pytest.mark.parametrize(("copied", "keys"), [(False, []), (True, ["without_copies_rows"])])
def test_where_no_row_or_every_row_has_a_copy_there_is_no_other_score(copied: bool, keys: list[str]) -> None:
    table = rows(["good", "bad"], [1, 0]).assign(copied=copied)
    test = scored(pool(), table)
    measured = assessment.measures(test, {"majority": Opponent(test.truth, 0.5)}, None, "accuracy", seed=1)
    assert [key for key in measured.to_json() if key.startswith("without")] == keys
    assert (measured.without_copies is None) != copied
    if measured.without_copies:
        assert "every test row has" in measured.without_copies.sentence("accuracy", "LR")


def fold(network: float, opponent: float, criterion: str = "accuracy", **without: float) -> dict[str, Any]:
    scores = {criterion: network, f"baseline_{criterion}": opponent}
    return {
        "criterion": criterion,
        **scores,
        **{f"without_copies_{name}": it for name, it in without.items()},
    }


def test_the_mean_without_copies_takes_folds_without_any_as_they_are() -> None:
    folds = [fold(0.9, 0.8, rows=3, accuracy=0.7, baseline_accuracy=0.4), fold(0.8, 0.6)]
    assert (
        assessment.mean_without_copies(folds)
        == "Without near copies the accuracy is 75.0%, that of each run's strongest opponent 50.0%."
    )
    assert assessment.mean_without_copies(folds[1:]) == ""


def test_a_fold_of_copies_alone_has_no_part_in_the_mean_without_copies() -> None:
    folds = [fold(0.9, 0.8, rows=0), fold(0.9, 0.8, rows=3, accuracy=0.5, baseline_accuracy=0.4)]
    assert assessment.mean_without_copies(folds) == (
        "Without near copies the accuracy is 50.0%, that of each run's strongest opponent 40.0%, "
        "over the 1 of 2 runs that have other rows."
    )
    assert assessment.mean_without_copies(folds[:1]).startswith("Every test row has an equal or near copy")


def test_the_mean_without_copies_is_that_of_the_criterion() -> None:
    folds = [
        fold(0.9, 0.8, "macro_f1", rows=3, macro_f1=0.6, baseline_macro_f1=0.5, accuracy=0.95),
        fold(0.7, 0.8, "macro_f1"),
    ]
    assert (
        assessment.mean_without_copies(folds)
        == "Without near copies the macro-F1 is 65.0%, that of each run's strongest opponent 65.0%."
    )
