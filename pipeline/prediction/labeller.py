"""What a classifier says of texts, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..images.encoder import ImageEncoder
from ..options import Section
from ..tables.columns import Column, Names, Numbers, Texts
from ..text.encoder import TextEncoder
from ..text.fast_encoder import ByteEncoder
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
    """`columns` for the rows that could be read; `refused` says of each row why it could not, or "", and is
    empty where all could."""

    columns: list[Column]
    tally: Tally
    refused: list[str]


class _Scored(NamedTuple):
    """Of the rows that could be read: logits [rows, classes], their tokens uncut and cut, int64 [rows], and
    how many of them are no words of the vocabulary; and `Labelled.refused`."""

    logits: NDArray[np.float32]
    lengths: NDArray[np.int64]
    kept: NDArray[np.int64]
    outside: NDArray[np.int64]
    refused: list[str]


class Labeller:
    """Labels texts, or the image files that they name, by a classifier; threads may share it."""

    def __init__(self, classifier: Classifier, wanted: Wanted, folder: Path) -> None:
        """Paths of images are relative to `folder`."""
        self.classifier = classifier
        self.names = wanted.names(classifier.labels)
        self._wanted = wanted
        self._folder = folder
        self._texts = ByteEncoder(classifier.encoder) if isinstance(classifier.encoder, TextEncoder) else None

    def label(self, data: NDArray[np.uint8], texts: NDArray[np.int64]) -> Labelled:
        """The columns that `names` names; text i is `data[texts[i, 0]:texts[i, 1]]`, UTF-8."""
        classifier, wanted = self.classifier, self._wanted
        scored = self._scored(data, texts)
        logits, lengths = scored.logits, scored.lengths
        probabilities = classifier.softmax(logits)
        rows = np.arange(len(logits))
        # By logits: of two classes whose probabilities round to one number, the better is meant.
        best = (-logits).argsort(axis=1, kind="stable")[:, : wanted.top]
        shown = best.copy()
        if wanted.abstain:
            shown[probabilities[rows, best[:, 0]] < wanted.abstain, 0] = len(classifier.labels)
        columns: list[Column] = []
        for place in range(best.shape[1]):
            suffix = f"_{place + 1}" if place else ""
            columns.append(Names(f"predicted_label{suffix}", shown[:, place], [*classifier.labels, ""]))
            columns.append(Numbers(f"probability{suffix}", probabilities[rows, best[:, place]]))
        if wanted.probabilities:
            named = zip(classifier.labels, probabilities.T, strict=True)
            columns += [Numbers(_probability_of(label), each) for label, each in named]
        if wanted.shares:
            columns.append(Numbers("unknown_words", _share(scored.outside, lengths)))
            columns.append(Numbers("cut_off", _share(lengths - scored.kept, lengths)))
        if wanted.evidence:
            columns.append(Texts("evidence", self._evidence(data, texts, logits, best[:, 0])))
        counted = Tally(
            classes=np.bincount(best[:, 0], minlength=len(classifier.labels)),
            rows=len(rows),
            empty=int((lengths == 0).sum()),
            cut=int((lengths > scored.kept).sum()),
            abstained=int((shown[:, 0] == len(classifier.labels)).sum()),
            tokens=int(lengths.sum()),
            outside=int(scored.outside.sum()),
        )
        return Labelled(columns, counted, scored.refused)

    def _scored(self, data: NDArray[np.uint8], texts: NDArray[np.int64]) -> _Scored:
        if self._texts:
            sequences, lengths, outside = self._texts.encode_bytes(data, texts)
            return _Scored(self.classifier.logits(sequences), lengths, sequences.lengths, outside, [])
        encoder = self.classifier.encoder
        assert isinstance(encoder, ImageEncoder)
        raw, logits, refused = data.tobytes(), [np.empty((0, len(self.classifier.labels)), np.float32)], []
        for start in range(0, len(texts), encoder.most):
            bounds = texts[start : start + encoder.most].tolist()
            images, reasons = encoder.encode_readable(
                self._folder / raw[first:last].decode() for first, last in bounds
            )
            logits.append(self.classifier.logits(images))
            refused += reasons
        found = np.concatenate(logits)
        ones, none = np.ones(len(found), np.int64), np.zeros(len(found), np.int64)
        return _Scored(found, ones, ones, none, refused if any(refused) else [])

    def _evidence(
        self,
        data: NDArray[np.uint8],
        texts: NDArray[np.int64],
        logits: NDArray[np.float32],
        labels: NDArray[np.int64],
    ) -> list[str]:
        encoder = self.classifier.encoder
        if self._texts is None or not isinstance(encoder, TextEncoder):
            raise InputError("EVIDENCE=1 is of texts: images have no n-grams")
        raw = data.tobytes()
        tokens = [encoder.tokens(raw[start:end].decode()) for start, end in texts.tolist()]
        sequences = self._texts.encode_bytes(data, texts).sequences
        return evidence(self.classifier.predictor, sequences, tokens, logits, labels)


def _probability_of(label: str) -> str:
    """The column's name, which that of the second most probable label, probability_2, never is."""
    return f"probability_of_{label}"


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float32]:
    return (part / np.maximum(1, whole)).astype(np.float32)
