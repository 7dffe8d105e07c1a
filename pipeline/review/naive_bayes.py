"""Naive Bayes on n-grams, in place of a network, which cannot be trained once for each fold or class.

Multinomial, on TF-IDF of single tokens and pairs: a fit is a sum of counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels
from ..corpus.folds import quick_folds
from ..inputs import Sequences
from ..linear.token_ngrams import distinct_ngrams, ngram_counts
from ..measures.calibration import fit_temperature
from ..measures.softmax import softmax
from ..measures.unseen import LeftOutClasses, Separation

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.naive_bayes import MultinomialNB

FOLDS = 10
MAX_CLASSES = 10  # that are left out, the largest first
MAX_ROWS = 100_000  # of the training part: each class that is left out takes a fit on all others
SMOOTHING = 0.3  # added to the weight of every n-gram in every class


def out_of_fold_probabilities(
    sequences: Sequences, labels: Labels, groups: NDArray[np.int64], classes: int, seed: int
) -> NDArray[np.float32]:
    """Return float32 [rows, classes], each row predicted by a model that was fitted to the other folds.

    Rows of one number in `groups` int64 [rows], such as those of equal texts, share a fold: copies with the
    same wrong label would vouch for each other. The probabilities are calibrated by a temperature fitted to
    the out-of-fold logits. Naive Bayes finds as many wrong labels here as logistic regression in a small part
    of the time.
    """
    from sklearn.feature_extraction.text import TfidfTransformer  # late: it takes seconds, for reports alone

    _, counts = distinct_ngrams(sequences)
    weighted = TfidfTransformer().fit_transform(counts)
    folds = quick_folds(groups, labels, FOLDS, seed)
    logits = np.zeros((len(labels), classes), np.float32)
    for fold in range(FOLDS):
        held_out = folds == fold
        if held_out.any() and not held_out.all():
            model = _fit(weighted[~held_out], labels[~held_out], classes)
            logits[held_out] = model.predict_joint_log_proba(weighted[held_out])
    return softmax(logits, fit_temperature(logits, labels))


def leave_classes_out(
    training: Sequences, labels: Labels, test: Sequences, truth: Labels, names: list[str]
) -> LeftOutClasses:
    """Fit a model without each of the largest classes, and compare its test rows with the others.

    `labels` and `truth` int64 [rows] are indices into `names`. N-grams that only the left-out class has are
    unknown to the model, as in a new text.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    counts_by_class = np.bincount(labels, minlength=len(names))
    tested = np.bincount(truth, minlength=len(names)) > 0
    if reason := _reason_against(counts_by_class, tested):
        return LeftOutClasses([], reason)
    features, counts = distinct_ngrams(training)
    if not len(features):
        return LeftOutClasses([], "no training text has a token")
    test_counts = ngram_counts(test, features)
    found = []
    order = np.argsort(-counts_by_class, kind="stable")
    for label in order[tested[order]][:MAX_CLASSES].tolist():
        rest = counts[labels != label]
        occurring = np.flatnonzero(rest.getnnz(axis=0))
        present, known_labels = np.unique(labels[labels != label], return_inverse=True)
        transformer = TfidfTransformer()
        model = _fit(transformer.fit_transform(rest[:, occurring]), known_labels, len(present))
        sure = model.predict_proba(transformer.transform(test_counts[:, occurring])).max(axis=1)
        found.append(Separation.of_rows(names[label], sure[truth != label], sure[truth == label]))
    return LeftOutClasses(found)


def _reason_against(counts_by_class: NDArray[np.int64], tested: NDArray[np.bool_]) -> str:
    """Return why no class can be left out, "" if one can."""
    if (counts_by_class > 0).sum() < 3:
        return "with two classes, none can be left out"
    if tested.sum() < 2:
        return "the test part has one class"
    if counts_by_class.sum() > MAX_ROWS:
        return f"the training part has more than {MAX_ROWS:,} rows"
    return ""


def _fit(weighted: csr_matrix, labels: Labels, classes: int) -> MultinomialNB:
    """Fit all `classes`, also those without a row; each counts a row more than it has."""
    from sklearn.naive_bayes import MultinomialNB

    prior = 1 + np.bincount(labels, minlength=classes)
    model = MultinomialNB(alpha=SMOOTHING, class_prior=prior / prior.sum())
    return model.partial_fit(weighted, labels, classes=np.arange(classes))
