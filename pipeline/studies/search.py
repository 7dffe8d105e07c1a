"""A search within a time budget for the settings of a network and its training that score best.

Optuna is imported here and, for a study in a database, in `shared_study`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal, TypeVar

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from ..errors import Diverged, InputError, StoreUnreachable, is_interrupt
from ..networks.search_space import Choice, Range, Space
from ..terminal import shorten
from .settings import Settings
from .shared_study import SharedStudy

Ending = Literal["finished", "pruned", "budget spent", "diverged", "failed", "interrupted", "lost"]
LOSING_ENDINGS: tuple[Ending, ...] = ("pruned", "diverged", "failed", "lost")
MAX_FAILURES = 5  # consecutive ones, after which the search stops
MAX_FAULT_CHARACTERS = 200
STARTUP_TRIALS = 4  # finished trials before any is pruned: fewer make no median
_OUTCOME = "outcome"  # how a trial ended, as a shared study notes it
WARMUP_EPOCHS = 1  # epochs of a trial before it can be pruned: the first may have learned little


@dataclass
class Trial:
    """Settings that were tried, and the validation score that they have if training ends after an epoch.

    That is the score of the classifier as it would be shipped, with the best of the epochs so far.
    """

    number: int
    settings: Settings
    scores: list[float] = field(default_factory=list)
    ending: Ending = "finished"
    fault: str = ""  # the error that it diverged or failed with
    seconds: float = 0.0

    @property
    def score(self) -> float | None:
        """The score of what the training has come to; None before the first epoch has ended."""
        return self.scores[-1] if self.scores else None

    @property
    def is_candidate(self) -> bool:
        """True if the trial may win.

        A pruned trial is beaten already; one that diverged or failed would do so again; a lost one is
        another machine's by now.
        """
        return bool(self.scores) and self.ending not in LOSING_ENDINGS


T = TypeVar("T")
OnEpoch = Callable[[float], bool]  # takes an epoch's score; True if the training is to stop
Training = Callable[[Trial, OnEpoch], None]
Clock = Callable[[], float]  # seconds


class Search:
    """Trials in sequence: first the start, then proposals of a tree-structured Parzen estimator.

    A trial is pruned once it falls below the median of the earlier trials at the same epoch. The same seed
    proposes the same settings as long as the same scores come back. Where the study is shared, estimator and
    median take the trials of all machines, and so do `trials`, but for those under way.

    Bergstra et al. (2011), Algorithms for hyper-parameter optimization, NIPS 24, section 4.
    """

    def __init__(self, space: Space, start: Settings, seed: int, shared: SharedStudy | None = None) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.start = dict(start)
        self._space = {key: options.including(start[key]) for key, options in space.items()}
        self.trials: list[Trial] = []
        self._own, self._shared = self.trials, shared
        self._first_epochs: list[float] = []  # seconds
        self._encoded_start = {key: _encode(self._space[key], value) for key, value in start.items()}
        seed += shared.member if shared else 0  # else all machines would draw the same
        options: dict[str, Any] = {
            "direction": "maximize",
            "sampler": optuna.samplers.TPESampler(seed=seed % 2**32),
            "pruner": optuna.pruners.MedianPruner(
                n_startup_trials=STARTUP_TRIALS, n_warmup_steps=WARMUP_EPOCHS
            ),
        }
        if shared:
            self._study = shared.study(self._encoded_start, **options)
        else:
            self._study = optuna.create_study(**options)
            self._study.enqueue_trial(self._encoded_start)

    @property
    def first(self) -> Trial | None:
        """The trial of the start; None where another machine has it under way."""
        return next((trial for trial in self.trials if trial.settings == self.start), None)

    @property
    def best(self) -> Trial | None:
        """The trial of the highest score, among equals the earliest; None before any candidate."""
        candidates = (trial for trial in self.trials if trial.is_candidate)
        return max(candidates, key=lambda trial: trial.scores[-1], default=None)

    def run(
        self,
        train: Training,
        budget: float,
        max_trials: int | None = None,
        clock: Clock = time.monotonic,
    ) -> Iterator[Trial]:
        """Yield the trials as they end, for `budget` seconds of the clock and at most `max_trials`.

        `train(trial, on_epoch)` trains with the trial's settings, calls `on_epoch(score)` after each epoch
        and stops when that returns True. An epoch is not begun if it would exceed the budget by taking as
        long as the one before, nor a trial if its first epoch would by taking the median of the others'. The
        first trial always has an epoch, and a second epoch is not predicted from the first, which includes
        TensorFlow's tracing.

        Raises the error of `train` if it is an interrupt, the first trial's, or that of the last of
        MAX_FAILURES consecutive trials; any other error costs the trial only.
        """
        deadline = clock() + budget
        distributions = {key: _distribution(options) for key, options in self._space.items()}
        while not self._own or (len(self._own) != max_trials and self._has_time(deadline - clock())):
            asked = self._ask(distributions)
            trial = Trial(asked.number, self._settings(asked.params))
            self._own.append(trial)
            with self._shared.alive(asked) if self._shared else nullcontext():
                self._try(train, _RunningTrial(trial, asked, deadline, clock, self._call))
            self._tell(asked, trial)
            self.refresh()
            yield trial

    def refresh(self) -> None:
        """Read what all machines have tried by now, if the study is shared."""
        if self._shared:
            states = (TrialState.COMPLETE, TrialState.PRUNED)
            ended = self._call(self._study.get_trials, deepcopy=False, states=states)
            self.trials = [self._trial(trial) for trial in ended]

    def _ask(self, distributions: dict[str, BaseDistribution]) -> optuna.Trial:
        return (
            self._shared.ask(self._study, distributions) if self._shared else self._study.ask(distributions)
        )

    def _tell(self, asked: optuna.Trial, trial: Trial) -> None:
        """Record how a trial has ended, unless it counts as lost, and is another machine's, by now."""
        try:
            if self._shared:
                outcome = {"ending": trial.ending, "fault": trial.fault, "seconds": trial.seconds}
                self._call(asked.set_user_attr, _OUTCOME, outcome)
            if trial.is_candidate:
                self._call(self._study.tell, asked, trial.score, skip_if_finished=True)
            else:
                self._call(self._study.tell, asked, state=TrialState.PRUNED, skip_if_finished=True)
        except UpdateFinishedTrialError:
            trial.ending = "lost"

    def _trial(self, told: FrozenTrial) -> Trial:
        """Return a trial that some machine has told of."""
        scores = [score for _, score in sorted(told.intermediate_values.items())]
        return Trial(told.number, self._settings(told.params), scores, **told.user_attrs[_OUTCOME])

    def _call(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Call a function of Optuna's, whose database may fail."""
        call = self._shared.call if self._shared else _call
        return call(function, *arguments, **named)

    def _has_time(self, seconds: float) -> bool:
        return seconds > 0 and seconds >= median(self._first_epochs or [0])

    def _try(self, train: Training, running: _RunningTrial) -> None:
        """Train one trial, and note how it ended. Raises the error that ends the search."""
        trial = running.trial
        try:
            train(trial, running.on_epoch)
        except BaseException as error:
            running.fail(error)
            if trial.ending == "interrupted" or not isinstance(error, Exception) or self._has_failed():
                raise
            if self._shared and isinstance(error, StoreUnreachable):
                raise
        finally:
            trial.seconds = running.seconds()
            if running.first_epoch is not None:
                self._first_epochs.append(running.first_epoch)

    def _has_failed(self) -> bool:
        """Return whether an error of the last trial ends the search: of the start, or of many in a row."""
        latest = [trial.ending for trial in self._own[-MAX_FAILURES:]]
        is_start = len(self._own) == 1 and self._own[0].settings == self.start
        return is_start or latest == ["failed"] * MAX_FAILURES

    def _settings(self, proposed: Mapping[str, Any]) -> Settings:
        if proposed == self._encoded_start:  # as it is, not rounded as proposals are
            return self.start
        return {key: _decode(options, proposed[key]) for key, options in self._space.items()}


class _RunningTrial:
    """A trial under way: records its scores, and decides after each epoch whether it stops."""

    def __init__(
        self,
        trial: Trial,
        asked: optuna.Trial,
        deadline: float,
        clock: Clock,
        call: Callable[..., Any],
    ) -> None:
        self.trial = trial
        self._call = call
        self.first_epoch: float | None = None  # seconds that it took
        self._asked, self._deadline, self._clock = asked, deadline, clock
        self._began = self._epoch_began = clock()

    def seconds(self) -> float:
        """Return the time since the trial began."""
        return self._clock() - self._began

    def on_epoch(self, score: float) -> bool:
        """Record the score of an epoch that ended; return True if the trial is to stop after it."""
        try:
            self._call(self._asked.report, score, len(self.trial.scores))
        except UpdateFinishedTrialError:  # after a pause: another machine tries it again
            self.trial.ending = "lost"
            return True
        self.trial.scores.append(score)
        now = self._clock()
        next_epoch, self._epoch_began = now - self._epoch_began, now
        if self.first_epoch is None:
            self.first_epoch, next_epoch = next_epoch, 0.0  # which includes TensorFlow's tracing
        if self._call(self._asked.should_prune):
            self.trial.ending = "pruned"
        elif now >= self._deadline or now + next_epoch > self._deadline:
            self.trial.ending = "budget spent"
        return self.trial.ending != "finished"

    def fail(self, error: BaseException) -> None:
        """Note the error that ended the trial."""
        if is_interrupt(error):
            self.trial.ending = "interrupted"
        else:
            self.trial.ending = "diverged" if isinstance(error, Diverged) else "failed"
            self.trial.fault = fault_of(error)


def _call(function: Callable[..., T], *arguments: Any, **named: Any) -> T:
    return function(*arguments, **named)


def fault_of(error: BaseException) -> str:
    """Return what a training failed with, on one line."""
    kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
    return shorten(kind + str(error), MAX_FAULT_CHARACTERS)


def _distribution(options: Choice | Range) -> BaseDistribution:
    if isinstance(options, Choice):
        return CategoricalDistribution([json.dumps(value) for value in options.values])
    if options.whole:
        return IntDistribution(int(options.low), int(options.high), log=options.log)
    return FloatDistribution(options.low, options.high, log=options.log)


def _encode(options: Choice | Range, value: Any) -> Any:
    """Return a setting as Optuna takes it: the values of a choice may only be strings and numbers."""
    return json.dumps(options.values[options.values.index(value)]) if isinstance(options, Choice) else value


def _decode(options: Choice | Range, value: Any) -> Any:
    return json.loads(value) if isinstance(options, Choice) else options.rounded(value)
