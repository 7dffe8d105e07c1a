"""The lines that report on a search."""

from __future__ import annotations

import pytest

from pipeline.networks.search_space import Range
from pipeline.studies.search import Search, Trial
from pipeline.studies.search_report import caution, heading, trial_line, trials_table, winner_lines

START = {"network.dropout": 0.5, "network.windows": [3, 4, 5]}


def test_what_an_ensemble_searches_fits_the_terminal() -> None:
    title = "the network + n-grams of ensemble (one network of its 5)"
    first, *others = heading(title, "docstrings", 1234).splitlines()
    assert first.startswith("tune: the network + n-grams of ensemble (one network of its 5)")
    assert others[1:] == ["  trial  validation  epochs  seconds"]
    assert max(map(len, [first, *others])) <= 79


def test_a_trial_that_failed_says_why_on_one_line() -> None:
    trial = Trial(3, {"network.dropout": 0.1}, [], "failed", "MemoryError: " + "no room, " * 20)
    line = trial_line(trial, {"network.dropout": 0.5})
    assert line.split()[:6] == ["3", "-", "0", "0.0", "failed:", "MemoryError:"]
    assert len(line) <= 79


def test_a_trial_names_the_settings_that_differ_from_the_start() -> None:
    trial = Trial(2, START | {"network.windows": [1, 2]}, [0.5, 0.75], "pruned", seconds=1.25)
    assert trial_line(trial, START).split() == ["2", "75.00%", "2", "1.2", "pruned,", "windows", "1-2"]
    assert trial_line(Trial(0, START, [0.5]), START).endswith("as it is")


def test_settings_that_do_not_fit_are_counted() -> None:
    start = {f"network.a_long_name_{number}": 0 for number in range(9)}
    line = trial_line(Trial(1, dict.fromkeys(start, 1), [0.5]), start)
    assert line.endswith("a_long_name_0 1, a_long_name_1 1, +7")
    assert len(line) <= 79


def search(*trials: Trial) -> Search:
    made = Search({"network.dropout": Range(0.0, 0.7)}, {"network.dropout": 0.5}, seed=1)
    made.trials.extend(trials)
    return made


def test_the_table_has_a_row_for_each_trial() -> None:
    trials = [
        Trial(0, {"network.dropout": 0.5}, [0.5], seconds=1.26),
        Trial(1, {"network.dropout": 0.1}, [], "failed", "too large"),
    ]
    header, rows = trials_table(search(*trials), "accuracy")
    assert header[:5] == ["trial", "validation_accuracy", "epochs", "seconds", "ending"]
    assert header[5:] == ["network.dropout", "fault"]
    assert rows == [[0, 0.5, 1, 1.3, "finished", "0.5", ""], [1, "", 0, 0.0, "failed", "0.1", "too large"]]


@pytest.mark.parametrize(("interrupted", "begin"), [(False, "  "), (True, "  interrupted; ")])
def test_the_winner_is_told_with_the_verdict_and_without_its_lucky_score(
    interrupted: bool, begin: str
) -> None:
    trials = Trial(0, {"network.dropout": 0.5}, [0.5]), Trial(1, {"network.dropout": 0.1}, [0.6, 0.7])
    lines = winner_lines(search(*trials), trials[1], "no better than convtext", 2000, interrupted)
    assert lines[0] == f"{begin}best of 2: trial 1"
    assert lines[1:3] == ["  dropout 0.1", "  no better than convtext."]
    assert "70" not in "".join(lines)
    assert max(map(len, "\n".join(lines).splitlines())) <= 79


def test_the_worth_of_a_row_is_given_where_rows_are_few() -> None:
    assert "by these same 8 rows, one of which is 12.5 points of accuracy: scores" in caution(8)
    assert "by these same 1,000 rows: scores and difference are optimistic" in caution(1000)
