"""Weighted logits of networks and linear models, by hand, and what of them is saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.folding.folded import ConvolutionShape, FoldedModel, FoldedNetwork
from pipeline.inputs import Images, Sequences, UnseenWords
from pipeline.linear.character_ngrams import CharacterNgrams
from pipeline.linear.members import LinearModel
from pipeline.linear.token_ngrams import TokenNgrams
from pipeline.options import Ngrams
from pipeline.prediction.pool import Pool, Rounding, linear_members, measure_rounding
from tests.prediction.handmade import Brightness
from tests.prediction.networks import ROWS, linear_models

WORDS = [f"w{number}" for number in range(2, 10)]


def folded(seed: int = 1, classes: int = 3) -> FoldedModel:
    """A network of random numbers for ten ids: two filters of one token and two of two."""
    random = np.random.default_rng(seed)
    table = random.normal(size=(10, 6)).astype(np.float32)
    table[0] = 0
    shape = ConvolutionShape(windows=[1, 2], filters=[2, 2], activation="relu")
    ones, zeros = np.ones(4, np.float32), np.zeros(4, np.float32)
    weights = random.normal(size=(classes, 4)).astype(np.float32)
    return FoldedModel([FoldedNetwork(shape, table, ones, zeros, weights, np.zeros(classes, np.float32))])


def by_hand() -> Pool:
    """For two classes: the network says 1 and 0 of token 2, tokens 0 and 2, characters 4 and 0."""
    table = np.array([[0], [0], [1]], np.float32)
    shape = ConvolutionShape(windows=[1], filters=[1], activation="linear")
    one, none, no_bias = np.ones(1, np.float32), np.empty(0, np.float32), np.zeros(2, np.float32)
    network = FoldedNetwork(
        shape, table, one, np.zeros(1, np.float32), np.array([[1], [0]], np.float32), no_bias
    )
    tokens = TokenNgrams(np.array([2]), one, np.array([[0, 2]], np.float32), no_bias)
    characters = CharacterNgrams(
        np.empty(0, np.int64),
        none,
        np.empty((0, 2), np.float32),
        no_bias,
        np.array([[0, 0, 0], [0, 0, 0], [4, 0, 1]], np.float32),
    )
    return Pool(FoldedModel([network]), {"tokens": tokens, "characters": characters}, [0.5, 3.0, 0.25])


def test_logits_are_weighted_and_added() -> None:
    logits = by_hand().logits(Sequences.from_rows([[2], []]))
    assert logits.tolist() == [[0.5 * 1 + 0.25 * 4, 3 * 2], [0, 0]]
    assert logits.dtype == np.float32


def test_each_member_is_told_with_its_weight_and_its_own_logits() -> None:
    told = [
        (name, weight, logits.tolist())
        for name, weight, logits in by_hand().opinions(Sequences.from_rows([[2]]))
    ]
    assert told == [("networks", 0.5, [[1, 0]]), ("tokens", 3, [[0, 2]]), ("characters", 0.25, [[4, 0]])]


def test_the_members_opinions_add_up_to_the_pools_logits() -> None:
    pool, rows = Pool(folded(), linear_models(WORDS), [0.7, 0.4, 0.3]), Sequences.from_rows(ROWS)
    total = sum(np.float32(weight) * logits for _, weight, logits in pool.opinions(rows))
    np.testing.assert_allclose(pool.logits(rows), total, rtol=1e-6)


def test_adding_linear_models_changes_no_logits_of_the_networks() -> None:
    pool, rows = by_hand(), Sequences.from_rows([[2]])
    before = pool.networks.logits(rows).tolist()
    pool.logits(rows)
    assert pool.networks.logits(rows).tolist() == before


def test_a_row_has_the_same_bits_whatever_stands_beside_it() -> None:
    pool = Pool(folded(), linear_models(WORDS), [0.7, 0.4, 0.3]).rounded()
    together = pool.logits(Sequences.from_rows(ROWS))
    alone = np.concatenate([pool.logits(Sequences.from_rows([row])) for row in ROWS])
    np.testing.assert_array_equal(together, alone)


def test_no_rows_have_no_logits() -> None:
    pool = Pool(folded(), linear_models(WORDS), [0.7, 0.4, 0.3])
    assert pool.logits(Sequences.from_rows([])).shape == (0, 3)


def test_networks_alone_may_be_of_images() -> None:
    images = Images.from_pixels(np.full((1, 2, 2, 1), 90, np.uint8))
    pool = Pool(Brightness(), {}, [2.0])
    assert pool.logits(images).tolist() == [[20, -20]]
    assert pool.rounded() is pool
    assert measure_rounding(pool, images) is None


def test_what_it_is_made_of_gives_it_again() -> None:
    pool = Pool(folded(), linear_models(WORDS), [0.7, 0.4, 0.3])
    linear, weights = linear_members(pool.arrays(), 3)
    assert weights == [0.7, 0.4, 0.3] and list(linear) == ["tokens", "characters"]
    unseen = UnseenWords(["w22", "zzz"])
    rows = Sequences(np.array([2, 1, 1], np.int32), np.array([0, 3]), np.array([2, 10, 11], np.int32), unseen)
    np.testing.assert_array_equal(Pool(pool.networks, linear, weights).logits(rows), pool.logits(rows))


@pytest.mark.parametrize("names", [[], ["tokens"], ["characters"]])
def test_fewer_members_are_kept_as_they_are(names: list[Ngrams]) -> None:
    models: dict[Ngrams, LinearModel] = linear_models(WORDS)
    pool = Pool(folded(), {name: models[name] for name in names}, [0.5] * (1 + len(names)))
    linear, weights = linear_members(pool.arrays(), 3)
    assert list(linear) == names and weights == [0.5] * (1 + len(names))


@pytest.mark.parametrize(
    ("change", "classes", "message"),
    [
        ({}, 4, "tokens are of 3 classes, expected 4, as labels"),
        ({"weights": np.array([1.0, 1.0])}, 3, "it has 2 weights, expected 3"),
        ({"weights": np.array([1.0, 1.0, np.nan])}, 3, "weights that are negative or not finite"),
        ({"weights": np.array([1.0, 1.0, 1.0], np.float32)}, 3, "weights is float32"),
        ({"tokens.keys": np.array([2, 2])}, 3, "idf is"),
    ],
)
def test_arrays_that_do_not_fit_one_another_are_refused(
    change: dict[str, Any], classes: int, message: str
) -> None:
    arrays = Pool(folded(), linear_models(WORDS), [0.7, 0.4, 0.3]).arrays()
    with pytest.raises(InputError, match=message):
        linear_members(arrays | change, classes)


def test_weights_that_do_not_fit_the_members_are_refused() -> None:
    models = linear_models(WORDS)
    for linear, weights in [
        ({}, []),
        ({}, [0.5, 0.5]),
        (models, [1.0]),
        (models, [0.5, 0.5]),
        (models, [0.5, -1.0, 0.5]),
        (models, [0.5, 0.5, np.nan]),
        (models, [0.5, 0.5, 1e300]),
    ]:
        with pytest.raises(InputError, match="weights"):
            Pool(folded(), linear, weights)


def test_rounding_is_measured_with_the_linear_models() -> None:
    pool, rows = Pool(folded(), linear_models(WORDS), [0.7, 0.4, 0.3]), Sequences.from_rows(ROWS)
    found = measure_rounding(pool, rows)
    assert found is not None
    assert found.exact_bytes == 2 * found.rounded_bytes
    difference = np.abs(pool.networks.logits(rows) - pool.rounded().networks.logits(rows)).max()
    assert found.largest_error == pytest.approx(0.7 * difference, rel=0.05)
    assert 0 < found.largest_error < 0.01
    assert found.same_labels == 1
    assert Rounding(2_000_000, 1_000_000, 0.0004, 0.9995).summary == (
        "folded to 1.0 MB (float32: 2.0), logits within 0.0004, 99.95% same labels"
    )


def test_members_in_another_order_keep_their_weights() -> None:
    whole = by_hand()
    turned = Pool(
        whole.networks,
        {name: whole.linear[name] for name in ("characters", "tokens")},
        [whole.weights[0], whole.weights[2], whole.weights[1]],
    )
    linear, weights = linear_members(turned.arrays(), 2)
    assert list(linear) == ["tokens", "characters"] and weights == list(whole.weights)
