"""TensorFlow's operations give a word the row that the linear model of characters gives it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.linear.character_ngrams import CharacterNgrams, rows_of
from pipeline.linear.kernels import hash_table
from pipeline.networks.backend import tf
from pipeline.plain.character_graph import CharacterGraph
from tests.plain.cases import WORDS
from tests.prediction.networks import linear_models

MODEL = linear_models(WORDS)["characters"]
assert isinstance(MODEL, CharacterNgrams)
GRAPH = CharacterGraph(MODEL, 0.5)


def expected(words: list[str]) -> np.ndarray:
    rows = rows_of(words, hash_table(MODEL.keys), MODEL.idf, MODEL.weights)
    rows[:, :-1] *= 0.5
    return rows


def test_words_have_their_rows() -> None:
    words = ["w2", "w3w3w3", "", "é电👍", "w4" * 700, "zzz"]
    rows = GRAPH.rows(tf.constant(words)).numpy()
    np.testing.assert_allclose(rows, expected(words), rtol=1e-5, atol=1e-5)
    assert rows[0].any() and not rows[2].any()


@settings(max_examples=20)
@given(st.lists(st.text("w2345é电", max_size=8), min_size=1, max_size=6))
def test_any_words_have_their_rows(words: list[str]) -> None:
    rows = GRAPH.rows(tf.constant(words)).numpy()
    np.testing.assert_allclose(rows, expected(words), rtol=1e-5, atol=1e-5)


def test_no_words_have_no_rows() -> None:
    assert GRAPH.rows(tf.constant([], tf.string)).shape == (0, 4)
