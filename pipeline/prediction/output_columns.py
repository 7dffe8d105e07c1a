"""The columns that predictions may have, and their names."""

from __future__ import annotations

from ..errors import InputError
from ..options import Section
from .classifier import Classifier


class OutputColumns(Section):
    """The choice of columns that are added to the rows."""

    top: int = 1  # labels, the most probable first, each with its probability
    probabilities: bool = False  # a column for each class
    abstain: float = 0.0  # no label if its probability is lower
    evidence: bool = False
    shares: bool = False  # of words outside the vocabulary, and of tokens beyond the network's length

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
        if self.evidence and classifier.encoder.kind == "image":
            raise InputError("evidence is only available for texts: images have no n-grams")

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
