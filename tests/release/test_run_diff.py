"""Two runs beside each other on the terminal."""

from __future__ import annotations

import pandas as pd

from pipeline.release import run_diff


def predictions(labels: str, probabilities: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "file": "x.csv",
            "line": range(2, 2 + len(labels)),
            "text": [f"text {n} " * 20 for n in range(len(labels))],
            "label": list("aabb"),
            "predicted_label": list(labels),
            "probability": probabilities,
        }
    )


ONE = predictions("aabb", [0.9, 0.8, 0.7, 0.6])
OTHER = predictions("abba", [0.5, 0.5, 0.5, 0.95])


def test_rows_that_get_another_label_are_listed_the_most_confident_first() -> None:
    differing = run_diff.disagreements(ONE, OTHER)
    assert differing is not None
    assert differing["line"].tolist() == [5, 3]
    assert differing[["label", "a", "probability_a", "b", "probability_b"]].values.tolist() == [
        ["b", "b", 0.6, "a", 0.95],
        ["a", "a", 0.8, "b", 0.5],
    ]
    text = run_diff.rows(ONE, OTHER, differing)
    assert "2 of 4 test rows get another label" in text
    assert "0 rows fixed, 2 broken" in text
    assert max(map(len, text.splitlines())) <= 79


def test_runs_of_other_test_rows_have_no_rows_to_compare() -> None:
    assert run_diff.disagreements(ONE, OTHER[:3]) is None
    assert run_diff.disagreements(ONE, OTHER.assign(text="another")) is None
    assert run_diff.disagreements(ONE, OTHER.drop(columns="text")) is None


def test_only_options_that_differ_and_metrics_of_both_are_shown() -> None:
    text = run_diff.parameters({"seed": "1", "x": "2"}, {"seed": "1", "x": "3", "y": "z" * 99})
    assert text.split() == ["x", "2", "3", "y", "-", "z" * 19 + "…"]
    assert run_diff.parameters({"seed": "1"}, {"seed": "1"}) == "  no option differs"
    assert run_diff.metrics({"loss": 0.25, "old": 1}, {"loss": 2}).split() == ["loss", "0.25", "2"]
