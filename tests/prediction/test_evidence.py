"""What each n-gram adds to the label's logit."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.folding.folded import ConvolutionShape, FoldedModel, FoldedNetwork
from pipeline.inputs import BOUNDARY, Sequences, UnseenWords
from pipeline.linear.character_ngrams import CharacterFeatures, CharacterNgrams
from pipeline.linear.token_ngrams import TokenNgrams
from pipeline.prediction.evidence import evidence
from pipeline.prediction.pool import Pool
from tests.prediction.handmade import Brightness

PIECES = [["good", " film"], ["film"], []]
ROWS = Sequences.from_rows([[2, 3], [3], []])  # good is 2, film is 3


def member(activation: str = "relu") -> FoldedNetwork:
    """A filter of two words, which speaks for class 0, and one of one word, which speaks for class 1."""
    # Window 2: 3 for good before film, 4 for film behind good; window 1: 2 and -1.
    table = np.array([[0, 0, 0], [0, 0, 0], [3, 0, 2], [0, 4, -1]], np.float32)
    ones, zeros = np.ones(2, np.float32), np.zeros(2, np.float32)
    weights = np.array([[0.5, 0], [0, 1]], np.float32)
    shape = ConvolutionShape.model_validate({"windows": [2, 1], "filters": [1, 1], "activation": activation})
    return FoldedNetwork(shape, table, ones, zeros, weights, np.array([0.25, -0.25], np.float32))


def told(
    model: Pool, labels: list[int], rows: Sequences = ROWS, pieces: list[list[str]] = PIECES
) -> list[list[list[object]]]:
    found = evidence(model, rows, pieces, model.logits(rows), np.array(labels))
    return [json.loads(row) for row in found]


def test_the_windows_that_won_add_their_filters_weights() -> None:
    model = Pool(FoldedModel([member()]), {}, [1.0])
    assert told(model, [1, 0, 0]) == [
        [["good", 2], ["(bias)", -0.25]],  # 2 * 1
        [["film", 2], ["(bias)", 0.25]],  # 4 * 0.5, of the window that ends in it
        [["(bias)", 0.25]],
    ]
    assert told(model, [0, 0, 0])[0] == [["good film", 3.5], ["(bias)", 0.25]]  # (3 + 4) * 0.5


def test_an_n_gram_is_shown_as_it_stands_in_the_text() -> None:
    keys = np.array([2, 3, 2 << 32 | 3])
    tokens = TokenNgrams(keys, np.ones(3, np.float32), np.ones((3, 2), np.float32), np.zeros(2, np.float32))
    model, rows = Pool(FoldedModel([member()]), {"tokens": tokens}, [1.0, 1.0]), [[2, 3, 2, 3], [2, 3]]
    pieces = [["\u597d", "\u770b", "\u597d", " \u770b"], ["good", " film"]]
    together, apart = told(model, [0, 0], Sequences.from_rows(rows), pieces)
    # Once with a blank and once without, it is one n-gram.
    assert [name for name, _ in together].count("\u597d\u770b") == 1
    assert "\u597d \u770b" not in {name for name, _ in together}
    assert "good film" in {name for name, _ in apart}


def test_no_evidence_crosses_the_boundary_between_two_texts() -> None:
    keys = np.array([2, 3, 2 << 32 | 3])
    tokens = TokenNgrams(keys, np.ones(3, np.float32), np.ones((3, 2), np.float32), np.zeros(2, np.float32))
    model = Pool(FoldedModel([member()]), {"tokens": tokens, "characters": characters(2)}, [1.0, 1.0, 1.0])
    rows, texts = (
        Sequences.from_rows([[2, 0, 3], [0, 2, 3]]),
        [["good", BOUNDARY, "film"], [BOUNDARY, "good", " film"]],
    )
    apart, together = told(model, [0, 0], rows, texts)
    assert {ngram for ngram, _ in apart} == {"good", "film", "(bias)"}
    assert "good film" in {ngram for ngram, _ in together}
    sums = [sum(value for _, value in row) for row in (apart, together)]
    np.testing.assert_allclose(sums, model.logits(rows)[:, 0], atol=1e-3)


@pytest.mark.parametrize("activation", ["relu", "tanh", "linear"])
@pytest.mark.parametrize("rounded", [False, True])
def test_all_parts_of_an_ensemble_add_up_to_the_logit(activation: str, rounded: bool) -> None:
    random = np.random.default_rng(1)
    keys = np.sort(np.array([2, 3, 2 << 32 | 3]))
    weights = random.normal(size=(3, 2)).astype(np.float32)
    tokens = TokenNgrams(keys, np.array([1, 2, 1.5], np.float32), weights, np.ones(2, np.float32))
    networks = FoldedModel([member(activation), member("linear")])
    model = Pool(networks, {"tokens": tokens, "characters": characters(2)}, [0.6, 0.5, 0.4])
    model = model.rounded() if rounded else model
    # Good twice, and two words outside the vocabulary, one of which has n-grams that are known.
    unseen, words = UnseenWords(["goody", "zzz"]), np.array([2, 3, 3, 2, 3, 2, 4, 5], np.int32)
    rows = Sequences(np.where(words < 4, words, 1).astype(np.int32), np.array([0, 2, 3, 3, 8]), words, unseen)
    texts = [*PIECES, ["good", " film", " good", " goody", " zzz"]]
    logits = model.logits(rows)
    assert np.abs(0.4 * characters(2).logits(rows)).max(axis=1).min() > 0.05  # which matters in every row
    for label in (0, 1):
        for row, parts in enumerate(told(model, [label] * 4, rows, texts)):
            assert parts[-1][0] == "(bias)"
            assert sum(float(str(value)) for _, value in parts) == pytest.approx(logits[row, label], abs=1e-3)
            bias = 0.6 * (0.25 if label == 0 else -0.25) + 0.5 + 0.4 * [-0.5, 0.25][label]
            assert float(str(parts[-1][1])) == pytest.approx(bias, abs=1e-3)


def characters(classes: int) -> CharacterNgrams:
    """Of random weights, for the n-grams of the words good and film, which are all of its vocabulary."""
    words, random = ["good", "film"], np.random.default_rng(2)
    features = CharacterFeatures(Sequences.from_rows([[2, 3], [3], [2]]), words)
    weights = random.normal(size=(len(features.keys), classes)).astype(np.float32)
    return features.model(weights, np.array([-0.5, 0.25], np.float32))


def test_a_word_adds_what_its_n_grams_of_characters_do_in_each_place() -> None:
    """A row of the table is 3 for class 1 and of length 4, one outside the vocabulary 0 and 0."""
    empty, zeros = np.empty(0, np.float32), np.zeros(2, np.float32)
    table = np.array([[0, 0, 0], [0, 0, 0], [0, 3, 16], [0, 6, 9]], np.float32)
    words = CharacterNgrams(np.empty(0, np.int64), empty, np.empty((0, 2), np.float32), zeros, table)
    silent = replace(member(), table=np.zeros((4, 3), np.float32))
    model = Pool(FoldedModel([silent]), {"characters": words}, [0.0, 5.0])
    rows = Sequences(
        np.array([2, 3, 2, 1], np.int32),
        np.array([0, 2, 4]),
        np.array([2, 3, 2, 4], np.int32),
        UnseenWords(["zzz"]),
    )
    assert told(model, [1, 1], rows, [["good", " film"], ["good", " zzz"]]) == [
        [["film", 5 * 6 / 5], ["good", 5 * 3 / 5], ["(bias)", 0]],  # 16 + 9 is 5 squared
        [["good", 5 * 3 / 4], ["(bias)", 0]],
    ]


def test_a_token_that_occurs_twice_shares_its_sublinear_value() -> None:
    """Of "2 2 3", token 2 has 1 + log 2 and token 3 has 1; the pairs are not known."""
    ngrams = TokenNgrams(
        np.array([2, 3]),
        np.ones(2, np.float32),
        np.array([[0, 1], [0, 1]], np.float32),
        np.zeros(2, np.float32),
    )
    silent = replace(member(), table=np.zeros((4, 3), np.float32))
    model = Pool(FoldedModel([silent]), {"tokens": ngrams}, [0.0, 1.0])
    rows, value = Sequences.from_rows([[2, 2, 3]]), 1 + np.log(2)
    length = np.sqrt(value**2 + 1)
    (found,) = told(model, [1], rows, [["good", " good", " film"]])
    assert found == [
        ["good", round(value / length, 4)],
        ["film", round(1 / length, 4)],
        ["(bias)", pytest.approx(0)],
    ]


def test_a_triple_is_shown_as_its_three_tokens_and_all_shares_add_up() -> None:
    """Of "2 3 2" token 2 has 1 + log 2, and what else is known 1: token 3, its pairs and the triple."""
    keys = np.array([2, 3, 2 << 32 | 3, 3 << 32 | 2, 1 << 62 | 2 << 40 | 3 << 20 | 2])
    weights = np.array([[0, 1], [0, 2], [0, 4], [0, -3], [0, 5]], np.float32)
    ngrams = TokenNgrams(keys, np.ones(5, np.float32), weights, np.array([0, 0.5], np.float32))
    silent = replace(member(), table=np.zeros((4, 3), np.float32))
    model = Pool(FoldedModel([silent]), {"tokens": ngrams}, [0.0, 1.0])
    rows, value = Sequences.from_rows([[2, 3, 2], [2]]), 1 + np.log(2)
    found, short = told(model, [1, 1], rows, [["好", "吃", "好"], ["好"]])
    length = np.sqrt(value**2 + 4)
    assert found == [
        ["好吃好", round(5 / length, 4)],
        ["好吃", round(4 / length, 4)],
        ["吃好", round(-3 / length, 4)],
        ["吃", round(2 / length, 4)],
        ["好", round(value / length, 4)],
        ["(bias)", 0.5],
    ]
    assert sum(float(str(part)) for _, part in found) == pytest.approx(model.logits(rows)[0, 1], abs=1e-3)
    assert short == [["好", 1], ["(bias)", 0.5]]


def test_linear_models_that_know_no_n_gram_add_nothing() -> None:
    empty, zeros = np.empty(0, np.float32), np.zeros(2, np.float32)
    ngrams = TokenNgrams(np.empty(0, np.int64), empty, np.empty((0, 2), np.float32), zeros)
    model = Pool(FoldedModel([member()]), {"tokens": ngrams}, [1.0, 1.0])
    assert told(model, [1, 0, 0]) == told(Pool(FoldedModel([member()]), {}, [1.0]), [1, 0, 0])


def test_only_the_greatest_are_named_and_the_others_are_added_up() -> None:
    ids, silent = list(range(2, 11)), member()
    silent = replace(silent, table=np.zeros((11, 3), np.float32))
    weights = np.arange(18, dtype=np.float32).reshape(9, 2)
    ngrams = TokenNgrams(np.array(ids), np.ones(9, np.float32), weights, np.zeros(2, np.float32))
    model = Pool(FoldedModel([silent]), {"tokens": ngrams}, [0.0, 3.0])
    tokens, logits, labels = [[f"w{i}" for i in range(9)]], np.zeros((1, 2), np.float32), np.array([1])
    found = json.loads(evidence(model, Sequences.from_rows([ids]), tokens, logits, labels)[0])
    # Of nine words' contributions, (2 i + 1) * 3 / sqrt(9) each, the last five are the greatest.
    assert found[:5] == [[f"w{i}", 2 * i + 1] for i in (8, 7, 6, 5, 4)]
    assert found[5] == ["(others)", 1 + 3 + 5 + 7]
    assert found[6] == ["(bias)", -81]


def test_a_model_that_is_not_folded_has_none() -> None:
    with pytest.raises(InputError, match="evidence needs a folded model"):
        evidence(object(), ROWS, PIECES, np.zeros((3, 2), np.float32), np.zeros(3, np.int64))
    with pytest.raises(InputError, match="evidence needs a folded model"):
        evidence(
            Pool(Brightness(), {}, [1.0]), ROWS, PIECES, np.zeros((3, 2), np.float32), np.zeros(3, np.int64)
        )
