"""Checkpoints of a training, from which the same training goes on to the same bits."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..files import write_arrays
from ..reading import read_arrays

SECONDS = 60.0  # between checkpoints: a training that is shorter has none
Arrays = dict[str, list[NDArray[Any]]]


@dataclass(frozen=True)
class State:
    """The variables of a network and its optimizer, and what callbacks know; of `notes` JSON can be made."""

    arrays: Arrays
    notes: dict[str, Any]

    @property
    def epochs(self) -> int:
        """How many epochs are done."""
        return len(self.notes["history"])


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
        lists: Arrays = {}
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
