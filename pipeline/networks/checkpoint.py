"""Checkpoints of a training, from which the same training goes on to the same bits."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..files import write_arrays
from ..reading import read_arrays
from ..terminal import say
from .backend import keras

SECONDS = 60.0  # between checkpoints: a training that is shorter has none


class State(NamedTuple):
    """What a training, or a part of it, knows after an epoch: lists of arrays, and notes as JSON has them."""

    arrays: dict[str, list[NDArray[Any]]]
    notes: dict[str, Any]


class Stateful(Protocol):
    """A callback that can be set as it was."""

    def state(self) -> State: ...

    def restore(self, state: State) -> None: ...


@dataclass(frozen=True)
class Checkpoint:
    """A file for the state of a training after an epoch, whole or not there.

    `key` tells trainings apart: what another one wrote is not read.
    """

    path: Path
    key: str
    seconds: float = SECONDS

    def of(self, number: int) -> Checkpoint:
        """Return the checkpoint of one of several networks."""
        return replace(self, path=self.path.with_name(f"{number}-{self.path.name}"))

    def read(self) -> State | None:
        """Return the state that this training left when it was ended, if it did."""
        if not self.path.exists():
            return None
        try:
            arrays = read_arrays(self.path)
            notes = json.loads(arrays.pop("notes").tobytes())
        except (InputError, KeyError, ValueError):  # of another version, or damaged: it begins anew
            return None
        if notes.pop("key") != self.key:
            return None
        lists: dict[str, list[NDArray[Any]]] = {}
        for name, array in arrays.items():  # in the order in which they were written
            lists.setdefault(name.partition("-")[0], []).append(array)
        return State(lists, notes)

    def write(self, state: State) -> None:
        notes = json.dumps(state.notes | {"key": self.key}).encode()
        arrays = {
            f"{name}-{number}": array
            for name, listed in state.arrays.items()
            for number, array in enumerate(listed)
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(self.path, notes=np.frombuffer(notes, np.uint8), **arrays)


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Callback that writes checkpoints, and at the beginning sets the training as it was.

    It comes behind the other callbacks, those among them whose state it keeps.
    """

    def __init__(self, checkpoint: Checkpoint, callbacks: Sequence[Stateful]) -> None:
        super().__init__()
        self._checkpoint, self._callbacks = checkpoint, callbacks
        self._state = checkpoint.read()
        self._written = time.monotonic()

    def first_epoch(self, epochs: int) -> int:
        """Return the number of epochs that are done; all of them where the training was at its end."""
        if not self._state:
            return 0
        notes = self._state.notes
        return epochs if notes["stopped"] else int(notes["epochs"])

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self._state:
            return
        self.model.optimizer.build(self.model.trainable_variables)
        for variable, value in zip(self._variables(), self._state.arrays["variables"], strict=True):
            variable.assign(value)
        for callback in self._callbacks:
            callback.restore(self._state)
        say(f"  going on after epoch {self._state.notes['epochs']}")
        self._state = None  # it is three times as large as the network

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if time.monotonic() - self._written < self._checkpoint.seconds:
            return
        arrays = {"variables": [variable.numpy() for variable in self._variables()]}
        notes: dict[str, Any] = {"epochs": epoch + 1, "stopped": bool(self.model.stop_training)}
        for callback in self._callbacks:
            state = callback.state()
            arrays |= state.arrays
            notes |= state.notes
        try:
            self._checkpoint.write(State(arrays, notes))
        except OSError as error:  # the training is worth more than its checkpoint
            say(f"  no checkpoint after epoch {epoch + 1}: {error}")
        self._written = time.monotonic()

    def _variables(self) -> list[keras.Variable]:
        return [*self.model.variables, *self.model.optimizer.variables]
