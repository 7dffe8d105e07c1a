"""Rows whose label is probably wrong, by confident learning (Northcutt et al. 2021, arXiv 1911.00068)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels
from ..baselines.tfidf import ngrams
from ..inputs import Sequences
from ..measures.calibration import fit_temperature
from ..measures.softmax import softmax

FOLDS = 10
SMOOTHING = 0.3  # added to the weight of every n-gram in every class
Probabilities = NDArray[np.float32]


class SuspectRows(NamedTuple):
    """Rows whose label is probably wrong, int64 [suspects], the most suspicious first.

    `suggested` and `probability` [suspects] are the class that fits the row better, and its probability.
    """

    rows: NDArray[np.int64]
    suggested: Labels
    probability: Probabilities


def suspect_rows(probabilities: Probabilities, labels: Labels) -> SuspectRows:
    """Return the rows whose confident class differs from their label, int64 [rows].

    `probabilities` float32 [rows, classes] come from models that were not trained on these rows. A row's
    confident class is the most probable of the classes whose probability reaches the class's threshold, the
    mean probability among the rows labelled so (equation 2 of the paper). The lower the probability of a
    row's own label, the more suspicious it is.
    """
    rows, classes = probabilities.shape
    counts = np.bincount(labels, minlength=classes)
    of_label = probabilities[np.arange(rows), labels]
    thresholds = np.bincount(labels, of_label, classes) / np.maximum(1, counts)
    # A class without rows has no threshold, so no row can be assigned to it.
    is_confident = (probabilities >= thresholds) & (counts > 0)
    confident = np.where(is_confident, probabilities, np.float32(-1))
    suggested = confident.argmax(axis=1)
    suspects = np.flatnonzero((confident.max(axis=1) >= 0) & (suggested != labels))
    suspects = suspects[np.argsort(of_label[suspects], kind="stable")]
    suggested = suggested[suspects]
    return SuspectRows(suspects, suggested, probabilities[suspects, suggested])


def out_of_fold_probabilities(
    sequences: Sequences, labels: Labels, groups: NDArray[np.int64], classes: int, seed: int
) -> Probabilities:
    """Return float32 [rows, classes], each row predicted by a naive Bayes model fitted to the other folds.

    Rows of one number in `groups` int64 [rows], such as those of equal texts, share a fold: copies with the
    same wrong label would vouch for each other.

    The model uses TF-IDF of single tokens and pairs. Naive Bayes, as it finds as many wrong labels here as
    logistic regression in a hundredth of the time: a fold is a sum of counts. The probabilities are
    calibrated by a temperature fitted to the out-of-fold logits.
    """
    from scipy.sparse import csr_matrix  # imported late: they take seconds, and only reports need them
    from sklearn.feature_extraction.text import TfidfTransformer

    keys, places = ngrams(sequences)
    features, columns = np.unique(keys, return_inverse=True)
    shape = len(sequences), max(1, len(features))
    counts = csr_matrix((np.ones(len(keys), np.float32), (places, columns)), shape)
    weighted = TfidfTransformer().fit_transform(counts)
    members = csr_matrix(
        (np.ones(len(labels), np.float32), (labels, np.arange(len(labels)))), (classes, shape[0])
    )
    folds = _stratified_folds(labels, groups, seed)
    logits = np.empty((len(labels), classes), np.float32)
    for fold in range(FOLDS):
        held_out = folds == fold
        training = np.flatnonzero(~held_out)
        sums = (members[:, training] @ weighted[training]).toarray() + np.float32(SMOOTHING)
        weights = np.log(sums / sums.sum(axis=1, keepdims=True))
        prior = np.log(1 + np.bincount(labels[training], minlength=classes))
        logits[held_out] = weighted[held_out] @ weights.T + prior
    return softmax(logits, fit_temperature(logits, labels))


def _stratified_folds(labels: Labels, groups: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return a fold for each row, int64 [rows], with the groups of every class spread over all folds.

    A group counts for the class of its first row.
    """
    _, first, numbers = np.unique(groups, return_index=True, return_inverse=True)
    order = np.lexsort((np.random.default_rng(seed).random(len(first)), labels[first]))
    folds = np.empty(len(first), np.int64)
    folds[order] = np.arange(len(first)) % FOLDS
    return folds[numbers]
