from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from itertools import pairwise

import pytest

from pipeline import budget, models, space
from pipeline.errors import InputError
from pipeline.options import Ensemble, Train, TrainOptions
from pipeline.search import Ended, Search, Trial, settings_of, space_of, with_settings
from pipeline.space import Choice, Range

SPACE = {"train.batch_size": Choice((25, 50)), "network.dropout": Range(0.0, 0.7)}
START = {"train.batch_size": 16, "network.dropout": 0.125}
LONG = 1000.0
OnEpoch = Callable[[float], None]


def options(**network: object) -> TrainOptions:
    return TrainOptions(
        model="one",
        architecture="kim_cnn",
        network=network,
        train=Train(),
        ensemble=Ensemble(),
        seed=1,
        text="text",
    )


def near_a_half(trial: Trial, on_epoch: OnEpoch) -> None:
    """Three epochs, the last the best; the best dropout is 0.5."""
    for epoch in (0.8, 0.9, 1.0):
        on_epoch(epoch * (1 - abs(trial.settings["network.dropout"] - 0.5)))


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


def test_among_equals_the_earliest_wins() -> None:
    search = Search(SPACE, START, seed=1)
    list(search.run(lambda trial, on_epoch: on_epoch(0.75), LONG, 4))
    assert search.best is search.trials[0]


def test_a_trial_below_the_median_of_the_others_is_pruned_and_does_not_win() -> None:
    # Four finish with 0.7 at the second epoch; the fifth has 0.2 there.
    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        for score in (0.1, 0.2, 0.9) if trial.number == 4 else (0.6, 0.7, 0.8):
            on_epoch(score)

    search = Search(SPACE, START, seed=1)
    list(search.run(train, LONG, 5))
    assert [trial.ending for trial in search.trials] == ["finished"] * 4 + ["pruned"]
    assert search.trials[4].scores == [0.1, 0.2]
    assert search.best is search.trials[0]


def test_after_the_budget_a_trial_ends_with_its_epoch_which_counts_and_none_begins() -> None:
    search = Search(SPACE, START, seed=1)
    ended = list(search.run(near_a_half, budget=0))
    assert [(trial.ending, len(trial.scores)) for trial in ended] == [("budget spent", 1)]
    assert search.best is ended[0]


def test_a_loss_without_bounds_costs_a_trial_unless_it_is_the_first() -> None:
    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        if trial.number in diverging:
            raise InputError("the loss is nan")
        on_epoch(0.5)

    diverging = {1}
    search = Search(SPACE, START, seed=1)
    assert [trial.ending for trial in search.run(train, LONG, 3)] == ["finished", "diverged", "finished"]
    diverging = {0}
    with pytest.raises(InputError, match="the loss is nan"):
        list(Search(SPACE, START, seed=1).run(train, LONG, 3))


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


def test_a_trial_that_hides_its_end_from_the_search_is_ended_all_the_same() -> None:
    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        try:
            on_epoch(0.5)
        except Ended:
            return

    search = Search(SPACE, START, seed=1)
    assert [trial.ending for trial in search.run(train, budget=0)] == ["budget spent"]


def test_values_are_as_a_person_would_write_them() -> None:
    assert Range(0.0, 0.7).rounded(0.123456) == 0.12
    assert Range(1e-4, 1e-2, log=True).rounded(0.00123456) == 0.0012
    rounded = Range(50, 400, log=True).rounded(137)
    assert rounded == 140
    assert isinstance(rounded, int)


def test_a_space_is_widened_by_what_it_does_not_have() -> None:
    assert Range(50, 400).including(8) == Range(8, 400)
    assert Range(50, 400).including(100) == Range(50, 400)
    assert Choice(([1], [2])).including([2]) == Choice(([1], [2]))
    assert Choice((None, 3.0)).including(1.5) == Choice((None, 3.0, 1.5))


@pytest.mark.parametrize("architecture", [module.name for module in pkgutil.iter_modules(models.__path__)])
@pytest.mark.parametrize("random_vectors", [True, False])
def test_all_that_an_architecture_leaves_to_a_search_is_valid(
    architecture: str, random_vectors: bool
) -> None:
    network = importlib.import_module(f"pipeline.models.{architecture}").Options().model_dump(mode="json")
    start = options().model_copy(update={"architecture": architecture, "network": network})
    found = space_of(start, random_vectors)
    assert {"train.batch_size", "train.learning_rate"} <= set(found)
    assert with_settings(start, settings_of(start, found)) == start
    for key, one in found.items():
        for value in one.values if isinstance(one, Choice) else (one.low, one.high):
            assert settings_of(with_settings(start, {key: value}), found)[key] == value


def test_channels_are_searched_unless_the_vectors_are_random() -> None:
    start = options(filters=100)
    channels = {"network.channels", "network.combination"}
    assert space_of(start, random_vectors=False).keys() - space_of(start, random_vectors=True) == channels


def test_filters_that_were_chosen_window_by_window_stay() -> None:
    found = space_of(options(filters=[50, 100, 50]), random_vectors=True)
    assert not {"network.windows", "network.filters"} & set(found)


def test_the_learning_rates_are_those_of_the_optimizer() -> None:
    rates = [space.of_training(Train(optimizer=name))["learning_rate"] for name in ("adadelta", "adam")]
    assert [(one.low, one.high) for one in rates if isinstance(one, Range)] == [(0.1, 3.0), (1e-4, 1e-2)]


def test_a_setting_that_the_options_refuse_is_an_input_error() -> None:
    with pytest.raises(InputError, match="greater than or equal to 1"):
        with_settings(options(), {"train.batch_size": 0})
    with pytest.raises(InputError, match="less than 1"):
        with_settings(options(), {"network.dropout": 1.0})


def test_a_budget_is_hours_minutes_and_seconds() -> None:
    texts = ["1s", "90s", "10m", "1h", "1h30m", "1h0m1s"]
    assert [budget.seconds(text) for text in texts] == [1, 90, 600, 3600, 5400, 3601]
    assert all(
        budget.seconds(f"{one}s") < budget.seconds(f"{other}s") for one, other in pairwise(range(1, 9))
    )


@pytest.mark.parametrize("text", ["", "10", "m", "0s", "-1m", "1.5h", "10 m", "10M", "5m1h", "ten", "1m\n"])
def test_any_other_budget_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError, match="expected a time such as 90s, 10m or 1h30m") as caught:
        budget.seconds(text)
    assert "\n" not in str(caught.value)
