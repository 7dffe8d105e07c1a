"""A word's n-grams of characters, by hand; its row of the table; and the model's view of the features."""

from __future__ import annotations

import gc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.inputs import Sequences, UnseenWords
from pipeline.linear.character_ngrams import CharacterFeatures, CharacterNgrams, rows_of
from pipeline.linear.kernels import hash_table, ngram_keys
from pipeline.linear.token_ngrams import TokenNgrams
from pipeline.options import Tokenize
from pipeline.text.encoder import TextEncoder

VOCABULARY = ["aa", "ab"]  # ids 2 and 3


def key(text: str) -> int:
    """The key of an n-gram of two to four characters that begins a word, with the blank before it."""
    letters = np.array([ord(letter) for letter in text[1:]], np.int32)
    return int(ngram_keys(letters, np.array([0, len(letters)]))[0][len(text) - 2])


def by_hand() -> CharacterNgrams:
    """The n-grams " a" and " ab", with idf 1 and 2, for two classes."""
    order = np.argsort([key(" a"), key(" ab")])
    keys = np.array([key(" a"), key(" ab")])[order]
    idf = np.array([1, 2], np.float32)[order]
    weights = np.array([[0, 3], [1, 5]], np.float32)[order]
    table = rows_of(["", "", *VOCABULARY], hash_table(keys), idf, weights)
    table[:2] = 0
    return CharacterNgrams(keys, idf, weights, np.array([0, 1], np.float32), table)


def texts(rows: list[list[str]], vocabulary: list[str] = VOCABULARY) -> Sequences:
    """Rows of words, those outside the vocabulary among them."""
    unseen, offsets = UnseenWords(), np.cumsum([0, *map(len, rows)])
    numbers = [
        2 + vocabulary.index(word) if word in vocabulary else 2 + len(vocabulary) + unseen.add(word)
        for row in rows
        for word in row
    ]
    words = np.array(numbers, np.int32)
    return Sequences(np.where(words < 2 + len(vocabulary), words, 1).astype(np.int32), offsets, words, unseen)


def test_the_table_holds_what_each_word_adds_and_its_squared_length() -> None:
    # aa has " a" alone; ab has " a" and " ab", of weights 1 * (0, 3) and 2 * (1, 5).
    assert by_hand().table.tolist() == [[0, 0, 0], [0, 0, 0], [0, 3, 1], [2, 13, 5]]


def test_logits_are_those_computed_by_hand() -> None:
    logits = by_hand().logits(texts([["aa"], ["ab", "aa"], ["aa"] * 4, [], ["zz"], ["zz", "abc"]]))
    expected = [
        [0, 3 + 1],
        [2 / np.sqrt(6), 16 / np.sqrt(6) + 1],
        [0, 12 / 2 + 1],
        [0, 1],
        [0, 1],
        [2 / np.sqrt(5), 13 / np.sqrt(5) + 1],  # abc, outside the vocabulary, has " a" and " ab"
    ]
    np.testing.assert_allclose(logits, expected, rtol=1e-6)
    assert by_hand().predict(texts([["aa"], []])).tolist() == [1, 1]


def test_an_n_gram_that_occurs_twice_in_a_word_counts_twice() -> None:
    """Of idf 3 and a weight of 5, twice is 2 * 3 * 5, and (2 * 3)^2 long."""
    slots, idf = hash_table(np.array([key(" a")])), np.array([3], np.float32)
    assert rows_of([" a"], slots, idf, np.full((1, 1), 5, np.float32)).tolist() == [[15, 9]]
    assert rows_of(["a a"], slots, idf, np.full((1, 1), 5, np.float32)).tolist() == [[30, 36]]


@given(st.text(max_size=9))
def test_a_word_outside_the_vocabulary_has_the_row_that_it_would_have_in_it(word: str) -> None:
    rows = [["good", "film"], ["a", "good", "day"], ["bad", "film"]]
    training = texts(rows, ["good", "film"])
    features = CharacterFeatures(training, ["good", "film"])
    random = np.random.default_rng(1)
    weights = random.normal(size=(len(features.keys), 3)).astype(np.float32)
    model = features.model(weights, np.zeros(3, np.float32))
    # A word of the vocabulary that no row has changes no feature.
    more = CharacterFeatures(texts(rows, ["good", "film", word]), ["good", "film", word])
    table = more.model(weights, model.bias).table
    unseen = texts([[word]], ["good", "film"])
    np.testing.assert_array_equal(model.rows(unseen)[0], table[-1])


def rows_by_numpy(rows: list[list[str]]) -> tuple[list[str], np.ndarray]:
    """The n-grams of two rows or more, and the rows' features by their definition."""

    def ngrams(word: str) -> list[str]:
        padded = f" {word} "
        return [padded[i : i + n] for n in range(2, 6) for i in range(len(padded) - n + 1)]

    counts = [[Counter(ngrams(word)) for word in row] for row in rows]
    holding = Counter(text for row in counts for text in set().union(*row, []))
    names = sorted(text for text, number in holding.items() if number >= 2)
    idf = np.array([np.log((1 + len(rows)) / (1 + holding[name])) + 1 for name in names])
    matrix = np.zeros((len(rows), len(names)))
    for number, row in enumerate(counts):
        words = [np.array([word[name] for name in names]) * idf for word in row]
        squares = sum(float(word @ word) for word in words)
        matrix[number] = sum(words, np.zeros(len(names))) / (np.sqrt(squares) or 1)
    return names, matrix


ROWS = [["aab", "ab", "aab"], ["ab", "zz"], [], ["éab", "ba"], ["aab"], ["x"]]


def test_the_features_are_those_of_their_definition() -> None:
    features = CharacterFeatures(texts(ROWS), VOCABULARY)
    names, matrix = rows_by_numpy(ROWS)
    assert len(features.keys) == len(names) and (np.diff(features.keys) > 0).all()
    # The columns are in the order of hashes: both are sorted by what they hold.
    ours = np.array(sorted(features.matrix.toarray().T.tolist()))
    np.testing.assert_allclose(ours, np.array(sorted(matrix.T.tolist())), atol=1e-6)


words_of = st.text("abé", min_size=1, max_size=6)


@given(st.lists(st.lists(words_of, max_size=5), min_size=1, max_size=6), st.lists(words_of, unique=True))
def test_the_matrix_is_the_models_view_of_the_training_rows(rows: list[list[str]], known: list[str]) -> None:
    training = texts(rows, known)
    features = CharacterFeatures(training, known)
    random = np.random.default_rng(1)
    weights, bias = random.normal(size=(len(features.keys), 3)), random.normal(size=3)
    model = features.model(weights.astype(np.float32), bias.astype(np.float32))
    assert features.matrix.dtype == np.float32
    expected = features.matrix @ model.weights + model.bias
    np.testing.assert_allclose(model.logits(training), expected, rtol=1e-4, atol=1e-4)


def test_of_too_many_n_grams_those_in_most_rows_are_kept() -> None:
    rows = texts([["ba"], ["ab", "ba"], ["ab"], ["ab"]])
    of_ab = CharacterFeatures(texts([["ab"], ["ab"]]), VOCABULARY).keys.tolist()
    assert len(CharacterFeatures(rows, VOCABULARY).keys) == 12
    few = CharacterFeatures(rows, VOCABULARY, 6)
    assert few.keys.tolist() == of_ab and few.matrix.shape == (4, 6)


def test_n_grams_of_a_single_row_are_left_out_unless_there_are_no_others() -> None:
    shared = CharacterFeatures(texts([["ab"], ["ab"], ["xyz"]]), VOCABULARY)
    assert len(shared.keys) == 6
    assert len(CharacterFeatures(texts([["ab"], ["xyz"]]), VOCABULARY).keys) == 6 + 10
    nothing = CharacterFeatures(texts([[], []]), VOCABULARY)
    assert nothing.matrix.shape == (2, 0)
    model = nothing.model(np.empty((0, 2), np.float32), np.array([1, 2], np.float32))
    assert model.logits(texts([[], ["ab", "zz"]])).tolist() == [[1, 2], [1, 2]]


@pytest.mark.parametrize("unseen", ["similar", "unknown"])
def test_texts_have_the_same_logits_whether_the_encoder_knows_their_words_or_not(unseen: str) -> None:
    many = TextEncoder(["good", "film", "bad"], Tokenize(unit="word", unseen=unseen))
    few = TextEncoder(["good"], Tokenize(unit="word", unseen=unseen))
    lines = ["good film", "bad film", "a film", "good good bad"]
    models = []
    for encoder in (many, few):
        features = CharacterFeatures(encoder.encode(lines), encoder.words)
        weights = np.random.default_rng(1).normal(size=(len(features.keys), 2)).astype(np.float32)
        models.append(features.model(weights, np.zeros(2, np.float32)))
    assert models[0].keys.tolist() == models[1].keys.tolist()
    new = [*lines, "goodish", "", "badly filmed"]
    np.testing.assert_array_equal(
        *(m.logits(e.encode(new)) for m, e in zip(models, (many, few), strict=True))
    )


def test_a_row_has_the_same_bits_whatever_stands_beside_it() -> None:
    rows = [["aa", "abc"], ["zz"], ["ab", "ab", "a"], []]
    together = by_hand().logits(texts(rows))
    np.testing.assert_array_equal(together, np.concatenate([by_hand().logits(texts([row])) for row in rows]))


def test_rows_of_unseen_words_are_computed_once_and_only_where_they_occur(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, unseen, computed = by_hand(), UnseenWords(["abc"]), list[str]()

    def noted(words: list[str], *arrays: np.ndarray) -> np.ndarray:
        computed.extend(words)
        return rows_of(words, *arrays)

    def rows(*places: int, of: UnseenWords = unseen) -> list[list[float]]:
        words = np.array(places, np.int32) + len(model.table)
        sequences = Sequences(np.ones_like(words), np.array([0, len(words)]), words, of)
        found: list[list[float]] = model.rows(sequences).tolist()
        return found

    monkeypatch.setattr("pipeline.linear.character_ngrams.rows_of", noted)
    assert rows(0) == [[2, 13, 5]]
    for word in ("never", "a"):
        unseen.add(word)
    for _ in range(2):
        assert rows(2, 0) == [[0, 3, 1], [2, 13, 5]]
    assert computed == ["abc", "a"]
    assert rows(0, of=UnseenWords(["a"])) == [[0, 3, 1]]  # others have their own
    del unseen, rows
    gc.collect()
    assert len(model._caches) == 0


def test_rows_of_unseen_words_take_bounded_memory_whatever_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, words = by_hand(), [f"ab{number}" for number in range(40)]
    monkeypatch.setattr("pipeline.linear.character_ngrams.CACHE_BYTES", 10 * 3 * 4)  # ten rows of three
    encoder = TextEncoder(VOCABULARY, Tokenize(unit="word"))
    for start in (0, 4, 7, 0, 20, 36):
        block = [" ".join(words[start : start + 4])]
        np.testing.assert_array_equal(
            model.logits(encoder.encode(block)), by_hand().logits(texts([words[start : start + 4]]))
        )
        (cache,) = model._caches.values()
        assert np.count_nonzero(cache.values.any(axis=1)) <= 10
    many = [" ".join(words)]  # more than are kept
    np.testing.assert_array_equal(model.logits(encoder.encode(many)), by_hand().logits(texts([words])))


def test_of_a_word_of_thousands_of_letters_the_beginning_counts() -> None:
    letters = np.array([*b"ab"], np.int32)
    keys = np.unique(ngram_keys(letters, np.array([0, 2]))[0])  # of " a", "b " and others
    arrays = hash_table(keys), np.ones(len(keys), np.float32), np.ones((len(keys), 1), np.float32)
    long, cut = rows_of(["ab" * 10_000, "ab" * 500], *arrays)
    assert long.tolist() == cut.tolist() and long.any()


def test_keys_that_collide_are_refused() -> None:
    # Multiplied by the hash's factor they have equal upper halves, as its inverse undoes it.
    inverse = pow(0x9E3779B97F4A7C15, -1, 2**64)
    keys = np.sort(np.array([n * inverse % 2**64 for n in range(20_000)], np.uint64).astype(np.int64))
    zeros = np.zeros((len(keys), 1), np.float32)
    with pytest.raises(InputError, match="keys collide"):
        TokenNgrams(keys, zeros[:, 0], zeros, np.zeros(1, np.float32))


def test_threads_share_rows_of_unseen_words_that_grow_meanwhile() -> None:
    random = np.random.default_rng(1)
    features = CharacterFeatures(texts([["aab"], ["aab", "ba"], ["ba"]]), VOCABULARY)
    weights = random.normal(size=(len(features.keys), 3)).astype(np.float32)
    model = features.model(weights, np.zeros(3, np.float32))
    encoder = TextEncoder(VOCABULARY, Tokenize(unit="word"))
    blocks = [[f"aab{i} ba{i % 7}aab", f"b{i % 50}a ba"] for i in random.integers(0, 500, 200)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda block: model.logits(encoder.encode(block)), blocks))
    fresh = features.model(weights, np.zeros(3, np.float32))
    for block, logits in zip(blocks, found, strict=True):
        alone = TextEncoder(VOCABULARY, Tokenize(unit="word")).encode(block)
        np.testing.assert_array_equal(logits, fresh.logits(alone))


def test_its_arrays_give_the_model_again() -> None:
    again, rows = CharacterNgrams.from_arrays(by_hand().arrays()), texts([["aa", "abc"], []])
    np.testing.assert_array_equal(again.logits(rows), by_hand().logits(rows))
    assert again.classes == 2


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("keys", np.array([2, 2]), "keys do not rise"),
        ("keys", np.array([2, 3, 4]), "idf is"),
        ("idf", np.array([1, np.inf], np.float32), "idf holds"),
        ("weights", np.ones((2, 3), np.float32), "weights is"),
        ("bias", np.ones(3, np.float32), "weights is"),
        ("bias", np.ones(2), "bias is float64"),
        ("table", np.ones((4, 2), np.float32), "table is"),
        ("table", np.ones((4, 3)), "table is float64"),
        ("table", np.ones(3, np.float32), "table is"),
        ("table", np.asfortranarray(np.ones((4, 3), np.float32)), "table does not lie in memory"),
        ("table", np.full((4, 3), np.nan, np.float32), "table holds NaN"),
    ],
)
def test_arrays_that_do_not_fit_one_another_are_refused(name: str, array: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(by_hand(), **{name: array})
