"""A cross-validation as it is saved, for tests of tables."""

from __future__ import annotations

from pipeline.options import Criterion
from pipeline.studies.cross_validation import ContestantScores, CrossValidation


def cross_validation(
    model: str,
    corpus: str,
    *accuracies: float,
    folds: int = 10,
    published: float | None = None,
    rows: str = "same",
    majority: float = 0.5,
    criterion: Criterion = "accuracy",
    linear: bool = False,
) -> CrossValidation:
    opponent = ContestantScores(
        accuracy=[majority, majority], macro_f1=[0.25, 0.25], validation_score=0.5, differences=None
    )
    network = ContestantScores(
        accuracy=list(accuracies), macro_f1=[0.3, 0.3], validation_score=None, differences=None
    )
    return CrossValidation(
        corpus=corpus,
        model=model,
        folds=folds,
        runs=len(accuracies),
        test_rows=10,
        rows=rows,
        criterion=criterion,
        published=published,
        contestants={model: network, "majority class": opponent, **({"LR": opponent} if linear else {})},
        calibration_error_before=[0.1, 0.2],
        calibration_error=[0.05, 0.0],
        verdict="",
    )
