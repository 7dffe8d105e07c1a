"""What a classifier says of texts, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..encoder import TokenCounts
from ..errors import InputError
from ..options import Section
from ..tables.columns import Column, Names, Numbers, Texts
from .classifier import Classifier
from .evidence import evidence


class Wanted(Section):
    """Which columns are added beside the label and its probability."""

    top: int = 1  # labels, the most probable first, each with its probability
    probabilities: bool = False  # a column for each class
    abstain: float = 0.0  # no label where its probability is lower
    evidence: bool = False
    shares: bool = False  # of words outside the vocabulary, and of tokens cut off

    def names(self, labels: list[str]) -> list[str]:
        found = ["predicted_label", "probability"]
        for place in range(2, self.top + 1):
            found += [f"predicted_label_{place}", f"probability_{place}"]
        if self.probabilities:
            found += [_probability_of(label) for label in labels]
        if self.shares:
            found += ["unknown_words", "cut_off"]
        return found + ["evidence"] * self.evidence


@dataclass
class Tally:
    """What is counted of the rows; `classes` int64 [classes] by predicted label, whether shown or not."""

    classes: NDArray[np.int64]
    rows: int = 0
    empty: int = 0  # texts without any token
    cut: int = 0  # texts longer than the model reads
    abstained: int = 0
    tokens: int = 0
    outside: int = 0  # tokens that are no words of the vocabulary
    rejected: int = 0

    def as_json(self) -> dict[str, Any]:
        return vars(self) | {"classes": self.classes.tolist()}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Tally:
        """From what `as_json` gave."""
        return cls(**values | {"classes": np.array(values["classes"], np.int64)})

    def add(self, other: Tally) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Labelled(NamedTuple):
    """`columns` for the rows that could be read; `problems` as in `EncodedRows`."""

    columns: list[Column]
    tally: Tally
    problems: list[str]


class _ScoredRows(NamedTuple):
    """The rows that could be read: logits float32 [rows, classes]; and `Labelled.problems`."""

    logits: NDArray[np.float32]
    tokens: TokenCounts
    problems: list[str]


class Labeller:
    """Labels texts, or the image files that they name, by a classifier; threads may share it."""

    def __init__(self, classifier: Classifier, wanted: Wanted, folder: Path | None) -> None:
        """Paths of images are relative to `folder`; with None rows are the files' own bytes."""
        if wanted.evidence and classifier.encoder.kind == "image":
            raise InputError("EVIDENCE=1 is of texts: images have no n-grams")
        self.classifier = classifier
        self.names = wanted.names(classifier.labels)
        self._wanted = wanted
        self._folder = folder

    def label(self, data: NDArray[np.uint8], bounds: NDArray[np.int64]) -> Labelled:
        """Return the columns that `names` names; row i is `data[bounds[i, 0]:bounds[i, 1]]`."""
        classifier, wanted = self.classifier, self._wanted
        rows = self._scored(data, bounds)
        logits, tokens = rows.logits, rows.tokens
        probabilities = classifier.softmax(logits)
        numbers = np.arange(len(logits))
        # By logits: of two classes whose probabilities round to one number, the better is meant.
        best = (-logits).argsort(axis=1, kind="stable")[:, : wanted.top]
        shown = best.copy()
        if wanted.abstain:
            shown[probabilities[numbers, best[:, 0]] < wanted.abstain, 0] = len(classifier.labels)
        columns: list[Column] = []
        for place in range(best.shape[1]):
            suffix = f"_{place + 1}" if place else ""
            columns.append(Names(f"predicted_label{suffix}", shown[:, place], [*classifier.labels, ""]))
            columns.append(Numbers(f"probability{suffix}", probabilities[numbers, best[:, place]]))
        if wanted.probabilities:
            named = zip(classifier.labels, probabilities.T, strict=True)
            columns += [Numbers(_probability_of(label), column) for label, column in named]
        if wanted.shares:
            columns.append(Numbers("unknown_words", _share(tokens.unknown, tokens.total)))
            columns.append(Numbers("cut_off", _share(tokens.total - tokens.kept, tokens.total)))
        if wanted.evidence:
            columns.append(Texts("evidence", self._evidence(data, bounds, logits, best[:, 0])))
        counted = Tally(
            classes=np.bincount(best[:, 0], minlength=len(classifier.labels)),
            rows=len(logits),
            empty=int((tokens.total == 0).sum()),
            cut=int((tokens.total > tokens.kept).sum()),
            abstained=int((shown[:, 0] == len(classifier.labels)).sum()),
            tokens=int(tokens.total.sum()),
            outside=int(tokens.unknown.sum()),
        )
        return Labelled(columns, counted, rows.problems)

    def _scored(self, data: NDArray[np.uint8], bounds: NDArray[np.int64]) -> _ScoredRows:
        logits = [np.empty((0, len(self.classifier.labels)), np.float32)]
        tokens, problems = [TokenCounts.none()], list[str]()
        for batch in self.classifier.encoder.encode_bytes(data, bounds, self._folder):
            logits.append(self.classifier.logits(batch.inputs))
            tokens.append(batch.tokens)
            problems += batch.problems
        return _ScoredRows(
            np.concatenate(logits),
            TokenCounts(*(np.concatenate(counts) for counts in zip(*tokens, strict=True))),
            problems if any(problems) else [],
        )

    def _evidence(
        self,
        data: NDArray[np.uint8],
        bounds: NDArray[np.int64],
        logits: NDArray[np.float32],
        labels: NDArray[np.int64],
    ) -> list[str]:
        encoder, raw = self.classifier.encoder, data.tobytes()
        texts = [raw[start:end].decode() for start, end in bounds.tolist()]
        tokens = [encoder.tokens(text) for text in texts]
        sequences = encoder.encode(texts).as_sequences()
        return evidence(self.classifier.predictor, sequences, tokens, logits, labels)


def _probability_of(label: str) -> str:
    """The column's name, which that of the second most probable label, probability_2, never is."""
    return f"probability_of_{label}"


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float32]:
    return (part / np.maximum(1, whole)).astype(np.float32)
