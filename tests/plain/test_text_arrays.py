"""The tree of n-grams by hand, and networks that cannot be taken apart."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.inputs import Sequences
from pipeline.linear.kernels import TRIPLE
from pipeline.linear.token_ngrams import TokenNgrams
from pipeline.networks.keras_network import KerasNetwork
from pipeline.plain.text_arrays import Branches, NgramTree, PlainText
from pipeline.prediction.pool import Pool
from tests.plain.cases import case
from tests.prediction.networks import network


def tokens_model(keys: list[int]) -> TokenNgrams:
    """Return a model whose n-gram i, from 1, has idf i, and weight 10 i for its only class."""
    numbers = np.arange(1, len(keys) + 1, dtype=np.float32)
    return TokenNgrams(np.array(keys, np.int64), numbers, 10 * numbers[:, None], np.zeros(1, np.float32))


def test_a_tree_has_pairs_below_their_first_token_and_triples_below_their_first_pair() -> None:
    pairs = [2 << 32 | 3, 2 << 32 | 4, 3 << 32 | 2]
    triples = [TRIPLE | 2 << 40 | 3 << 20 | 2, TRIPLE | 3 << 40 | 2 << 20 | 4]
    tree = NgramTree.of(tokens_model([2, 3, *pairs, *triples]), np.float32(0.5), vocabulary=5)
    singles, of_pairs, of_triples = (table.tolist() for table in tree.tables)
    # 0.5 * idf * weight = 5 i^2, and idf^2 = i^2, of n-grams 1 to 7.
    assert singles == [[0, 0], [0, 0], [5, 1], [20, 4], [0, 0]]
    assert of_pairs == [[0, 0], [45, 9], [80, 16], [125, 25]]
    assert of_triples == [[0, 0], [180, 36], [245, 49]]
    below_tokens, below_pairs = tree.branches
    assert (below_tokens.starts.tolist(), below_tokens.lasts.tolist()) == ([0, 0, 0, 2, 3, 3], [3, 4, 2])
    # Pairs are nodes 1 to 3: 2-3-2 is below the first, and 3-2-4 below the third.
    assert (below_pairs.starts.tolist(), below_pairs.lasts.tolist()) == ([0, 0, 1, 1, 2], [2, 4])


def test_a_model_without_pairs_has_branches_without_children() -> None:
    (branches,) = NgramTree.of(tokens_model([2, 3]), np.float32(1), vocabulary=5).branches
    assert not branches.starts.any() and branches.lasts.tolist() == [0] and branches.steps == []


@pytest.mark.parametrize(
    ("children", "steps"), [(0, []), (1, []), (2, [1]), (3, [2, 1]), (4, [2, 1]), (5, [4, 2, 1])]
)
def test_the_steps_of_the_search_reach_the_last_child(children: int, steps: list[int]) -> None:
    branches = Branches(np.array([0, children], np.int32), np.arange(max(1, children), dtype=np.int32))
    assert branches.steps == steps and sum(steps) >= children - 1


def test_a_run_of_three_tokens_without_its_pair_is_an_error() -> None:
    with pytest.raises(InputError, match="without their pairs"):
        NgramTree.of(tokens_model([2, TRIPLE | 2 << 40 | 3 << 20 | 2]), np.float32(1), vocabulary=5)


def test_a_boundary_becomes_as_many_zeros_as_the_longest_window_could_cross() -> None:
    rows = Sequences.from_rows([[2, 0, 3], [0], [], [4, 5]])
    spread = case("wide").plain.spread(rows)  # windows of 7
    assert spread.padded().tolist() == [[2, *[0] * 6, 3], [0] * 8, [0] * 8, [4, 5, *[0] * 6]]
    assert case("one channel").plain.spread(rows).padded().tolist()[0] == [2, 0, 3]


def test_a_network_of_another_architecture_is_refused_in_a_line() -> None:
    ids = keras.Input((None,), dtype="int32")
    averages = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(10, 4)(ids))
    other = keras.Model(ids, keras.layers.Dense(3)(averages), name="dense_tokens")
    with pytest.raises(InputError, match="dense_tokens cannot be exported"):
        PlainText.of(Pool(KerasNetwork(other), {}, [1.0]), other, 1.0)


def test_a_network_that_is_not_finite_is_refused() -> None:
    broken = network()
    broken.layers[-1].bias.assign([np.nan, 0, 0])
    with pytest.raises(InputError, match="not finite"):
        PlainText.of(Pool(KerasNetwork(broken), {}, [1.0]), broken, 1.0)
