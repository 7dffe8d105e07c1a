"""fastText over single tokens and pairs (Joulin et al. 2016, "Bag of Tricks", arXiv 1607.01759)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from ..arrays import Labels
from ..inputs import Sequences
from .candidate import Candidate, FittedCandidate, documents, setting

# Epochs, the library's own and what small corpora need, and learning rates.
SETTINGS = tuple(product((5, 25), (0.1, 0.5)))
MARK = "__label__"  # fastText's own


def candidates(
    training: Sequences, labels: Labels, seed: int, balanced: bool, settings: Iterable[tuple[int, float]]
) -> Iterator[Candidate]:
    """Fit averaged vectors of tokens and pairs into a softmax, for each number of epochs and learning rate.

    fastText knows no class weights. With `balanced`, the lines of a class are repeated as often as they
    should count, and at least once: classes below the mean size then have about the mean, for twice the lines
    at most.
    """
    import fasttext  # the library, which is optional

    lines = [f"{MARK}{label} {text}\n" for label, text in zip(labels, documents(training), strict=True)]
    with TemporaryDirectory() as folder:
        file = Path(folder, "training.txt")
        # fastText learns in the file's order, and many corpora are sorted by class.
        weights = compute_sample_weight("balanced" if balanced else None, labels)
        repeated = np.repeat(np.arange(len(lines)), np.maximum(1, weights.round()).astype(int))
        order = np.random.default_rng(seed).permutation(repeated)
        file.write_text("".join(lines[row] for row in order), "utf-8")
        for epochs, rate in settings:
            model = fasttext.train_supervised(
                str(file),
                epoch=epochs,
                lr=rate,
                dim=100,
                wordNgrams=2,
                bucket=min(2_000_000, 2 * len(training.ids)),  # its own 2 million are no better, at 800 MB
                loss="softmax",
                thread=1,  # several threads race, so that no run repeats another
                seed=seed % 2**31,  # a C int
                verbose=0,
            )
            text = f"{epochs} epochs, learning rate {rate:g}"
            yield FittedCandidate(setting(text, balanced), partial(_predict, model))


def _predict(model: Any, sequences: Sequences) -> Labels:
    # For a single text, fastText 0.9's `predict` breaks under NumPy 2; for a list it does not.
    predicted, _ = model.predict(documents(sequences))
    return np.array([int(first.removeprefix(MARK)) for (first,) in predicted], np.int64)
