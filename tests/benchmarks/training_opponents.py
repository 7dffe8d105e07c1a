"""`python -m tests.benchmarks.training_opponents NAME TRAIN TEST`: an opponent of `make train`, CSV to score.

Learns the columns `text` and `label` of one CSV, labels the other's texts, and prints the accuracy in %. Each
is what one writes in ten lines, in settings that are known to be good ones; none is chosen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

MARK = "__label__"  # fastText's own
Texts = list[str]
Labels = np.ndarray  # of codes, int64 [texts]


def word_tfidf(texts: Texts, labels: Labels, asked: Texts) -> Labels:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer(sublinear_tf=True, dtype=np.float32)
    return (
        make_pipeline(vectorizer, LogisticRegression(C=10, max_iter=1000)).fit(texts, labels).predict(asked)
    )


def character_svm(texts: Texts, labels: Labels, asked: Texts) -> Labels:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True, dtype=np.float32
    )
    return make_pipeline(make_union(words, characters), LinearSVC(C=0.5)).fit(texts, labels).predict(asked)


def fasttext(texts: Texts, labels: Labels, asked: Texts) -> Labels:
    """In the settings that its tutorial ends with, on every core."""
    import fasttext

    lines = [" ".join(text.lower().split()) for text in texts]
    # It learns in the file's order, and many corpora are sorted by class.
    order = np.random.default_rng(1).permutation(len(lines))
    with TemporaryDirectory() as place:
        file = Path(place, "train.txt")
        file.write_text("".join(f"{MARK}{labels[row]} {lines[row]}\n" for row in order), "utf-8")
        model = fasttext.train_supervised(str(file), lr=1.0, epoch=25, wordNgrams=2, verbose=0)
    predicted = model.predict([" ".join(text.lower().split()) for text in asked])[0]
    return np.array([int(labels[0].removeprefix(MARK)) for labels in predicted])


OPPONENTS: dict[str, Callable[[Texts, Labels, Texts], Labels]] = {
    "TF-IDF + LR": word_tfidf,
    "TF-IDF with characters + SVM": character_svm,
    "fastText": fasttext,
}


def accuracy(name: str, training: pd.DataFrame, test: pd.DataFrame) -> float:
    """Return the share of the test rows, in %, that an opponent labels right."""
    codes, names = pd.factorize(training["label"])
    predicted = OPPONENTS[name](training["text"].tolist(), codes, test["text"].tolist())
    return 100 * float(np.mean(np.asarray(names)[predicted] == test["label"].to_numpy()))


def main(name: str, training: str, test: str) -> None:
    parts = (pd.read_csv(path, dtype=str, keep_default_na=False) for path in (training, test))
    print(accuracy(name, *parts))


if __name__ == "__main__":
    main(*sys.argv[1:])
