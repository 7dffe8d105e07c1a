"""The evidence for a text's label: what each of its n-grams adds to the label's logit."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import Floats, Labels
from ..errors import InputError
from ..folding.folded import FoldedModel, FoldedNetwork
from ..inputs import PADDING, Sequences
from ..linear.character_ngrams import CharacterNgrams
from ..linear.token_ngrams import TokenNgrams, run_keys, whole_runs
from .pool import Pool

SHOWN_NGRAMS = 5  # those of the greatest contributions


_Tokens = tuple[str, ...]


class _Contribution(NamedTuple):
    row: int
    start: int  # the n-gram's first token
    end: int  # the token after its last
    value: float


def evidence(
    model: object,
    sequences: Sequences,
    pieces: Sequence[Sequence[str]],
    logits: Floats,
    labels: Labels,
) -> list[str]:
    """Return for each row JSON: [n-gram, its contribution] for the greatest, then `(others)` and `(bias)`.

    `pieces` are the rows' tokens as `Encoder.pieces` gives them, `logits` [rows, classes] the model's,
    `labels` [rows] the classes whose logit is decomposed. An n-gram is shown as where it stands first. The
    contributions are exact, as all that follows the maximum is linear or a sum: but for the decimals shown
    they add up to the logit. The bias holds what no n-gram adds: the members' biases.

    Raises InputError for a model that is not folded.
    """
    if not isinstance(model, Pool) or not isinstance(model.networks, FoldedModel):
        raise InputError("evidence needs a folded model: this one predicts by its Keras network")
    values: list[defaultdict[_Tokens, float]] = [defaultdict(float) for _ in pieces]
    places: list[dict[_Tokens, int]] = [{} for _ in pieces]
    for row, start, end, value in _contributions(model, model.networks, sequences, labels):
        ngram = tuple(piece.lstrip(" ") for piece in pieces[row][start:end])
        values[row][ngram] += value
        places[row][ngram] = min(start, places[row].get(ngram, start))
    return [
        _to_json(values[row], _as_shown(pieces[row], places[row]), float(logits[row, label]))
        for row, label in enumerate(labels.tolist())
    ]


def _as_shown(pieces: Sequence[str], places: dict[_Tokens, int]) -> dict[_Tokens, str]:
    return {ngram: "".join(pieces[start : start + len(ngram)]).lstrip(" ") for ngram, start in places.items()}


def _to_json(values: dict[_Tokens, float], shown_as: dict[_Tokens, str], logit: float) -> str:
    """Return the greatest of the n-grams' contributions, and the sum of all others."""
    ordered = sorted(values.items(), key=lambda item: (-abs(item[1]), item[0]))
    shown = [(shown_as[ngram], value) for ngram, value in ordered[:SHOWN_NGRAMS] if value]
    if remaining := ordered[SHOWN_NGRAMS:]:
        shown.append(("(others)", sum(value for _, value in remaining)))
    shown.append(("(bias)", logit - sum(values.values())))
    return json.dumps([[name, round(value, 4)] for name, value in shown], ensure_ascii=False)


def _contributions(
    pool: Pool, networks: FoldedModel, sequences: Sequences, labels: Labels
) -> Iterator[_Contribution]:
    for member in networks.members:
        yield from _window_contributions(member, sequences, labels, pool.weights[0] / len(networks.members))
    for weight, model in zip(pool.weights[1:], pool.linear.values(), strict=True):
        if isinstance(model, CharacterNgrams):
            yield from _word_contributions(model, sequences, labels, weight)
        else:
            yield from _ngram_contributions(model, sequences, labels, weight)


def _window_contributions(
    member: FoldedNetwork, sequences: Sequences, labels: Labels, share: float
) -> Iterator[_Contribution]:
    """Yield the winning window of every filter that passes the activation."""
    _, firsts, ends = member.winning_windows(sequences)
    activations = member.activated(member.features(sequences))
    values = share * activations * member.weights[labels]
    for row, feature in np.argwhere(values != 0).tolist():
        start, end = int(firsts[row, feature]), int(ends[row, feature])
        yield _Contribution(row, start, end, float(values[row, feature]))


def _ngram_contributions(
    model: TokenNgrams, sequences: Sequences, labels: Labels, share: float
) -> Iterator[_Contribution]:
    """Yield every n-gram that the linear model knows; those that are equal have equal shares."""
    for row, label in enumerate(labels.tolist()):
        ids = sequences.ids[sequences.offsets[row] : sequences.offsets[row + 1]].astype(np.int64)
        places_of = {size: np.flatnonzero(whole_runs(ids, size)) for size in range(1, model.longest + 1)}
        keys = [run_keys(ids, size)[whole] for size, whole in places_of.items()]
        starts = np.concatenate([*places_of.values()])
        sizes = np.repeat([*places_of], [len(runs) for runs in keys])
        features, places, counts = np.unique(
            model.find(np.concatenate(keys)), return_inverse=True, return_counts=True
        )
        known = features >= 0
        values = np.zeros(len(features))
        values[known] = (1 + np.log(counts[known])) * model.idf[features[known]]
        length = np.sqrt(np.square(values).sum())
        for start, size, place in zip(starts, sizes, places, strict=True):
            if known[place]:
                weight = share * model.weights[features[place], label] / length
                value = weight * values[place] / counts[place]
                yield _Contribution(row, int(start), int(start + size), float(value))


def _word_contributions(
    model: CharacterNgrams, sequences: Sequences, labels: Labels, share: float
) -> Iterator[_Contribution]:
    """Yield every token, with what its n-grams of characters add."""
    rows = model.rows(sequences)
    for row, label in enumerate(labels.tolist()):
        bounds = slice(sequences.offsets[row], sequences.offsets[row + 1])
        length = np.sqrt(rows[bounds, -1].sum()) or 1.0
        values = share * rows[bounds, label] / length
        for place in np.flatnonzero(sequences.ids[bounds] != PADDING).tolist():
            yield _Contribution(row, place, place + 1, float(values[place]))
