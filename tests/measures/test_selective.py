"""The coverage and the accuracy of the surest rows, by hand and by their bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.measures import selective
from pipeline.measures.abstention import Outcomes
from pipeline.measures.metrics import wilson_interval
from pipeline.measures.selective import Labelled, Target


def outcomes(*pairs: tuple[float, bool]) -> Outcomes:
    probability, correct = zip(*pairs, strict=True)
    return Outcomes(
        np.array(probability, np.float32), np.zeros(len(pairs), np.int32), np.array(correct, np.bool_)
    )


FOUR = outcomes((0.5, False), (0.75, True), (0.75, False), (1.0, True))


def test_the_curve_and_its_area_by_hand() -> None:
    """The surest row is right; from 0.75 on two of three are, and of all rows two of four."""
    found = selective.selective(FOUR, None)
    assert [(point.threshold, point.rows, point.coverage, point.accuracy) for point in found.curve] == [
        (1.0, 1, 0.25, 1.0),
        (0.75, 3, 0.75, 2 / 3),
        (0.5, 4, 1.0, 0.5),
    ]
    assert found.curve[1].interval == wilson_interval(2, 3)
    assert found.risk == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 2) / 4)
    assert found.targets == [] and found.headline is None


def test_a_target_is_measured_on_the_test_part_at_the_threshold_of_the_validation_part() -> None:
    """0.95 needs 59 right rows: of 60 at 0.75 and 60 wrong ones at 0.5, the threshold is 0.75."""
    validation = outcomes(*[(0.75, True)] * 60, *[(0.5, False)] * 60)
    found = selective.selective(FOUR, validation)
    ninety, headline, ninety_eight, _ = found.targets
    expected = Labelled(0.75, 3, 0.75, 2 / 3, wilson_interval(2, 3))
    assert ninety == Target(0.9, expected) and headline == Target(0.95, expected)
    assert ninety_eight == Target(0.98, None)  # which needs 149
    entries = found.to_json()
    assert (entries["coverage_at_95"], entries["accuracy_at_95"]) == (0.75, 2 / 3)
    assert entries["accuracy_at_95_interval"] == wilson_interval(2, 3)
    low, high = wilson_interval(2, 3)
    assert found.headline is not None
    assert selective.summary(found.headline) == (
        f"  ABSTAIN=precision:0.95 labels 75.0%, 66.7% of these right [{low:.1%}, {high:.1%}]"
    )


def test_a_target_that_labels_nothing_says_why() -> None:
    sure = outcomes(*[(1.0, True)] * 60)
    (_, headline, none, _) = selective.selective(outcomes((0.5, True), (0.5, True)), sure).targets
    assert headline.labelled == Labelled(1.0, 0, 0.0, None, None)
    assert selective.summary(headline) == "  ABSTAIN=precision:0.95 labels no test row"
    assert selective.summary(none).endswith("labels none: the validation part does not show it")
    entries = selective.selective(FOUR, sure).to_json()
    assert "accuracy_at_95_interval" in entries
    longest = Labelled(1.0, 1, 1.0, 1.0, (1.0, 1.0))
    targets = [Target(p, found) for p in selective.PRECISIONS for found in (longest, None)]
    assert max(len(selective.summary(target)) for target in targets) <= 79


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.7, 0.9, 1.0]), st.booleans()), min_size=1))
def test_a_lower_threshold_labels_more_and_all_rows_have_the_whole_accuracy(
    pairs: list[tuple[float, bool]],
) -> None:
    rows = outcomes(*pairs)
    found = selective.selective(rows, rows)
    thresholds = [point.threshold for point in found.curve]
    coverage = [point.coverage for point in found.curve]
    assert thresholds == sorted(thresholds, reverse=True) and coverage == sorted(coverage)
    assert coverage[-1] == 1 and found.curve[-1].accuracy == rows.correct.mean()
    assert all(
        point.interval and point.interval[0] <= (point.accuracy or 0) <= point.interval[1]
        for point in found.curve
    )
    assert 0 <= found.risk <= 1
    labelled = [target.labelled.rows if target.labelled else 0 for target in found.targets]
    assert len(labelled) == 4
