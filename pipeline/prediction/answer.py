"""The answer to one text, for a person: its labels, and why the first one."""

from __future__ import annotations

import json

import numpy as np

from ..arrays import Floats, Labels
from ..encoder import EncodedRows
from ..errors import InputError
from ..inputs import Sequences
from ..terminal import shorten
from .classifier import Classifier
from .evidence import evidence

MAX_LABELS = 10  # that are listed
NAME_COLUMNS = 66  # of a label or an n-gram, beside its number
HEADING_COLUMNS = 48  # of the label in the heading
NO_WORDS = "no label: the text has no words"


def check_texts(classifier: Classifier) -> None:
    """Raise InputError for a classifier of images."""
    if classifier.encoder.kind == "image":
        raise InputError("the model labels images: name a model of texts", option="model")


def answer(classifier: Classifier, text: str) -> list[str]:
    """Return lines with the labels, the most probable first, and with the n-grams behind the first.

    What makes the answer doubtful comes before: words that the model does not know, or a text longer than it
    reads. A text without words gets the line NO_WORDS alone.
    """
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    (row,) = classifier.encoder.encode_bytes(data, np.array([[0, len(data)]]), None)
    if not row.tokens.total[0]:
        return [NO_WORDS]
    logits = classifier.logits(row.inputs)
    probabilities = classifier.softmax(logits)[0]
    ranking = (-logits[0]).argsort(kind="stable")  # as `predict` ranks them
    lines = [*_doubts(row), *_label_lines(classifier.labels, ranking, probabilities)]
    if classifier.is_folded:
        pieces = classifier.encoder.pieces(text)
        best = shorten(classifier.labels[ranking[0]], HEADING_COLUMNS)
        lines += ["", f"why {best}, as parts of its logit:"]
        lines += _evidence_lines(classifier, row.inputs.as_sequences(), pieces, logits, ranking[:1])
    return lines


def _doubts(row: EncodedRows) -> list[str]:
    total, kept, _ = (int(counts[0]) for counts in row.tokens)
    doubts = []
    if row.lack_known_words[0]:
        doubts.append("caution: the model knows no word of the text: predict gives probability 0")
    if kept < total:
        doubts.append(f"caution: only the first {kept:,} of {total:,} words are read")
    return doubts


def _label_lines(labels: list[str], ranking: Labels, probabilities: Floats) -> list[str]:
    shown, others = ranking[:MAX_LABELS], ranking[MAX_LABELS:]
    lines = [_line(f"{probabilities[place]:.1%}", labels[place]) for place in shown]
    if len(others):
        lines.append(_line(f"{probabilities[others].sum():.1%}", f"({len(others):,} other labels)"))
    return lines


def _evidence_lines(
    classifier: Classifier, sequences: Sequences, pieces: list[str], logits: Floats, label: Labels
) -> list[str]:
    (found,) = evidence(classifier.predictor, sequences, [pieces], logits, label)
    return [_line(f"{value:+.2f}", ngram) for ngram, value in json.loads(found)]


def _line(number: str, name: str) -> str:
    return f"{number:>8}  {shorten(name, NAME_COLUMNS)}"
