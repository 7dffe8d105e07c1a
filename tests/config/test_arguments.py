"""Values that verbs take from the command line."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pipeline.config import arguments


def test_a_label_needs_a_probability_or_one_of_a_precision() -> None:
    texts = ["0", "0.8", "1", "precision:0.95", "precision-by-class:0.5"]
    assert [arguments.abstention(text) for text in texts] == [
        (0, "abstain"), (0.8, "abstain"), (1, "abstain"), (0.95, "precision"), (0.5, "precision_by_class"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["95%", "nan", "1.5", "-1", "precision", "precision:", "precision:1", "precision:0", "precision:nan",
     "precision:95", "precision=0.95", "0.95:precision", "recall:0.9", ":0.9", "precision-by-class", "a:b:1"],
)  # fmt: skip
def test_a_label_needs_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a probability from 0 to 1, .*precision:0\.95"):
        arguments.abstention(text)


def test_a_budget_is_hours_minutes_and_seconds() -> None:
    texts = ["1s", "90s", "10m", "1h", "1h30m", "1h0m1s"]
    assert [arguments.duration(text) for text in texts] == [1, 90, 600, 3600, 5400, 3601]
    assert all(
        arguments.duration(f"{one}s") < arguments.duration(f"{other}s")
        for one, other in pairwise(range(1, 9))
    )


@pytest.mark.parametrize("text", ["", "10", "m", "0s", "-1m", "1.5h", "10 m", "10M", "5m1h", "ten", "1m\n"])
def test_any_other_budget_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time such as 90s, 10m or 1h30m") as caught:
        arguments.duration(text)
    assert "\n" not in str(caught.value)
