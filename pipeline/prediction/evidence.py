"""Why a text has its label: the n-grams, and what each adds to the label's logit."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..baselines.tfidf import TfidfModel
from ..errors import InputError
from ..inputs import Sequences
from .folded import FoldedModel, FoldedNetwork

SHOWN = 5  # n-grams, those that add or take most
Floats = NDArray[np.float32]
Part = tuple[int, int, int, float]  # row, the n-gram's first token and the one behind its last, what it adds


def evidence(
    model: object,
    sequences: Sequences,
    tokens: Sequence[Sequence[str]],
    logits: Floats,
    labels: NDArray[np.int64],
) -> list[str]:
    """For each row JSON: [n-gram, its contribution] for the greatest, then `(others)` and `(bias)`.

    `tokens` are the rows' as text, `logits` [rows, classes] the model's, `labels` [rows] the classes whose
    logit is taken apart. The contributions are exact, as everything behind the maximum is linear or a sum:
    all of them add up to the logit, but for the decimals shown. The bias holds what no n-gram adds: the
    networks' own biases, and in an ensemble the normalisation of the members' log-probabilities.

    Raises InputError for a model that is not folded.
    """
    if not isinstance(model, FoldedModel):
        raise InputError("EVIDENCE=1 needs a model that was folded: this one predicts by its Keras network")
    found: list[defaultdict[str, float]] = [defaultdict(float) for _ in tokens]
    for row, start, end, value in _parts(model, sequences, labels):
        found[row][" ".join(tokens[row][start:end])] += value
    return [
        _shown(each, float(logits[row, label]))
        for row, (each, label) in enumerate(zip(found, labels.tolist(), strict=True))
    ]


def _shown(parts: dict[str, float], logit: float) -> str:
    ordered = sorted(parts.items(), key=lambda one: (-abs(one[1]), one[0]))
    shown: list[tuple[str, float]] = [one for one in ordered[:SHOWN] if one[1]]
    if others := ordered[SHOWN:]:
        shown.append(("(others)", sum(value for _, value in others)))
    shown.append(("(bias)", logit - sum(parts.values())))
    return json.dumps([[name, round(value, 4)] for name, value in shown], ensure_ascii=False)


def _parts(model: FoldedModel, sequences: Sequences, labels: NDArray[np.int64]) -> Iterator[Part]:
    share = model.weights[0] / len(model.members) if model.weights else 1.0
    for member in model.members:
        yield from _windows(member, sequences, labels, share)
    if model.ngrams is not None:
        yield from _ngrams(model.ngrams, sequences, labels, model.weights[1])


def _windows(
    member: FoldedNetwork, sequences: Sequences, labels: NDArray[np.int64], share: float
) -> Iterator[Part]:
    """The winning window of every filter that passes the activation."""
    ends, sizes = member.winning_ends(sequences), member.shape.sizes.tolist()
    values = member.activated(member.features(sequences))
    added = share * values * member.weights[labels]
    for row, feature in np.argwhere(added != 0).tolist():
        behind, length = int(ends[row, feature]) + 1, int(sequences.lengths[row])
        start = behind - sizes[feature]
        yield row, max(0, start), min(length, behind), float(added[row, feature])


def _ngrams(
    model: TfidfModel, sequences: Sequences, labels: NDArray[np.int64], share: float
) -> Iterator[Part]:
    """Every token and pair that the linear model knows."""
    for row, label in enumerate(labels.tolist()):
        ids = sequences.ids[sequences.offsets[row] : sequences.offsets[row + 1]].astype(np.int64)
        keys = np.concatenate([ids, ids[:-1] << 32 | ids[1:]])
        starts = np.concatenate([np.arange(len(ids)), np.arange(max(0, len(ids) - 1))])
        sizes = np.repeat([1, 2], [len(ids), max(0, len(ids) - 1)])
        places, counts = np.unique(model.find(keys), return_counts=True)
        known = places >= 0
        length = np.sqrt(np.square(counts[known] * model.idf[places[known]]).sum())
        for start, size, place in zip(starts, sizes, model.find(keys), strict=True):
            if place >= 0:
                value = share * model.idf[place] * model.weights[place, label] / length
                yield row, int(start), int(start + size), float(value)
