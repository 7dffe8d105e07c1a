"""A classifier whose every number is set by hand, and rows for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.folding.folded import ConvolutionShape, FoldedModel, FoldedNetwork
from pipeline.linear.token_ngrams import TokenNgrams
from pipeline.options import Tokenize
from pipeline.prediction.classifier import Classifier
from pipeline.prediction.pool import Pool
from pipeline.review.assessment import ScoredRows
from pipeline.text.encoder import TextEncoder

NAMES = ["bad", "good"]
ENCODER = TextEncoder(["good", "bad", "fine"], Tokenize(unit="word", unseen="unknown"))  # ids 2 to 4


def network() -> FoldedNetwork:
    """One filter of one word, of which the logit of "good" is 4 for good, -4 for bad and 4 for fine."""
    table = np.array([[0], [0], [4], [-4], [4]], np.float32)
    one, zeros = np.ones(1, np.float32), np.zeros(2, np.float32)
    shape = ConvolutionShape(windows=[1], filters=[1], activation="linear")
    return FoldedNetwork(shape, table, one, np.zeros(1, np.float32), np.array([[0], [1]], np.float32), zeros)


def pool(networks: int = 1) -> Pool:
    """Of equal networks alone."""
    return Pool(FoldedModel([network()] * networks), {}, [1.0])


def ngrams() -> TokenNgrams:
    """To it, fine is so bad that it outvotes the network, and it knows nothing of the other words."""
    weights = np.array([[40, 0]], np.float32)
    return TokenNgrams(np.array([4]), np.ones(1, np.float32), weights, np.zeros(2, np.float32))


def rows(texts: list[str], labels: list[int], part: str = "test") -> pd.DataFrame:
    lines = range(2, 2 + len(texts))
    return pd.DataFrame(
        {"file": "a.csv", "line": lines, "text": texts, "label": labels, "part": part, "copied": False}
    )


def scored(model: Pool, table: pd.DataFrame, unknown: Sequence[str] = ()) -> ScoredRows:
    inputs = ENCODER.encode(list(table["text"]))
    return ScoredRows.from_corpus(classifier(model), table, inputs, pd.Series(True, table.index), unknown)


def classifier(model: Pool) -> Classifier:
    return Classifier(lambda: model, ENCODER, NAMES, ["text"])
