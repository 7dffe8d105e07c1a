"""The share of wrong labels that `suspect_labels.csv` names, by how often a text stands in the training part.

`python -m tests.benchmarks.label_errors` takes 5,000 docstrings of the built-in corpus and gives 3 % of the
texts the label of another library, in all their copies. It prints, for folds by row and for folds that keep
copies together, which share of the wrong rows is suspect, which share stands among as many of the most
suspicious rows as there are wrong ones, and which share of all suspect rows is wrong.
"""

from __future__ import annotations

import numpy as np

from pipeline.corpus.docstring_corpus import docstring_corpus
from pipeline.options import Tokenize
from pipeline.review.label_errors import suspect_rows
from pipeline.review.naive_bayes import out_of_fold_probabilities
from pipeline.text.encoder import TextEncoder

TEXTS = 5000
WRONG = 0.03
COPIES = (1, 2, 5)


def main() -> None:
    random = np.random.default_rng(1)
    names, texts, libraries = _corpus(random)
    classes = len(names)
    encoder = TextEncoder.learn(texts, Tokenize())
    wrong = random.random(len(texts)) < WRONG
    labels = np.where(wrong, (libraries + random.integers(1, classes, len(texts))) % classes, libraries)
    print(f"{len(texts):,} texts of {classes} classes, {WRONG:.0%} of them with a wrong label\n")
    print("copies  folds by    found  at the top  of the suspects wrong")
    for copies in COPIES:
        rows = np.repeat(np.arange(len(texts)), copies)
        sequences = encoder.encode([texts[row] for row in rows.tolist()])
        for title, groups in (("row", np.arange(len(rows))), ("text", rows)):
            probabilities = out_of_fold_probabilities(sequences, labels[rows], groups, classes, seed=1)
            suspects = suspect_rows(probabilities, labels[rows]).rows
            hits, count = wrong[rows][suspects], wrong[rows].sum()
            print(
                f"{copies:6}  {title:8} {hits.sum() / count:8.0%} {hits[:count].sum() / count:11.0%}"
                f" {hits.mean():22.0%}"
            )


def _corpus(random: np.random.Generator) -> tuple[list[str], list[str], np.ndarray]:
    """Return the names of the libraries, and texts with their library's number."""
    docstrings = docstring_corpus()
    chosen = [docstrings[row] for row in random.permutation(len(docstrings))[:TEXTS].tolist()]
    names, codes = np.unique([row.label for row in chosen], return_inverse=True)
    return names.tolist(), [row.text for row in chosen], codes


if __name__ == "__main__":
    main()
