"""Rows whose label is probably wrong: confident learning (Northcutt et al. 2021), arXiv 1911.00068."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..baselines.tfidf import ngrams
from ..inputs import Sequences
from ..measures.calibration import fit_temperature
from ..measures.softmax import softmax

FOLDS = 10
SMOOTHING = 0.3  # of an n-gram's weight in a class
Labels = NDArray[np.int64]
Probabilities = NDArray[np.float32]


class Suspects(NamedTuple):
    """`rows` int64 [suspects], the most suspicious first; beside each the label that fits it better, and that
    one's probability."""

    rows: NDArray[np.int64]
    suggested: Labels
    probability: Probabilities


def suspects(probabilities: Probabilities, labels: Labels) -> Suspects:
    """The rows that count for another class than their `labels` int64 [rows] say.

    `probabilities` float32 [rows, classes] are of models that have not learned these rows. A row counts for
    the most probable of the classes that it is sure enough of: those with at least the mean probability that
    rows labelled so have. The lower the probability of the given label, the more suspicious a row is.
    """
    rows, classes = probabilities.shape
    counts = np.bincount(labels, minlength=classes)
    given = probabilities[np.arange(rows), labels]
    usual = np.bincount(labels, given, classes) / np.maximum(1, counts)
    # A class without rows has no threshold, and no row can be said to be of it.
    sure = np.where((probabilities >= usual) & (counts > 0), probabilities, np.float32(-1))
    best = sure.argmax(axis=1)
    found = np.flatnonzero((sure.max(axis=1) >= 0) & (best != labels))
    found = found[np.argsort(given[found], kind="stable")]
    return Suspects(found, best[found], probabilities[found, best[found]])


def out_of_fold(sequences: Sequences, labels: Labels, classes: int, seed: int) -> Probabilities:
    """float32 [rows, classes]: what naive Bayes says of each row that was fitted to the other folds' rows.

    On TF-IDF of single tokens and pairs. It finds as many wrong labels as logistic regression on the same
    n-grams, in a hundredth of the time: a fold is a sum of counts. The probabilities are calibrated by a
    temperature, which is fitted to rows that were left out.
    """
    from scipy.sparse import csr_matrix  # here, as only a review has use for the seconds that it takes
    from sklearn.feature_extraction.text import TfidfTransformer

    keys, places = ngrams(sequences)
    features, columns = np.unique(keys, return_inverse=True)
    shape = len(sequences), max(1, len(features))
    counts = csr_matrix((np.ones(len(keys), np.float32), (places, columns)), shape)
    weighted = TfidfTransformer().fit_transform(counts)
    members = csr_matrix(
        (np.ones(len(labels), np.float32), (labels, np.arange(len(labels)))), (classes, shape[0])
    )
    fold = _stratified(labels, seed)
    logits = np.empty((len(labels), classes), np.float32)
    for number in range(FOLDS):
        inside = fold == number
        rest = np.flatnonzero(~inside)
        sums = (members[:, rest] @ weighted[rest]).toarray() + np.float32(SMOOTHING)
        weights = np.log(sums / sums.sum(axis=1, keepdims=True))
        prior = np.log(1 + np.bincount(labels[rest], minlength=classes))
        logits[inside] = weighted[inside] @ weights.T + prior
    return softmax(logits, fit_temperature(logits, labels))


def _stratified(labels: Labels, seed: int) -> NDArray[np.int64]:
    """int64 [rows]: a fold for each row, every class spread over all of them."""
    order = np.lexsort((np.random.default_rng(seed).random(len(labels)), labels))
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % FOLDS
    return fold
