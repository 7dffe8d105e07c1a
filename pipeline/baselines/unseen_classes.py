"""How a linear model's probabilities take texts of a class that it was fitted without."""

from __future__ import annotations

import numpy as np

from ..arrays import Labels
from ..inputs import Sequences
from ..measures.unseen import LeftOutClasses, Separation
from .tfidf import ngrams

MAX_CLASSES = 10  # that are left out, the largest first
MAX_ROWS = 100_000  # of the training part: each class takes a fit on all others
SMOOTHING = 0.3  # added to the weight of every n-gram in every class


def leave_classes_out(
    training: Sequences, labels: Labels, test: Sequences, truth: Labels, names: list[str]
) -> LeftOutClasses:
    """Fit multinomial naive Bayes without each of the largest classes, and compare its test rows with others.

    The model reads TF-IDF of single tokens and pairs. Naive Bayes, as a fit is a sum of counts: it stands in
    for a network, which cannot be trained once for each class. `labels` and `truth` int64 [rows] are indices
    into `names`. N-grams that only the left-out class has are unknown to the model, as in a new text.
    """
    from scipy.sparse import csr_matrix  # imported late: they take seconds, and only reports need them
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.naive_bayes import MultinomialNB

    counts_by_class = np.bincount(labels, minlength=len(names))
    tested = np.bincount(truth, minlength=len(names)) > 0
    if (counts_by_class > 0).sum() < 3:
        return LeftOutClasses([], "with two classes, none can be left out")
    if tested.sum() < 2:
        return LeftOutClasses([], "the test part has one class")
    if len(labels) > MAX_ROWS:
        return LeftOutClasses([], f"the training part has more than {MAX_ROWS:,} rows")
    keys, places = ngrams(training)
    if not len(keys):
        return LeftOutClasses([], "no training text has a token")
    features, columns = np.unique(keys, return_inverse=True)
    counts = csr_matrix((np.ones(len(keys), np.float32), (places, columns)), (len(training), len(features)))
    keys, places = ngrams(test)
    columns = np.minimum(np.searchsorted(features, keys), len(features) - 1)
    known = features[columns] == keys
    test_counts = csr_matrix(
        (np.ones(known.sum(), np.float32), (places[known], columns[known])), (len(test), len(features))
    )
    found = []
    order = np.argsort(-counts_by_class, kind="stable")
    for label in order[tested[order]][:MAX_CLASSES].tolist():
        rest = counts[labels != label]
        occurring = np.flatnonzero(rest.getnnz(axis=0))
        transformer = TfidfTransformer()
        weighted = transformer.fit_transform(rest[:, occurring])
        model = MultinomialNB(alpha=SMOOTHING).fit(weighted, labels[labels != label])
        sure = model.predict_proba(transformer.transform(test_counts[:, occurring])).max(axis=1)
        found.append(Separation.of_rows(names[label], sure[truth != label], sure[truth == label]))
    return LeftOutClasses(found)
