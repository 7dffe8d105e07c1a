"""A baseline that is chosen on a validation part, as one call."""

from __future__ import annotations

from pipeline.arrays import Labels
from pipeline.baselines import catalogue
from pipeline.baselines.candidate import Candidate, Rows
from pipeline.options import BaselineName, Criterion


def fit(
    name: BaselineName,
    training: tuple[Rows, Labels],
    validation: tuple[Rows, Labels],
    classes: int,
    criterion: Criterion,
    seed: int,
) -> tuple[Candidate, float]:
    """Return the candidate that is best on the validation part, and its score."""
    chosen = catalogue.choose(name, [(training, validation)], classes, criterion, seed)
    return catalogue.fit(chosen, training, classes, seed), chosen.score
