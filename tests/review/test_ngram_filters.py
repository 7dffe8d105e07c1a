"""What is said of a network's filters, by hand: every weight below is set, none is learned."""

from __future__ import annotations

import tracemalloc

import keras
import numpy as np
import pytest

from pipeline.folding.fold_network import fold_network
from pipeline.inputs import Sequences
from pipeline.models.kim_cnn import Options, build
from pipeline.options import Tokenize
from pipeline.review import ngram_filters
from pipeline.review.ngram_filters import BLOCK_ROWS, Ngram, Window, read_filters, strongest_windows
from pipeline.text.encoder import TextEncoder

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
WORDS = ["the", "film", "good", "awful", "not"]  # ids 2 to 6
VALUES = np.array([[0], [0], [0], [1], [3], [-4], [-2]], np.float32)  # a word is one number
TEXTS = ["the good film", "awful film", "not good", "good good film", "", "the film"]
ENCODER = TextEncoder(WORDS, Tokenize(unit="word", unseen="unknown"))


def network(windows: list[int], weights: list[list[float]], **options) -> keras.Model:
    """One filter a window and bank, all ones, over `VALUES`; `weights` [features, classes] weigh them."""
    made = build(Options(windows=windows, filters=1, max_norm=None, **options), VALUES, len(weights[0]))
    convolution = made.get_layer("convolution")
    for bank in convolution.banks:
        bank.assign(np.ones(bank.shape))
    made.get_layer("logits").kernel.assign(weights)
    return made


def filters(made: keras.Model, labels: list[str]) -> list:
    return filters_of(made, ENCODER, TEXTS, labels)


def filters_of(made: keras.Model, encoder: TextEncoder, texts: list[str], labels: list[str]) -> list:
    folded = fold_network(made)
    assert folded
    return read_filters(folded, encoder.encode(texts), texts, encoder, labels)


def test_no_n_gram_crosses_the_boundary_between_two_texts() -> None:
    texts = ["good\x1fgood the", "\x1fgood", "\x1f"]
    made = network([2], [[2, -2]], channels=["static"])
    (found,) = filters_of(made, ENCODER, texts, ["pos", "neg"])
    assert found.ngrams in ([Ngram("good ·", 3), Ngram("· good", 3)], [Ngram("· good", 3)])


def test_n_grams_of_a_script_without_spaces_are_shown_as_in_the_text() -> None:
    words = ["\u7684", "\u5f71", "\u597d", "\u5dee", "\u4e0d"]
    encoder, texts = TextEncoder(words, Tokenize(unit="character")), ["\u597d\u597d\u5f71", "\u4e0d \u597d"]
    made = network([3], [[2, -2]], channels=["static"])
    (found,) = filters_of(made, encoder, texts, ["pos", "neg"])
    assert found.ngrams == [Ngram("\u597d\u597d\u5f71", 7), Ngram("\u597d \u00b7 \u00b7", 3)]


def test_a_filters_strongest_n_grams_are_the_windows_with_the_largest_sums_each_once() -> None:
    made = network([2], [[2, -2]], channels=["static"])
    (found,) = filters(made, ["pos", "neg"])
    assert found.ngrams == [
        Ngram("good good", 6),
        Ngram("good film", 4),
        Ngram("good ·", 3),  # "not good" has it, where "not good" itself comes to 1
        Ngram("film ·", 1),  # "awful film" has it
    ]
    assert (found.size, found.label, found.weight, found.push) == (2, "pos", 2, 12)


def test_a_filter_speaks_for_the_class_whose_weight_is_furthest_above_the_mean() -> None:
    made = network([1, 2], [[1, 5, 3], [0, 0, -6]], channels=["static"])
    one, two = filters(made, ["a", "b", "c"])
    assert (one.feature, one.size, one.label, one.weight, one.push) == (0, 1, "b", 2, 2 * 3)
    assert (two.feature, two.size, two.label, two.weight, two.push) == (1, 2, "a", 2, 2 * 6)


@pytest.mark.parametrize(
    ("weights", "second"),
    [
        ([4.0, -6.0, 2.0], ""),  # the mean is 0: 2 of 4 is a half
        ([4.0, -6.8, 2.8], ""),  # 70 % to the point
        ([4.0, -7.0, 3.0], "c"),
        ([7.0, -1.0, 3.0], ""),  # 4 and 0 above the mean of 3
        ([0.0, 0.0, 0.0], ""),  # it speaks for none
    ],
)
def test_a_second_class_is_named_where_its_weight_is_above_70_percent_of_the_firsts(
    weights: list[float], second: str
) -> None:
    (found,) = filters(network([1], [weights], channels=["static"]), ["a", "b", "c"])
    assert found.second == second


def test_a_filter_that_nothing_fires_has_no_n_grams() -> None:
    made = network([1], [[1, 0]], channels=["static"])
    made.get_layer("convolution").bias.assign([-3.0])  # "good" comes to 0, which ReLU lets not through
    (found,) = filters(made, ["a", "b"])
    assert found.ngrams == [] and found.push == 0


def test_without_relu_sums_below_zero_count_too_and_the_value_is_the_activations() -> None:
    made = network([1], [[1, 0]], channels=["static"], activation="tanh")
    (found,) = filters_of(made, ENCODER, ["awful", "not"], ["a", "b"])
    assert [ngram.text for ngram in found.ngrams] == ["not", "awful"]
    assert [ngram.value for ngram in found.ngrams] == pytest.approx(np.tanh([-2, -4]))


def test_the_channels_products_are_added_or_stand_side_by_side() -> None:
    for combination in ("shared", "separate"):
        (found,) = filters(network([1], [[1, 0]], combination=combination), ["a", "b"])
        assert found.ngrams == [Ngram("good", 6), Ngram("film", 2)]
    made = network([1, 2], [[1, 0]] * 2 + [[0, 1]] * 2, combination="concatenated")
    made.get_layer("convolution").tables[1].assign(-VALUES)
    static1, static2, tuned1, tuned2 = filters(made, ["a", "b"])
    assert static1.ngrams == [Ngram("good", 3), Ngram("film", 1)] and static1.label == "a"
    assert tuned1.ngrams[0] == Ngram("awful", 4) and tuned1.label == "b"
    assert [one.size for one in (static1, static2, tuned1, tuned2)] == [1, 2, 1, 2]


def test_words_outside_the_vocabulary_are_shown_as_they_stand_in_the_text() -> None:
    encoder = TextEncoder(WORDS, Tokenize(unit="word"))
    texts = ["an awfully good film"]
    made = network([3], [[1, 0]], channels=["static"])
    (found,) = filters_of(made, encoder, texts, ["a", "b"])
    assert found.ngrams == [Ngram("good film ·", 4)]


@pytest.mark.parametrize("combination", ["shared", "separate", "concatenated"])
def test_the_totals_are_those_that_the_layer_comes_to(combination: str) -> None:
    options = {"combination": combination, "windows": [2, 3], "filters": [2, 3], "activation": "linear"}
    random = np.random.default_rng(1)
    made = build(Options(max_norm=None, **options), random.normal(size=(30, 4)).astype(np.float32), 2)
    layer = made.get_layer("convolution")
    for weight in [*layer.banks, layer.bias]:
        weight.assign(random.normal(size=weight.shape))
    texts = Sequences.from_rows(random.integers(1, 30, (50, 7)).tolist())
    highest = [windows[0].total for windows in strongest_windows(fold_network(made), texts)]
    np.testing.assert_allclose(highest, np.array(layer(texts.padded())).max(axis=0), rtol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_whatever_the_blocks_the_windows_are_those_of_a_search_through_all_rows(
    activation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = network([1, 2], [[1, 0], [0, 1]], channels=["static"], activation=activation)
    folded = fold_network(made)
    rows = np.random.default_rng(1).integers(0, 7, (40, 5)).tolist()
    texts = Sequences.from_rows([*rows, [], [0, 0]])
    sums = set()  # the greatest of each row
    for row in rows:
        values = [0.0, *VALUES[row, 0].tolist(), 0.0]
        begins = [t for t in range(len(row) + 1) if any(row[max(0, t - 1) : t + 1])]
        if begins:
            sums.add(max(values[t] + values[t + 1] for t in begins))
    expected = sorted((total for total in sums if activation == "linear" or total > 0), reverse=True)[:3]
    for block in (1, 7, 4096):
        monkeypatch.setattr(ngram_filters, "BLOCK_ROWS", block)
        found = strongest_windows(folded, texts, count=3)[1]
        assert [window.total for window in found] == expected


def test_many_rows_need_no_more_memory_than_a_block_and_what_is_kept() -> None:
    table = np.random.default_rng(1).normal(size=(1000, 4)).astype(np.float32)
    folded = fold_network(build(Options(windows=[3, 4], filters=20), table, 2))

    def peak(rows: int) -> int:
        texts = Sequences.from_rows(np.random.default_rng(1).integers(1, 1000, (rows, 20)).tolist())
        tracemalloc.start()
        found = strongest_windows(folded, texts, count=3)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert all(len(windows) <= 3 for windows in found) and isinstance(found[0][0], Window)
        return size

    peak(10)  # what the first call alone allocates
    few, many = peak(BLOCK_ROWS), peak(5 * BLOCK_ROWS)
    assert many < 1.2 * few
