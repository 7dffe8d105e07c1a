"""The columns that predictions may have, and their names."""

from __future__ import annotations

import numpy as np

from ..arrays import Floats
from ..errors import InputError
from ..measures import abstention
from ..options import Section
from .classifier import Classifier


class OutputColumns(Section):
    """The choice of columns that are added to the rows."""

    top: int = 1  # labels, the most probable first, each with its probability
    probabilities: bool = False  # a column for each class
    abstain: float = 0.0  # no label if its probability is lower
    precision: float = 0.0  # no label below the probability from which on so many are right; see `abstention`
    precision_by_class: float = 0.0  # the same with a probability for each class
    evidence: bool = False
    shares: bool = False  # of words outside the vocabulary, and of tokens beyond the network's length

    @property
    def abstains(self) -> bool:
        """True if some rows may be left without a label."""
        return max(self.abstain, self.precision, self.precision_by_class) > 0

    def check(self, classifier: Classifier) -> None:
        """Raise InputError, with the option at fault, for what the classifier cannot give."""
        classes = len(classifier.labels)
        if not 1 <= self.top <= classes:
            raise InputError(
                f"top is {self.top}: expected a number of labels from 1 to {classes}", option="top"
            )
        if not 0 <= self.abstain <= 1:
            message = f"abstain is {self.abstain}: expected a probability from 0 to 1, such as 0.8"
            raise InputError(message, option="abstain")
        for name in ("precision", "precision_by_class"):
            if not 0 <= (share := getattr(self, name)) < 1:
                message = f"{name} is {share}: expected a share below 1, such as 0.95"
                raise InputError(message, option="abstain")
        if sum(value > 0 for value in (self.abstain, self.precision, self.precision_by_class)) > 1:
            message = "abstain, precision and precision_by_class: expected one of them"
            raise InputError(message, option="abstain")
        if self.evidence and classifier.encoder.kind == "image":
            raise InputError("evidence is only available for texts: images have no n-grams")

    def thresholds(self, classifier: Classifier) -> Floats:
        """Return the probability below which a label is not given, float32 [classes]; infinite: never given.

        Raises InputError for a precision that the validation part does not support.
        """
        classes, wanted = len(classifier.labels), self.precision or self.precision_by_class
        if not wanted:
            return np.full(classes, self.abstain, np.float32)
        outcomes = classifier.validation
        if outcomes is None:
            raise InputError(
                "a precision needs to know how the validation part came out, and this model does not say: "
                "train again"
            )
        if self.precision:
            lowest = abstention.threshold(outcomes, wanted)
            found = np.full(classes, np.inf if lowest is None else lowest, np.float32)
        else:
            found = abstention.class_thresholds(outcomes, wanted, classes)
        if np.isinf(found).all():
            highest = abstention.highest_precision(outcomes)
            raise InputError(
                f"the {len(outcomes.correct):,} validation rows do not show a precision of {wanted:g} at any "
                f"probability{' of any class' if self.precision_by_class else ''}; "
                + (f"the highest over all classes is {highest:g}" if highest else "they are too few for any"),
                option="abstain",
            )
        return found

    def names(self, labels: list[str]) -> list[str]:
        """Return the columns' names, in their order."""
        names = ["predicted_label", "probability"]
        for place in range(2, self.top + 1):
            names += [f"predicted_label_{place}", f"probability_{place}"]
        if self.probabilities:
            names += [probability_name(label) for label in labels]
        if self.shares:
            names += ["unknown_words", "cut_off"]
        return [*names, "evidence"] if self.evidence else names


def probability_name(label: str) -> str:
    """Return the name of a class's column, which cannot clash with `probability_2`."""
    return f"probability_of_{label}"
