from __future__ import annotations

import statistics

import pytest

from pipeline.errors import Diverged, InputError
from pipeline.networks.search_space import Choice, Range
from pipeline.studies.search import OnEpoch, Search, Trial

SPACE = {"train.batch_size": Choice((25, 50)), "network.dropout": Range(0.0, 0.7)}
START = {"train.batch_size": 16, "network.dropout": 0.125}
LONG = 1000.0


def near_a_half(trial: Trial, on_epoch: OnEpoch) -> None:
    """Three epochs, the last the best; the best dropout is 0.5."""
    for epoch in (0.8, 0.9, 1.0):
        if on_epoch(epoch * (1 - abs(trial.settings["network.dropout"] - 0.5))):
            return


def searched(seed: int, most: int) -> Search:
    search = Search(SPACE, START, seed)
    assert list(search.run(near_a_half, LONG, most)) == search.trials
    return search


def tried(search: Search) -> list[tuple[object, ...]]:
    return [(*trial.settings.items(), trial.ending, *trial.scores) for trial in search.trials]


def test_the_first_trial_is_the_start_even_where_it_is_outside_the_space() -> None:
    first, *others = searched(seed=1, most=20).trials
    assert first.settings == START
    assert first.scores == [pytest.approx(0.625 * part) for part in (0.8, 0.9, 1.0)]
    assert {trial.settings["train.batch_size"] for trial in others} == {16, 25, 50}
    assert all(0 <= trial.settings["network.dropout"] <= 0.7 for trial in others)


def test_the_same_seed_tries_the_same_and_another_seed_something_else() -> None:
    assert tried(searched(1, 15)) == tried(searched(1, 15))
    assert tried(searched(1, 15)) != tried(searched(2, 15))


def test_the_best_is_no_worse_than_the_start_and_nears_the_optimum() -> None:
    search = searched(1, 40)
    assert search.best
    assert abs(search.best.settings["network.dropout"] - 0.5) <= 0.05


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_proposed_nears_what_trainings_come_to(seed: int) -> None:
    # After the first epoch all are equal. Drawn at random, the later ones would be
    # (0.5 ** 2 + 0.2 ** 2) / 2 / 0.7 = 0.21 from the optimum, on average.
    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        if not on_epoch(2.0):
            on_epoch(1 - abs(trial.settings["network.dropout"] - 0.5))

    search = Search(SPACE, START, seed)
    list(search.run(train, LONG, 50))
    later = [abs(trial.settings["network.dropout"] - 0.5) for trial in search.trials[25:]]
    assert statistics.mean(later) < 0.15


def test_among_equals_the_earliest_wins() -> None:
    def equal(trial: Trial, on_epoch: OnEpoch) -> None:
        on_epoch(0.75)

    search = Search(SPACE, START, seed=1)
    list(search.run(equal, LONG, 4))
    assert search.best is search.trials[0]


def test_a_trial_is_worth_what_its_training_comes_to_and_not_more() -> None:
    """The pooled score of the epoch that the network kept may be below that of an earlier one."""
    search = of_scores((0.5, 0.6), (0.9, 0.55))
    assert [trial.score for trial in search.trials] == [0.6, 0.55]
    assert search.best is search.trials[0]


def of_scores(*trials: tuple[float, ...]) -> Search:
    """A search whose trials have these scores, epoch by epoch, as far as they are let."""

    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        for score in trials[trial.number]:
            if on_epoch(score):
                return

    search = Search(SPACE, START, seed=1)
    list(search.run(train, LONG, len(trials)))
    return search


def endings(search: Search) -> list[str]:
    return [trial.ending for trial in search.trials]


def test_a_trial_below_the_median_of_the_others_is_pruned_and_does_not_win() -> None:
    search = of_scores(*[(0.6, 0.7, 0.8)] * 4, (0.1, 0.2, 0.9))
    assert endings(search) == ["finished"] * 4 + ["pruned"]
    assert search.trials[4].scores == [0.1, 0.2]
    assert search.best is search.trials[0]


def test_it_is_the_median_at_the_same_epoch_and_of_four_at_least() -> None:
    four = [(0.5, second, 0.8) for second in (0.1, 0.5, 0.7, 0.9)]  # the median of the second epochs is 0.6
    assert endings(of_scores(*four, (0.5, 0.62, 0.9)))[4] == "finished"
    assert endings(of_scores(*four, (0.5, 0.58, 0.9)))[4] == "pruned"
    assert endings(of_scores(*four[:3], (0.0, 0.0, 0.7)))[3] == "finished"


def test_the_first_epoch_prunes_nothing() -> None:
    search = of_scores(*[(0.6, 0.7, 0.8)] * 4, (0.0, 0.71, 0.9))
    assert endings(search)[4] == "finished"
    assert search.best is search.trials[4]


class Clock:
    """Seconds that pass where they are said to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def timed(budget: float, first: float, later: float, epochs: int) -> tuple[list[tuple[str, int]], float]:
    """The trials' endings and epochs where these take so many seconds, and when the search ended."""
    clock = Clock()

    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        for epoch in range(epochs):
            clock.now += later if epoch else first
            if on_epoch(0.5):
                return

    search = Search(SPACE, START, seed=1)
    ended = list(search.run(train, budget, clock=clock))
    assert all(trial.seconds == first + later * (len(trial.scores) - 1) for trial in ended)
    return [(trial.ending, len(trial.scores)) for trial in ended], clock.now - 100


def test_no_trial_and_no_epoch_begins_that_would_not_end_within_the_budget() -> None:
    # 3 + 2 + 2 seconds a trial.
    whole = ("finished", 3)
    assert timed(23, 3, 2, 3) == ([whole] * 3, 21)  # 2 are left, and a first epoch takes 3
    assert timed(24.5, 3, 2, 3) == ([*[whole] * 3, ("budget spent", 2)], 26)  # the second epoch began in time
    assert timed(26.5, 3, 2, 3) == ([*[whole] * 3, ("budget spent", 2)], 26)  # the third would end at 28


def test_the_first_trial_has_an_epoch_however_small_the_budget_and_that_counts() -> None:
    assert timed(2, 3, 2, 3) == ([("budget spent", 1)], 3)
    assert timed(-1, 3, 2, 3) == ([("budget spent", 1)], 3)
    search = Search(SPACE, START, seed=1)
    list(search.run(near_a_half, budget=0))
    assert search.best is search.trials[0]


def test_what_a_first_epoch_will_take_is_the_median_of_those_before() -> None:
    def trials(budget: float, *took: float) -> int:
        clock = Clock()

        def train(trial: Trial, on_epoch: OnEpoch) -> None:
            clock.now += took[trial.number] if trial.number < len(took) else 1000
            on_epoch(0.5)

        return len(list(Search(SPACE, START, seed=1).run(train, budget, clock=clock)))

    assert trials(24, 1, 9, 9, 1) == 3  # 5 are left, and the median is 9
    assert trials(16, 1, 1, 9, 1, 1, 1, 1, 1, 1) == 8  # 5 are left of 16, and the median is 1


@pytest.mark.parametrize(
    ("error", "ending", "fault"),
    [
        (Diverged("the loss is nan"), "diverged", "the loss is nan"),
        (InputError("too small"), "failed", "too small"),
        (MemoryError("of 8\nGB"), "failed", "MemoryError: of 8 GB"),
        (RuntimeError("x " * 200), "failed", "RuntimeError: " + "x " * 93 + "…"),
    ],
)
def test_an_error_costs_the_trial_which_does_not_win_unless_it_is_the_first(
    error: Exception, ending: str, fault: str
) -> None:
    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        on_epoch(0.9 if trial.number == failing else 0.5)
        if trial.number == failing:
            raise error

    failing = 1
    search = Search(SPACE, START, seed=1)
    assert [trial.ending for trial in search.run(train, LONG, 3)] == ["finished", ending, "finished"]
    assert [trial.fault for trial in search.trials] == ["", fault.replace("x …", "x…"), ""]
    assert search.best is search.trials[0]
    failing = 0
    search = Search(SPACE, START, seed=1)
    with pytest.raises(type(error)):
        list(search.run(train, LONG, 3))
    assert search.best is None


def test_five_trials_in_a_row_that_fail_end_the_search() -> None:
    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        on_epoch(0.5)
        if trial.number in broken:
            raise MemoryError

    broken = {1, 2, 3, 4, 6, 7, 8, 9}
    assert len(list(Search(SPACE, START, seed=1).run(train, LONG, 12))) == 12
    broken = {2, 3, 4, 5, 6, 7, 8}
    search = Search(SPACE, START, seed=1)
    with pytest.raises(MemoryError):
        list(search.run(train, LONG, 12))
    assert [trial.ending for trial in search.trials] == ["finished"] * 2 + ["failed"] * 5
    assert search.best is search.trials[0]


def test_an_interrupted_trial_counts_with_the_epochs_that_it_had() -> None:
    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        on_epoch(0.5 + trial.number / 10)
        if trial.number == 1:
            raise KeyboardInterrupt

    search = Search(SPACE, START, seed=1)
    with pytest.raises(KeyboardInterrupt):
        list(search.run(train, LONG))
    assert [trial.ending for trial in search.trials] == ["finished", "interrupted"]
    assert search.best is search.trials[1]


def test_an_interrupt_within_another_error_ends_the_search_and_fails_no_trial() -> None:
    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        on_epoch(0.5)
        if trial.number == 1:
            raise SystemError("of numba") from KeyboardInterrupt()

    search = Search(SPACE, START, seed=1)
    with pytest.raises(SystemError):
        list(search.run(train, LONG))
    assert [trial.ending for trial in search.trials] == ["finished", "interrupted"]


def test_a_trial_is_told_to_stop_once_the_budget_is_spent() -> None:
    told: list[bool] = []

    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        told.append(on_epoch(0.5))

    search = Search(SPACE, START, seed=1)
    assert [trial.ending for trial in search.run(train, budget=0)] == ["budget spent"]
    assert told == [True]
