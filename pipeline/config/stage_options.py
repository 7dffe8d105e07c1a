"""The options that `configure` writes for each verb, each to a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from ..errors import InputError
from ..options import (
    BaselineName,
    Embed,
    Ensemble,
    Positive,
    Real,
    Section,
    Seed,
    Source,
    Split,
    Tokenize,
    Train,
)

S = TypeVar("S", bound=Section)


class Input(Section):
    """A user's file as it was when `configure` ran: a changed file is a changed option."""

    path: str
    bytes: int
    modified: int


class Fold(Section):
    """The tested rows of a corpus: fold `number` of `count`, or the official test part if `count` is 1."""

    number: Positive
    count: Positive


class Subset(Section):
    """A share of the labelled rows of a corpus, drawn by seed from its training and its validation part."""

    share: Annotated[Real, Field(gt=0, le=1)]
    seed: Seed


class FoldAssignmentOptions(Section):
    count: Positive  # of folds
    seed: Seed


class PrepareOptions(Section):
    corpus: str
    title: str
    seed: Seed
    source: Source
    split: Split
    inputs: list[Input]
    fold: Fold | None = None
    subset: Subset | None = None

    @property
    def is_of_study(self) -> bool:
        """True for a fold or subset, whose models are compared, but neither reviewed nor released."""
        return self.fold is not None or self.subset is not None


class TokenizeOptions(Section):
    tokenize: Tokenize


class BaselineOptions(Section):
    seed: Seed
    baselines: list[BaselineName]


class EmbedOptions(Section):
    seed: Seed
    embed: Embed
    inputs: list[Input]


class TrainOptions(Section):
    model: str
    architecture: str
    network: dict[str, Any]
    train: Train
    ensemble: Ensemble
    seed: Seed


class Request(Section):
    """The command in the user's words; no stage's results depend on it."""

    title: str  # short enough for a list of runs
    command: str  # repeats the run


class CrossvalOptions(Section):
    corpus: str
    model: str
    seed: Seed
    folds: Positive  # 1 where the test part is official: seeds then replace folds
    repeats: Positive
    runs: list[str]  # the folders of the folds' runs
    left_out: list[str]  # opponents whose library is not installed
    published: float | None  # accuracy in %, as in the model's paper


class CurveOptions(Section):
    corpus: str
    model: str
    seed: Seed
    shares: list[Real]  # of the labelled rows, from the smallest to 1
    runs: list[list[str]]  # the folders of each draw's runs, by share
    left_out: list[str]  # opponents whose library is not installed


class TuneOptions(Section):
    """A search's options and a copy of its stages', whose files another command may change meanwhile."""

    budget: Positive  # seconds
    output: str  # the winner's YAML
    command: str  # as typed
    again: str  # the command that trains the winner
    prepare: PrepareOptions
    tokenize: TokenizeOptions | None  # None for images
    embed: EmbedOptions | None
    train: TrainOptions


def read_stage(path: Path, options: type[S]) -> S:
    """Return the options that `configure` wrote for one stage. Raises InputError for any other file."""
    try:
        return options.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            f"{path} is missing or not as `make` writes it: remove it and run `make` as before"
        ) from error
