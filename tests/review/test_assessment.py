"""What is said of a classifier whose every number is set by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.baselines.tfidf import TfidfModel
from pipeline.options import Tokenize
from pipeline.prediction.classifier import Classifier
from pipeline.prediction.folded import ConvolutionShape, FoldedModel, FoldedNetwork
from pipeline.review import assessment
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


def ngrams() -> TfidfModel:
    """To it, fine is so bad that it outvotes the network, and it knows nothing of the other words."""
    weights = np.array([[40, 0]], np.float32)
    return TfidfModel(np.array([4]), np.ones(1, np.float32), weights, np.zeros(2, np.float32))


def rows(texts: list[str], labels: list[int], part: str = "test") -> pd.DataFrame:
    lines = range(2, 2 + len(texts))
    return pd.DataFrame({"file": "a.csv", "line": lines, "text": texts, "label": labels, "part": part})


def scored(model: FoldedModel, table: pd.DataFrame) -> ScoredRows:
    inputs = ENCODER.encode(list(table["text"]))
    classifier = Classifier(lambda: model, ENCODER, NAMES, "text")
    return ScoredRows.from_corpus(classifier, table, inputs, pd.Series(True, table.index))


def measured(model: FoldedModel) -> dict[str, Any]:
    test = scored(model, rows(["good", "bad", "fine", "fine"], [1, 0, 1, 1]))
    return assessment.measures(test, test.truth, test.truth, None, seed=1).to_json()


def test_the_network_is_also_scored_without_the_n_grams_that_are_weighed_in() -> None:
    found = measured(FoldedModel([network()], ngrams(), [1.0, 1.0]))
    assert found["accuracy"] == 0.5 and found["network_alone_accuracy"] == 1
    assert found["network_alone_macro_f1"] == 1
    # Wilson, 4 of 4 rows: from 4 / (4 + 1.96 ** 2).
    assert found["network_alone_accuracy_interval"] == pytest.approx((0.5101, 1), abs=1e-4)


@pytest.mark.parametrize(
    "model", [FoldedModel([network()], None, []), FoldedModel([network()] * 2, None, [1.0])]
)
def test_networks_without_n_grams_are_not_scored_twice(model: FoldedModel) -> None:
    assert not [key for key in measured(model) if key.startswith("network_alone")]


def test_each_judge_ranks_its_own_rows_and_those_of_the_test_part_stand_last() -> None:
    """Naive Bayes doubts one of twenty training rows, the network two of eight others, and more strongly: by
    shares the training row is the first all the same, and the test row the last."""
    held_out = pd.concat(
        [
            rows(["good", "bad", "bad good", "good good"], [0, 0, 1, 1], "test"),
            rows(["bad", "bad bad", "bad fine", "fine"], [1, 0, 1, 1], "validation"),
        ]
    )
    training = rows([*["good day"] * 10, *["bad day"] * 10], [*[1] * 9, *[0] * 11], "train")
    table = pd.concat([training, held_out], ignore_index=True)
    inputs = ENCODER.encode(list(table["text"]))
    classifier = Classifier(lambda: FoldedModel([network()], None, []), ENCODER, NAMES, "text")
    asked = ScoredRows.from_corpus(classifier, table, inputs, table["part"] != "train")
    found = assessment.suspect_labels(asked, table, inputs, seed=1)
    assert found["part"].tolist() == ["train", "validation", "test"]
    assert found["text"].tolist() == ["good day", "bad", "good"]
    assert found["label"].tolist() == ["bad", "good", "bad"]
    assert found["suggested_label"].tolist() == ["good", "bad", "good"]
    first, second, _ = found["probability"]
    assert first < second
