"""Vectors learned from the corpus, by either method."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.inputs import Sequences
from pipeline.vectors.learned_vectors import learn_vectors
from pipeline.vectors.matrix import Matrix
from pipeline.vectors.spectral_vectors import factorize

TOKENS = 12_000_000  # enough for all epochs
ROOT = Path(__file__).resolve().parents[2]
LEARNERS = (learn_vectors, factorize)
of_each = pytest.mark.parametrize("learn", LEARNERS)


def sentences(rows: int, words: int, seed: int = 0) -> Sequences:
    ids = np.random.default_rng(seed).integers(2, words + 2, (rows, 10))
    return Sequences.from_rows(ids.tolist())


def learn_in_another_process(learn: Callable[..., Matrix], rows: int, words: int) -> str:
    code = (
        "import sys; from hashlib import sha256; from pipeline.inputs import Sequences;"
        f"from {learn.__module__} import {learn.__name__} as learn;"
        "rows = Sequences.from_rows(eval(sys.stdin.read()));"
        f"print(sha256(learn(rows, {words}, 16, 12_000_000, seed=7).tobytes()).hexdigest())"
    )
    environment = os.environ | {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=str(sentences(rows, words).padded().tolist()),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def digest(matrix: NDArray[np.float32]) -> str:
    return sha256(matrix.tobytes()).hexdigest()


# As many words as make the matrices so large that more threads would add in another order.
@pytest.mark.parametrize(("learn", "rows", "words"), [(learn_vectors, 200, 30), (factorize, 4000, 2000)])
def test_learned_vectors_repeat_exactly_in_another_process_and_it_says_nothing(
    learn: Callable[..., Matrix], rows: int, words: int
) -> None:
    learned = learn(sentences(rows, words), words, 16, TOKENS, seed=7)
    assert learned.shape == (words + 2, 16) and learned.dtype == np.float32
    assert not learned[0].any() and np.isfinite(learned).all()
    assert learn_in_another_process(learn, rows, words) == digest(learned)
    assert digest(learn(sentences(rows, words), words, 16, TOKENS, seed=8)) != digest(learned)


def test_tokens_bound_the_epochs_of_which_there_is_one_at_least_and_twenty_at_most() -> None:
    """2,000 tokens: those that are enough for one epoch more give other vectors, the others the same."""
    texts = sentences(200, 30)
    by_tokens = {n: digest(learn_vectors(texts, 30, 16, n, seed=7)) for n in (1, 3999, 4000, 40_000, TOKENS)}
    assert by_tokens[1] == by_tokens[3999] != by_tokens[4000]
    assert by_tokens[4000] != by_tokens[40_000] == by_tokens[TOKENS]


@of_each
def test_words_of_like_use_get_like_vectors(learn: Callable[..., Matrix]) -> None:
    # 2 and 3 stand among 4 to 13; 14 and 15 among 16 to 25.
    rng = np.random.default_rng(0)
    rows = [
        [*context[:2], int(rng.choice([word, word + 1])), *context[2:]]
        for word, low in [(2, 4), (14, 16)]
        for context in rng.integers(low, low + 10, (1500, 4)).tolist()
    ]
    vectors = learn(Sequences.from_rows(rows), 24, 20, TOKENS, seed=1)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    assert unit[2] @ unit[3] > unit[2] @ unit[15] + 0.3
    assert unit[14] @ unit[15] > unit[14] @ unit[3] + 0.3


@of_each
def test_rare_words_have_the_variance_of_those_learned(learn: Callable[..., Matrix]) -> None:
    rows = [*sentences(400, 50).padded().tolist(), *([i, i] for i in range(52, 252)), [1, 1, 1, 1]]
    vectors = learn(Sequences.from_rows(rows), 250, 32, TOKENS, seed=1)
    assert vectors[52:].std() == pytest.approx(vectors[2:52].std(), rel=0.05)


@of_each
@pytest.mark.parametrize("rows", [[], [[]], [[2]], [[1, 1, 1, 1]], [[2, 2, 2]], [[2], [2], [2]]])
def test_a_corpus_too_small_to_learn_from_still_gives_vectors(
    learn: Callable[..., Matrix], rows: list[list[int]]
) -> None:
    vectors = learn(Sequences.from_rows(rows), 2, 8, TOKENS, seed=1)
    assert vectors.shape == (4, 8)
    assert np.isfinite(vectors).all() and not vectors[0].any() and vectors[1].any()
