"""What each n-gram adds to the label's logit."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.folding.folded import ConvolutionShape, FoldedModel, FoldedNetwork
from pipeline.inputs import Sequences
from pipeline.linear.token_ngrams import TfidfModel
from pipeline.prediction.evidence import evidence

TOKENS = [["good", "film"], ["film"], []]
ROWS = Sequences.from_rows([[2, 3], [3], []])  # good is 2, film is 3


def member(activation: str = "relu") -> FoldedNetwork:
    """A filter of two words, which speaks for class 0, and one of one word, which speaks for class 1."""
    # Window 2: 3 for good before film, 4 for film behind good; window 1: 2 and -1.
    table = np.array([[0, 0, 0], [0, 0, 0], [3, 0, 2], [0, 4, -1]], np.float32)
    ones, zeros = np.ones(2, np.float32), np.zeros(2, np.float32)
    weights = np.array([[0.5, 0], [0, 1]], np.float32)
    shape = ConvolutionShape.model_validate({"windows": [2, 1], "filters": [1, 1], "activation": activation})
    return FoldedNetwork(shape, table, ones, zeros, weights, np.array([0.25, -0.25], np.float32))


def told(model: FoldedModel, labels: list[int]) -> list[list[list[object]]]:
    found = evidence(model, ROWS, TOKENS, model.logits(ROWS), np.array(labels))
    return [json.loads(row) for row in found]


def test_the_windows_that_won_add_their_filters_weights() -> None:
    model = FoldedModel([member()], None, [])
    assert told(model, [1, 0, 0]) == [
        [["good", 2], ["(bias)", -0.25]],  # 2 * 1
        [["film", 2], ["(bias)", 0.25]],  # 4 * 0.5, of the window that ends in it
        [["(bias)", 0.25]],
    ]
    assert told(model, [0, 0, 0])[0] == [["good film", 3.5], ["(bias)", 0.25]]  # (3 + 4) * 0.5


@pytest.mark.parametrize("activation", ["relu", "tanh", "linear"])
@pytest.mark.parametrize("rounded", [False, True])
def test_all_parts_of_an_ensemble_add_up_to_the_logit(activation: str, rounded: bool) -> None:
    random = np.random.default_rng(1)
    keys = np.sort(np.array([2, 3, 2 << 32 | 3]))
    weights = random.normal(size=(3, 2)).astype(np.float32)
    ngrams = TfidfModel(keys, np.array([1, 2, 1.5], np.float32), weights, np.zeros(2, np.float32))
    model = FoldedModel([member(activation), member("linear")], ngrams, [0.6, 0.5])
    model = model.rounded() if rounded else model
    logits = model.logits(ROWS)
    for label in (0, 1):
        for row, parts in enumerate(told(model, [label] * 3)):
            assert parts[-1][0] == "(bias)"
            assert sum(float(str(value)) for _, value in parts) == pytest.approx(logits[row, label], abs=1e-3)


def test_only_the_greatest_are_named_and_the_others_are_added_up() -> None:
    ids, silent = list(range(2, 11)), member()
    silent = replace(silent, table=np.zeros((11, 3), np.float32))
    weights = np.arange(18, dtype=np.float32).reshape(9, 2)
    ngrams = TfidfModel(np.array(ids), np.ones(9, np.float32), weights, np.zeros(2, np.float32))
    model, tokens = FoldedModel([silent], ngrams, [0.0, 3.0]), [[f"w{i}" for i in range(9)]]
    logits, labels = np.zeros((1, 2), np.float32), np.array([1])
    found = json.loads(evidence(model, Sequences.from_rows([ids]), tokens, logits, labels)[0])
    # Of nine words' contributions, (2 i + 1) * 3 / sqrt(9) each, the last five are the greatest.
    assert found[:5] == [[f"w{i}", 2 * i + 1] for i in (8, 7, 6, 5, 4)]
    assert found[5] == ["(others)", 1 + 3 + 5 + 7]
    assert found[6] == ["(bias)", -81]


def test_a_model_that_is_not_folded_has_none() -> None:
    with pytest.raises(InputError, match="evidence needs a folded model"):
        evidence(object(), ROWS, TOKENS, np.zeros((3, 2), np.float32), np.zeros(3, np.int64))
