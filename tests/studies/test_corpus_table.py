"""Tables of several cross-validations."""

from __future__ import annotations

import pytest

from pipeline.studies.corpus_table import cells, fullest, markdown
from pipeline.studies.cross_validation import shown
from tests.cross_validations import cross_validation


def test_models_that_differ_late_in_their_names_are_both_in_the_table() -> None:
    long = "kim-multichannel embed.vectors="
    both = [
        cross_validation(long + "news.bin", "mr", 0.7, 0.7),
        cross_validation(long + "glove.txt", "mr", 0.8, 0.8),
    ]
    rows = cells(fullest(both), "accuracy")
    assert rows[long + "news.bin"]["mr"].mean == pytest.approx(70)
    assert rows[long + "glove.txt"]["mr"].mean == pytest.approx(80)
    assert shown(both[0].model) == shown(both[1].model) == "kim-multichannel embed.vecto…"


def test_the_markdown_sets_models_before_opponents_and_the_best_of_a_corpus_in_bold() -> None:
    rand = cross_validation("kim-rand", "mr", 0.744, 0.764, published=76.1)
    assert markdown([rand, cross_validation("kim-static", "trec", 0.9, 0.9, 0.93)]).split("\n\n")[1:] == [
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
        cross_validation("kim-rand", "trec", *three, rows="a"),
        cross_validation("kim-static", "trec", *three, rows="a"),
        cross_validation("kim-zero", "trec", *two, rows="b", majority=0.9),
    ]
    first, accuracy, *_, last = markdown(results).split("\n\n")
    assert "all on the same rows, except where marked †;" in first
    assert accuracy.splitlines() == [
        "| Accuracy | trec, 3 runs |",
        "| --- | --- |",
        "| kim-rand | 70.0 ± 0.0 |",
        "| kim-static | **70.0 ± 0.0** |",
        "| kim-zero | 95.0 ± 0.0 † |",
        "| majority class | 50.0 ± 0.0 |",
    ]
    assert last.startswith("† other folds, seed, tokenization or file")


def test_of_as_many_folds_and_runs_the_rows_that_most_models_share_count() -> None:
    one, other = (cross_validation("kim-rand", "mr", 0.6, 0.6, rows=rows) for rows in ("z", "a"))
    shared = cross_validation("kim-static", "mr", 0.6, 0.6, rows="a")
    assert fullest([one, shared, other]) == fullest([other, shared, one]) == [other, shared]
    assert "†" not in markdown([other, shared])


def test_a_model_of_more_folds_alone_makes_no_others_stand_on_other_rows() -> None:
    three = [cross_validation(name, "mr", 0.7, 0.7) for name in ("a", "b", "c")]
    alone = cross_validation("d", "mr", 0.9, 0.9, folds=12, rows="others")
    rows = cells(fullest([*three, alone]), "accuracy")
    assert [rows[name]["mr"].on_other_rows for name in "abcd"] == [False, False, False, True]


def test_opponents_that_macro_f1_chose_stand_beside_the_others_on_the_same_rows() -> None:
    plain = cross_validation("kim-rand", "mr", 0.7, 0.7, linear=True)
    balanced = cross_validation("balanced", "mr", 0.6, 0.6, linear=True, majority=0.55, criterion="macro_f1")
    rows = cells(fullest([plain, balanced]), "accuracy")
    assert list(rows) == ["balanced", "kim-rand", "majority class", "LR, by macro-F1", "LR"]
    assert rows["LR"]["mr"].mean == pytest.approx(50)
    assert rows["LR, by macro-F1"]["mr"].mean == pytest.approx(55)
    assert "†" not in markdown([plain, balanced])


def test_of_two_cross_validations_the_one_of_more_folds_counts() -> None:
    few = cross_validation("kim-rand", "mr", 0.6, 0.6, folds=2)
    many = cross_validation("kim-rand", "mr", 0.7, 0.7)
    assert fullest([many, few]) == [many]
    assert cells([many], "accuracy")["kim-rand"]["mr"].mean == pytest.approx(70)
