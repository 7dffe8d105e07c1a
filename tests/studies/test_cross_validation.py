"""Whether a difference is real, by hand; and how it is told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.baselines.catalogue import BASELINES
from pipeline.options import Criterion
from pipeline.studies.cross_validation import (
    Contestant,
    Difference,
    Result,
    Scores,
    cells,
    compared,
    fullest,
    markdown,
    over_folds,
    over_rows,
    scored,
    shown,
    table,
    verdict,
)


def scores(*accuracies: float) -> Scores:
    return {"accuracy": np.array(accuracies), "macro_f1": np.array(accuracies) / 2}


def test_folds_that_share_their_training_rows_widen_the_interval() -> None:
    # Nadeau and Bengio: variance 2/3 * 1e-4, times 1/4 + 1/3 instead of 1/4.
    one = over_folds(np.array([0.01, 0.02, 0.02, 0.03]), folds=4)
    error = math.sqrt((1 / 4 + 1 / 3) * 2 / 3 * 1e-4)
    assert one.mean == pytest.approx(0.02)
    assert one.high - one.mean == pytest.approx(3.182446 * error)  # t of 3 degrees of freedom
    assert one.p == pytest.approx(2 * stats.t.sf(0.02 / error, 3))


def test_over_the_rows_of_one_test_part_it_is_the_paired_t_test() -> None:
    gained = np.array([[1, 0, 0, -1, 1, 1, 0, 0]])
    one = over_rows(gained)
    theirs = stats.ttest_1samp(gained[0], 0)
    low, high = theirs.confidence_interval()
    assert (one.mean, one.p, one.low, one.high) == pytest.approx((0.25, theirs.pvalue, low, high))


def test_the_spread_over_seeds_widens_the_interval_over_rows() -> None:
    # Rows' means 1, 0, 0.5, 0.5 with variance 1/6; seeds' means 0.75 and 0.25 with variance 1/8.
    one = over_rows(np.array([[1, 0, 1, 1], [1, 0, 0, 0]]))
    rows, seeds = 1 / 6 / 4, 1 / 8 / 2
    freedom = (rows + seeds) ** 2 / (rows**2 / 3 + seeds**2 / 1)
    assert freedom == pytest.approx(2.4194, abs=1e-4)
    assert one.mean == 0.5
    assert one.mean - one.low == pytest.approx(stats.t.ppf(0.975, freedom) * math.sqrt(rows + seeds))
    assert one.p == pytest.approx(2 * stats.t.sf(0.5 / math.sqrt(rows + seeds), freedom))


def test_three_seeds_that_differ_count_as_three_and_not_as_their_rows() -> None:
    # The seeds' means are 0.1, 0.4 and 0.7 of 10,000 rows, so nearly all the variance is theirs, of 0.09 / 3:
    # t is 0.4 / sqrt(0.03) = 2.309 of 2 degrees of freedom.
    gained = np.arange(10_000) % 10 < np.array([[1], [4], [7]])
    one = over_rows(gained.astype(float))
    assert one.p == pytest.approx(2 * stats.t.sf(2.309, 2), abs=1e-3)  # 0.147; of 9,999 it would be 0.021
    assert not one.is_real


def test_few_rows_are_never_surer_than_their_signs() -> None:
    # Nine of ten seeds win every row, and one all but one: of four rows p would be 5e-10.
    for rows in (2, 4, 5, 6, 8, 20):
        gained = np.ones((10, rows))
        gained[0, 0] = 0
        for sign in (1, -1):
            one = over_rows(sign * gained)
            assert one.p == 2 * 0.5**rows
            assert -1 <= one.low <= one.mean <= one.high <= 1
            assert one.is_real == (rows > 5) == (one.low * one.high > 0)


def test_no_interval_leaves_what_accuracies_can_differ_by() -> None:
    assert over_rows(np.array([[1, 1, 1, 0]])).high == 1
    assert over_folds(np.array([-0.9, 0.1]), 2).low == -1


def test_one_row_tells_nothing() -> None:
    assert over_rows(np.ones((3, 1))) == Difference(1.0, -1.0, 1.0, 1.0)


@pytest.mark.parametrize("folds", range(2, 11))
def test_differences_without_spread_are_tested_by_their_signs(folds: int) -> None:
    assert over_folds(np.zeros(folds), folds) == Difference(0.0, 0.0, 0.0, 1.0)
    for hundredths in range(1, 101):  # of some, such as 0.05, rounding leaves a variance
        one = over_folds(np.full(folds, hundredths / 100), folds)
        assert one.mean == one.high == pytest.approx(hundredths / 100)
        assert one.p == 2 * 0.5**folds
        assert one.low == (one.mean if folds > 5 else 0)  # 2 / 2^5 is above 0.05, and the interval agrees
        assert over_folds(np.full(folds, -hundredths / 100), folds) == Difference(
            -one.mean, -one.high, -one.low, one.p
        )


def test_rounding_is_no_spread_over_rows_either() -> None:
    # Each row is won by one seed of three, and each seed has a third of the rows: both means are 1/3.
    gained = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert over_rows(np.tile(gained, 7)).p == 2 * 0.5**21


def test_accuracies_and_their_difference_are_those_of_the_labels() -> None:
    truth = [np.array([0, 0, 1, 1]), np.array([0, 1])]
    network, other = [np.array([0, 0, 1, 0]), np.array([0, 1])], [np.array([1, 0, 1, 0]), np.array([0, 0])]
    assert scored(truth, network, ["a", "b"])["accuracy"].tolist() == [0.75, 1]
    assert compared(truth, network, other, folds=2).mean == pytest.approx((0.25 + 0.5) / 2)


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (
            Difference(0.02, 0.01, 0.03, 0.004),
            "Ship net: it is really better than B (2.0 points, p = 0.004).",
        ),
        (
            Difference(-0.02, -0.03, -0.01, 1e-9),
            "Ship B: it is really better than net (2.0 points, p < 0.0001).",
        ),
        (
            Difference(0.004, -0.01, 0.02, 0.3),
            "Ship B: net is not really different from it (0.4 points, p = 0.3) and costs more.",
        ),
    ],
)
def test_the_verdict_is_about_the_strongest_opponent(difference: Difference, expected: str) -> None:
    found = {"net": scores(0.8, 0.8), "A": scores(0.5, 0.5), "B": scores(0.78, 0.78)}
    easy = Difference(0.3, 0.2, 0.4, 0.001)
    assert verdict(found, {"A": easy, "B": difference}, "accuracy") == expected


def test_of_contestants_that_macro_f1_chose_the_verdict_says_what_they_have_of_it() -> None:
    def both(accuracy: float, macro_f1: float) -> Scores:
        return {"accuracy": np.array([accuracy] * 3), "macro_f1": np.array([macro_f1] * 3)}

    found = {"balanced": both(0.9, 0.8), "majority class": both(0.93, 0.48), "B": both(0.85, 0.7)}
    better, worse = Difference(0.05, 0.04, 0.06, 0.01), Difference(-0.03, -0.04, -0.02, 0.02)
    said = verdict(found, {"majority class": worse, "B": better}, "macro_f1")
    assert said == (
        "Ship majority class: it is really better than balanced (3.0 points, p = 0.02). "
        "By macro-F1, which chose them, it is 80.0 to 70.0 of B."
    )


def test_the_table_gives_mean_and_standard_deviation_within_79_columns() -> None:
    found = {"kim-multichannel": scores(0.7, 0.8), "TF-IDF + logistic regression": scores(1, 1)}
    text = table(found, {"TF-IDF + logistic regression": Difference(-0.25, -0.4, -0.1, 0.01)})
    assert "75.0 ±  7.1" in text
    assert "37.5 ±  3.5" in text
    assert "-25.0 [-40.0, -10.0]" in text
    assert max(map(len, text.splitlines())) <= 79


def test_an_interval_that_reaches_all_that_accuracies_can_differ_by_has_room() -> None:
    found = {"kim-rand network.windows=[1,2,3]": scores(0.7, 0.8), "B": scores(0, 1)}
    text = table(found, {"B": Difference(-0.995, -1.0, 1.0, 0.5)})
    assert "-99.5 [-100, +100]" in text
    assert max(map(len, text.splitlines())) <= 79


def test_the_longest_title_makes_no_line_longer_than_79_columns() -> None:
    titles = [one.title for one in BASELINES.values()]
    found = {name: scores(0.7, 0.8) for name in ["image_cnn train.epochs=3 seed=7 x", *titles]}
    lines = table(found, dict.fromkeys(titles, Difference(-0.25, -0.4, -0.1, 0.01))).splitlines()
    assert max(map(len, lines)) <= 79
    assert all(any(line.startswith(f"  {title}  ") for line in lines) for title in titles)
    assert lines[1].startswith("  image_cnn train.epochs=3 see…  75.0 ± ")
    assert len({line.index("±") for line in lines[1:]}) == 1


def test_models_that_differ_late_in_their_names_are_both_in_the_table() -> None:
    long = "kim-multichannel embed.vectors="
    both = [result(long + "news.bin", "mr", 0.7, 0.7), result(long + "glove.txt", "mr", 0.8, 0.8)]
    found = cells(fullest(both), "accuracy")
    assert found[long + "news.bin"]["mr"].mean == pytest.approx(70)
    assert found[long + "glove.txt"]["mr"].mean == pytest.approx(80)
    assert shown(both[0].model) == shown(both[1].model) == "kim-multichannel embed.vecto…"


def result(
    model: str,
    corpus: str,
    *accuracies: float,
    folds: int = 10,
    published: float | None = None,
    rows: str = "same",
    majority: float = 0.5,
    criterion: Criterion = "accuracy",
    linear: bool = False,
) -> Result:
    other = Contestant(accuracy=[majority, majority], macro_f1=[0.25, 0.25], difference=None)
    network = Contestant(accuracy=list(accuracies), macro_f1=[0.3, 0.3], difference=None)
    return Result(
        corpus=corpus,
        model=model,
        folds=folds,
        runs=len(accuracies),
        test_rows=10,
        rows=rows,
        criterion=criterion,
        published=published,
        contestants={model: network, "majority class": other, **({"LR": other} if linear else {})},
        calibration_error_before=[0.1, 0.2],
        calibration_error=[0.05, 0.0],
        verdict="",
    )


def test_the_markdown_sets_models_before_opponents_and_the_best_of_a_corpus_in_bold() -> None:
    rand = result("kim-rand", "mr", 0.744, 0.764, published=76.1)
    assert markdown([rand, result("kim-static", "trec", 0.9, 0.9, 0.93)]).split("\n\n")[1:] == [
        "| Accuracy | mr, 2 runs | trec, 3 runs |\n"
        "| --- | --- | --- |\n"
        "| kim-rand | **75.4 ± 1.4 (76.1)** |  |\n"
        "| kim-static |  | **91.0 ± 1.7** |\n"
        "| majority class | 50.0 ± 0.0 | 50.0 ± 0.0 |",
        "| Macro-F1 | mr, 2 runs | trec, 3 runs |\n"
        "| --- | --- | --- |\n"
        "| kim-rand | **30.0 ± 0.0** |  |\n"
        "| kim-static |  | **30.0 ± 0.0** |\n"
        "| majority class | 25.0 ± 0.0 | 25.0 ± 0.0 |",
        "| Calibration error, without → with temperature | mr, 2 runs | trec, 3 runs |\n"
        "| --- | --- | --- |\n"
        "| kim-rand | 15.0 → 2.5 |  |\n"
        "| kim-static |  | 15.0 → 2.5 |",
    ]


def test_opponents_are_those_of_the_rows_of_most_runs_and_a_model_on_others_is_marked() -> None:
    # The last by name has the best figures, but of two seeds; its majority class would be 90 % for all.
    three, two = [0.7, 0.7, 0.7], [0.95, 0.95]
    results = [
        result("kim-rand", "trec", *three, rows="a"),
        result("kim-static", "trec", *three, rows="a"),
        result("kim-zero", "trec", *two, rows="b", majority=0.9),
    ]
    first, accuracy, *_, last = markdown(results).split("\n\n")
    assert "all on the same rows but those with †;" in first
    assert accuracy.splitlines() == [
        "| Accuracy | trec, 3 runs |",
        "| --- | --- |",
        "| kim-rand | 70.0 ± 0.0 |",
        "| kim-static | **70.0 ± 0.0** |",
        "| kim-zero | 95.0 ± 0.0 † |",
        "| majority class | 50.0 ± 0.0 |",
    ]
    assert last.startswith("† other folds, or another seed, tokenization or file")


def test_of_as_many_folds_and_runs_the_rows_that_most_models_share_count() -> None:
    one, other = (result("kim-rand", "mr", 0.6, 0.6, rows=rows) for rows in ("z", "a"))
    shared = result("kim-static", "mr", 0.6, 0.6, rows="a")
    assert fullest([one, shared, other]) == fullest([other, shared, one]) == [other, shared]
    assert "†" not in markdown([other, shared])


def test_a_model_of_more_folds_alone_makes_no_others_be_elsewhere() -> None:
    three = [result(name, "mr", 0.7, 0.7) for name in ("a", "b", "c")]
    alone = result("d", "mr", 0.9, 0.9, folds=12, rows="others")
    found = cells(fullest([*three, alone]), "accuracy")
    assert [found[name]["mr"].elsewhere for name in "abcd"] == [False, False, False, True]


def test_opponents_that_macro_f1_chose_stand_beside_the_others_on_the_same_rows() -> None:
    plain = result("kim-rand", "mr", 0.7, 0.7, linear=True)
    balanced = result("balanced", "mr", 0.6, 0.6, linear=True, majority=0.55, criterion="macro_f1")
    found = cells(fullest([plain, balanced]), "accuracy")
    assert list(found) == ["balanced", "kim-rand", "majority class", "LR, by macro-F1", "LR"]
    assert found["LR"]["mr"].mean == pytest.approx(50)
    assert found["LR, by macro-F1"]["mr"].mean == pytest.approx(55)
    assert "†" not in markdown([plain, balanced])


def test_of_two_cross_validations_the_one_of_more_folds_counts() -> None:
    few, many = (result("kim-rand", "mr", 0.6, 0.6, folds=2), result("kim-rand", "mr", 0.7, 0.7))
    assert fullest([many, few]) == [many]
    assert cells([many], "accuracy")["kim-rand"]["mr"].mean == pytest.approx(70)
