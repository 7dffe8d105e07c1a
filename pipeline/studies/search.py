"""A search for the settings of a space that score best, pruned, within a budget. The only module that
imports Optuna.

Settings are dotted keys with their values, as in SET: {"network.windows": [3, 4, 5]}.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import getitem
from statistics import median
from textwrap import shorten
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

from ..errors import Diverged, InputError, is_interrupt
from ..models import architecture
from ..networks import search_space as spaces
from ..networks.search_space import Choice, Range, Space
from ..verb_options import TrainOptions

Settings = Mapping[str, Any]
Ending = Literal["finished", "pruned", "budget spent", "diverged", "failed", "interrupted"]
LOST = ("pruned", "diverged", "failed")
FAILURES = 5  # in a row: the next trial would fail as well
LONGEST_FAULT = 200  # characters
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
    fault: str = ""  # what it diverged or failed by
    seconds: float = 0.0

    @property
    def score(self) -> float | None:
        """Of the best epoch, which the trainer keeps; None before the first."""
        return max(self.scores, default=None)

    @property
    def counts(self) -> bool:
        """Whether it may win. The score of a trial that was pruned is beaten already; what diverged or failed
        would do so again."""
        return bool(self.scores) and self.ending not in LOST


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
        self._first_epochs: list[float] = []  # seconds
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

    def run(
        self,
        train: Training,
        budget: float,
        most: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Iterator[Trial]:
        """Yield the trials as they end, for `budget` seconds of the clock and at most so many.

        `train(trial, on_epoch)` trains by the trial's settings and calls `on_epoch(score)` after each epoch,
        which raises Ended where it is enough. No epoch begins that would not end within the budget, were it
        as long as the one before, and no trial whose first epoch would not, were it the median of the
        others; but the first trial always has an epoch, and the second epoch is not held to the first, in
        which TensorFlow also traces. An error of `train` costs a trial and no more, unless it is the first
        trial's, or that of FAILURES trials in a row.
        """
        deadline = clock() + budget
        while not self.trials or (len(self.trials) != most and self._has_time(deadline - clock())):
            asked = self._study.ask({key: _distribution(options) for key, options in self._space.items()})
            trial = Trial(len(self.trials), self._settings(asked.params) if self.trials else self.start)
            self.trials.append(trial)
            self._try(train, trial, asked, deadline, clock)
            if trial.counts:
                self._study.tell(asked, trial.score)
            else:
                self._study.tell(asked, state=TrialState.PRUNED)
            yield trial

    def _has_time(self, left: float) -> bool:
        return left > 0 and left >= median(self._first_epochs or [0])

    def _try(
        self,
        train: Training,
        trial: Trial,
        asked: optuna.Trial,
        deadline: float,
        clock: Callable[[], float],
    ) -> None:
        began = before = clock()

        def on_epoch(score: float) -> None:
            nonlocal before
            asked.report(score, len(trial.scores))
            trial.scores.append(score)
            now = clock()
            took, before = now - before, now
            if len(trial.scores) == 1:
                self._first_epochs.append(took)
                took = 0
            if asked.should_prune():
                trial.ending = "pruned"
            elif now >= deadline or now + took > deadline:
                trial.ending = "budget spent"
            if trial.ending != "finished":
                raise Ended(trial.ending)

        try:
            train(trial, on_epoch)
        except Ended:
            pass
        except BaseException as error:
            if is_interrupt(error):
                trial.ending = "interrupted"
                raise
            trial.ending = "diverged" if isinstance(error, Diverged) else "failed"
            trial.fault = _one_line(error)
            latest = [one.ending for one in self.trials[-FAILURES:]]
            if not trial.number or latest == ["failed"] * FAILURES or not isinstance(error, Exception):
                raise
        finally:
            trial.seconds = clock() - began

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
    return {key: reduce(getitem, key.split("."), values) for key in space}


def with_settings(options: TrainOptions, settings: Settings) -> TrainOptions:
    """The options with other values at some keys, checked as a YAML's are. Raises InputError."""
    values = options.model_dump()
    for key, value in settings.items():
        *sections, last = key.split(".")
        reduce(getitem, sections, values)[last] = value
    try:
        architecture(options.architecture).Options.model_validate(values["network"])
        return TrainOptions.model_validate(values)
    except ValidationError as error:
        raise InputError(str(error.errors()[0]["msg"])) from error


def _one_line(error: BaseException) -> str:
    kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
    return shorten(kind + str(error), LONGEST_FAULT, placeholder="…")


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
