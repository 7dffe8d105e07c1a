"""Vectors of words that a file lacks, mapped from subword vectors."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from pipeline.inputs import Sequences
from pipeline.vectors.learned_vectors import learn_subwords
from pipeline.vectors.matrix import Matrix
from pipeline.vectors.missing_vectors import MIN_WORDS, Filling, fill_missing, fit_map

ROOT = Path(__file__).resolve().parents[2]


def normal(rows: int, dimensions: int, seed: int = 0) -> Matrix:
    return np.random.default_rng(seed).normal(0, 0.4, (rows, dimensions)).astype(np.float32)


def linear_pair(words: int, seed: int = 0) -> tuple[Matrix, Matrix]:
    """Subword vectors, and pretrained ones that are 3 * them, rotated by a quarter turn, + (5, 0)."""
    subwords = normal(words + 2, 2, seed)
    subwords[:2] = 0
    pretrained = 3 * subwords @ np.array([[0, 1], [-1, 0]], np.float32) + np.array([5, 0], np.float32)
    return subwords, pretrained


def test_a_linear_map_is_recovered_exactly() -> None:
    subwords, pretrained = linear_pair(500)
    linear, fit = fit_map(subwords[2:], pretrained[2:], seed=1)
    # (1, 2) -> 3 * (-2, 1) + (5, 0)
    np.testing.assert_allclose(linear(np.array([[1, 2], [0, 0]], np.float32)), [[-1, 3], [5, 0]], atol=0.02)
    assert fit.explained == pytest.approx(1, abs=1e-4) and fit.cosine == pytest.approx(1, abs=1e-4)


def test_missing_words_get_the_mapped_vectors_and_those_found_keep_theirs() -> None:
    subwords, truth = linear_pair(500)
    found = np.arange(500) % 5 > 0
    given = truth.copy()
    given[0], given[1] = 0, 7
    given[2:][~found] = normal(100, 2, seed=9)
    result, filling = fill_missing(given, found, subwords, seed=1)
    assert result.dtype == np.float32 and filling.how == "subwords"
    assert not result[0].any()
    np.testing.assert_array_equal(result[2:][found], truth[2:][found])
    np.testing.assert_allclose(result[2:][~found], truth[2:][~found], atol=0.02)
    assert given[1].tolist() == [7, 7]  # the matrix given is not written to


def test_the_unknown_word_is_the_mean_of_the_rarest_tenth() -> None:
    subwords, truth = linear_pair(500)
    result, _ = fill_missing(truth, np.arange(500) % 5 > 0, subwords, seed=1)
    np.testing.assert_allclose(result[1], truth[-50:].mean(axis=0), atol=0.02)


def test_too_few_common_words_leave_the_vectors_as_they_are_and_it_says_so() -> None:
    subwords, truth = linear_pair(500)
    result, filling = fill_missing(truth, np.arange(500) < MIN_WORDS - 1, subwords, seed=1)
    np.testing.assert_array_equal(result, truth)
    assert filling.how == "uniform"
    assert filling.summary == "missing words: uniform (a map needs 100 words with a vector, here are 99)"
    assert fill_missing(truth, np.arange(500) < MIN_WORDS, subwords, seed=1)[1].how == "subwords"


@pytest.mark.parametrize("subwords", [normal(502, 20, seed=1), np.zeros((502, 20), np.float32)])
def test_subwords_that_tell_nothing_leave_the_vectors_as_they_are(subwords: Matrix) -> None:
    pretrained = normal(502, 30, seed=2)
    result, filling = fill_missing(pretrained, np.arange(500) < 250, subwords, seed=1)
    np.testing.assert_array_equal(result, pretrained)
    assert filling.summary == "missing words: uniform (subwords tell nothing of the vectors)"


def test_vectors_without_variance_and_words_that_are_all_found_do_no_harm() -> None:
    same, _ = fill_missing(np.ones((502, 3), np.float32), np.arange(500) < 250, normal(502, 4), seed=1)
    np.testing.assert_allclose(same, 1)
    subwords, truth = linear_pair(500)
    result, _ = fill_missing(truth, np.ones(500, np.bool_), subwords, seed=1)
    np.testing.assert_array_equal(result[2:], truth[2:])


def test_the_same_seed_gives_the_same_bits() -> None:
    subwords, pretrained = linear_pair(300)
    pretrained += normal(302, 2, seed=4)
    found = np.arange(300) < 200
    one, filling = fill_missing(pretrained, found, subwords, seed=1)
    other, again = fill_missing(pretrained, found, subwords, seed=1)
    np.testing.assert_array_equal(one, other)
    assert filling == again


def test_every_summary_fits_a_terminal() -> None:
    subwords, truth = linear_pair(300)
    _, mapped = fill_missing(truth, np.arange(300) < 200, subwords, seed=1)
    assert mapped.summary == "missing words: mapped from subwords (held-out words: cosine 1.00, R² 1.00)"
    assert Filling().summary == "missing words: uniform"
    assert len(f"  {mapped.summary}") <= 80


WORDS = ["the", "played", "playing", "player", "acted", "acting", "actor", "我", "a"]
ROWS = np.random.default_rng(0).integers(1, 10, (200, 8)).tolist()


def test_words_that_are_spelled_alike_have_like_subword_vectors() -> None:
    vectors = learn_subwords(Sequences.from_rows(ROWS), [*WORDS, "zzzzzz", "replayed"], seed=3)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    at = {word: unit[i + 2] for i, word in enumerate([*WORDS, "zzzzzz", "replayed"])}
    # `replayed` and `zzzzzz` stand in no sentence.
    assert at["replayed"] @ at["played"] > at["replayed"] @ at["acting"]
    assert at["replayed"] @ at["played"] > at["zzzzzz"] @ at["played"]


def learn_in_another_process(hash_seed: str) -> str:
    code = (
        "import sys; from hashlib import sha256; from pipeline.inputs import Sequences;"
        "from pipeline.vectors.learned_vectors import learn_subwords; rows, words = eval(sys.stdin.read());"
        "print(sha256(learn_subwords(Sequences.from_rows(rows), words, 7).tobytes()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=repr((ROWS, WORDS)),
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_subword_vectors_repeat_exactly_in_another_process_and_it_says_nothing() -> None:
    learned = learn_subwords(Sequences.from_rows(ROWS), WORDS, seed=7)
    assert learned.dtype == np.float32 and len(learned) == len(WORDS) + 2
    assert not learned[:2].any() and np.isfinite(learned).all() and learned[2:].any(axis=1).all()
    assert learn_in_another_process("1") == sha256(learned.tobytes()).hexdigest()
    assert not np.array_equal(learned, learn_subwords(Sequences.from_rows(ROWS), WORDS, seed=8))


def test_a_large_corpus_is_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.vectors.learned_vectors.MAX_SUBWORD_TOKENS", 100)
    learned = learn_subwords(Sequences.from_rows(ROWS), WORDS, seed=7)
    assert np.isfinite(learned).all() and learned[2:].any(axis=1).all()


@pytest.mark.parametrize("rows", [[], [[]], [[1, 1]], [[2]]])
def test_a_corpus_too_small_to_learn_from_still_gives_subword_vectors(rows: list[list[int]]) -> None:
    learned = learn_subwords(Sequences.from_rows(rows), ["one", "two"], seed=1)
    assert np.isfinite(learned).all() and learned[2:].any(axis=1).all()
