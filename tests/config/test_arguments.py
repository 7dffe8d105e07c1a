"""Values that verbs take from the command line."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pipeline.config import arguments


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
