"""A search for the settings of a space that score best, pruned, within a budget. The only module that
imports Optuna.

Settings are dotted keys with their values, as in SET: {"network.windows": [3, 4, 5]}.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState
from pydantic import ValidationError

from pipeline import space as spaces
from pipeline.errors import InputError
from pipeline.models import architecture
from pipeline.options import TrainOptions
from pipeline.space import Choice, Range, Space

Settings = Mapping[str, Any]
Ending = Literal["finished", "pruned", "budget spent", "diverged", "interrupted"]
optuna.logging.set_verbosity(optuna.logging.ERROR)


class Ended(Exception):
    """Raised by `on_epoch`, through the trainer, to end a trial."""


@dataclass
class Trial:
    """Settings that were tried, and their score after each epoch."""

    number: int
    settings: Settings
    scores: list[float] = field(default_factory=list)
    ending: Ending = "finished"
    seconds: float = 0.0

    @property
    def score(self) -> float | None:
        """Of the best epoch, which the trainer keeps; None before the first."""
        return max(self.scores, default=None)

    @property
    def counts(self) -> bool:
        """Whether it may win. The score of a trial that was pruned is beaten already."""
        return bool(self.scores) and self.ending not in ("pruned", "diverged")


Training = Callable[[Trial, Callable[[float], None]], None]


class Search:
    """Trials one after another: first the start, then what a tree-structured Parzen estimator proposes
    (Bergstra et al. 2011), each ended where it is behind the median of the earlier ones at its epoch.

    The same seed proposes the same settings, where the same scores come back.
    """

    def __init__(self, space: Space, start: Settings, seed: int) -> None:
        self.start = dict(start)
        self._space = {key: options.including(start[key]) for key, options in space.items()}
        self.trials: list[Trial] = []
        self._study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=seed),
            # Four finished trials make a median; the first epoch says little, as it may have learned little.
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
        )
        self._study.enqueue_trial({key: _encode(self._space[key], value) for key, value in start.items()})

    @property
    def best(self) -> Trial | None:
        """The trial of the highest score, among equals the earliest."""
        return max((trial for trial in self.trials if trial.counts), key=_score, default=None)

    def run(self, train: Training, budget: float, most: int | None = None) -> Iterator[Trial]:
        """Yield the trials as they end, for `budget` seconds and at most so many.

        `train(trial, on_epoch)` trains by the trial's settings and calls `on_epoch(score)` after each epoch,
        which raises Ended where it is enough. No trial begins after the budget, one that is under way ends
        with its epoch, and the first one always has an epoch. An InputError of `train`, such as a loss that
        has become infinite, costs a trial and no more, unless it is the first.
        """
        deadline = time.monotonic() + budget
        while not self.trials or (time.monotonic() < deadline and len(self.trials) != most):
            asked = self._study.ask({key: _distribution(options) for key, options in self._space.items()})
            trial = Trial(len(self.trials), self._settings(asked.params) if self.trials else self.start)
            self.trials.append(trial)
            self._try(train, trial, asked, deadline)
            if trial.counts:
                self._study.tell(asked, trial.score)
            else:
                self._study.tell(asked, state=TrialState.PRUNED)
            yield trial

    def _try(self, train: Training, trial: Trial, asked: optuna.Trial, deadline: float) -> None:
        def on_epoch(score: float) -> None:
            asked.report(score, len(trial.scores))
            trial.scores.append(score)
            if asked.should_prune():
                trial.ending = "pruned"
            elif time.monotonic() >= deadline:
                trial.ending = "budget spent"
            if trial.ending != "finished":
                raise Ended(trial.ending)

        began = time.monotonic()
        trial.ending = "finished"
        try:
            train(trial, on_epoch)
        except Ended:
            pass
        except InputError:
            if not trial.number:
                raise
            trial.ending = "diverged"
        except KeyboardInterrupt:
            trial.ending = "interrupted"
            raise
        finally:
            trial.seconds = time.monotonic() - began

    def _settings(self, proposed: Mapping[str, Any]) -> Settings:
        return {key: _decode(options, proposed[key]) for key, options in self._space.items()}


def space_of(options: TrainOptions, random_vectors: bool) -> Space:
    """The architecture's own space, if it has one, and that of the training."""
    module = architecture(options.architecture)
    network: Space = {}
    if hasattr(module, "search_space"):
        network = module.search_space(module.Options(**options.network), random_vectors)
    inner = {f"network.{key}": one for key, one in network.items()}
    return inner | {f"train.{key}": one for key, one in spaces.of_training(options.train).items()}


def settings_of(options: TrainOptions, space: Space) -> Settings:
    """What the options have at the keys of a space."""
    values = options.model_dump()
    return {key: values[section][name] for key in space for section, _, name in [key.partition(".")]}


def with_settings(options: TrainOptions, settings: Settings) -> TrainOptions:
    """The options with other values at some keys, checked as a YAML's are. Raises InputError."""
    values = options.model_dump()
    for key, value in settings.items():
        section, _, name = key.partition(".")
        values[section][name] = value
    try:
        architecture(options.architecture).Options.model_validate(values["network"])
        return TrainOptions.model_validate(values)
    except ValidationError as error:
        raise InputError(str(error.errors()[0]["msg"])) from error


def _score(trial: Trial) -> float:
    return max(trial.scores)


def _distribution(options: Choice | Range) -> BaseDistribution:
    if isinstance(options, Choice):
        return CategoricalDistribution([json.dumps(value) for value in options.values])
    if options.whole:
        return IntDistribution(int(options.low), int(options.high), log=options.log)
    return FloatDistribution(options.low, options.high, log=options.log)


def _encode(options: Choice | Range, value: Any) -> Any:
    """Optuna's choices are texts and numbers."""
    return json.dumps(options.values[options.values.index(value)]) if isinstance(options, Choice) else value


def _decode(options: Choice | Range, value: Any) -> Any:
    return json.loads(value) if isinstance(options, Choice) else options.rounded(value)
