"""How well a probability tells rows of the known classes from rows of a class that was never trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from sklearn.metrics import roc_auc_score

from ..arrays import Floats
from .metrics import NORMAL_QUANTILE, Interval

EDGE = 1e-12  # between an estimate at 0 or 1, where the variance is 0, and the other end of its interval


@dataclass(frozen=True)
class Separation:
    """Rows of an unseen class beside those of the known ones: the area under the ROC curve, and its interval.

    The area is the chance that a row of a known class has the higher probability of two, one of each kind
    (Hendrycks & Gimpel 2017, arXiv 1610.02136): 0.5 where the probability tells nothing.
    """

    label: str
    rows: int  # of the unseen class
    auroc: float
    interval: Interval

    @classmethod
    def of_rows(cls, label: str, known: Floats, unseen: Floats) -> Separation:
        """Compare the probabilities of the predicted labels of both kinds of rows, [rows] each, not empty."""
        is_known = np.arange(len(known) + len(unseen)) < len(known)
        area = float(roc_auc_score(is_known, np.concatenate([known, unseen])))
        return cls(label, len(unseen), area, auroc_interval(area, len(known), len(unseen)))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Other:
    """The out-of-scope rows of the corpus: how they stand out, and the share left without a label.

    That is the share below the probability of `selective.HEADLINE`; None where there is no such probability.
    """

    separation: Separation
    unlabelled: float | None

    def to_json(self) -> dict[str, Any]:
        """Return its entries in metrics.json."""
        entries = {
            "other_rows": self.separation.rows,
            "other_auroc": self.separation.auroc,
            "other_auroc_interval": self.separation.interval,
        }
        return entries | ({} if self.unlabelled is None else {"other_unlabelled_at_95": self.unlabelled})


@dataclass(frozen=True)
class LeftOutClasses:
    """Classes that a model was fitted without, one after the other, or the reason why none was left out."""

    classes: list[Separation]
    reason: str = ""

    @property
    def ranked(self) -> list[Separation]:
        """The classes, those that stand out least first."""
        return sorted(self.classes, key=lambda entry: entry.auroc)

    @property
    def auroc(self) -> float:
        """The mean over the classes."""
        return float(np.mean([entry.auroc for entry in self.classes]))

    def to_json(self) -> dict[str, Any]:
        """Return its entries in metrics.json."""
        if not self.classes:
            return {}
        entries = [entry.to_json() for entry in self.classes]
        return {"left_out_class_auroc": self.auroc, "left_out_classes": entries}


def auroc_interval(area: float, known: int, unseen: int) -> Interval:
    """Return the 95 % interval of an area under the ROC curve (Newcombe 2006, method 5).

    The ends are the areas from which the estimate is 1.96 of their standard errors away, by the variance of
    Hanley & McNeil (1982) with the mean of both counts of rows. It stays in 0..1, and has a width also there.
    """
    middle = (known + unseen) / 2 - 1

    def excess(end: float) -> float:
        spread = 1 + middle * (1 - end) / (2 - end) + middle * end / (1 + end)
        return (area - end) ** 2 - NORMAL_QUANTILE**2 * end * (1 - end) * spread / (known * unseen)

    low = brentq(excess, 0, area - EDGE) if area > EDGE else 0.0
    high = brentq(excess, area + EDGE, 1) if area < 1 - EDGE else 1.0
    return float(low), float(high)
