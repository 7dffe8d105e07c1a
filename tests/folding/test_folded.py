"""The folded form: sums of windows, maxima and 16 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.folding.fold_network import fold_networks
from pipeline.folding.folded import (
    ConvolutionShape,
    FoldedModel,
    FoldedNetwork,
)
from pipeline.inputs import PADDING, Sequences
from tests.prediction.networks import ROWS, network

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")


def folded_network(table: np.ndarray, windows: list[int], **changes: Any) -> FoldedNetwork:
    """One filter for each window; the logits are the features themselves."""
    n = len(windows)
    shape = ConvolutionShape(windows=windows, filters=[1] * n, activation=changes.get("activation", "linear"))
    ones, zeros = np.ones(n, np.float32), np.zeros(n, np.float32)
    return FoldedNetwork(shape, table, ones, changes.get("bias", zeros), np.eye(n, dtype=np.float32), zeros)


def test_windows_are_added_up_by_hand() -> None:
    # Ids 2 and 3: at window 2's first offset 20 and 30, at its last 200 and 300; at window 1's 1 and -5.
    table = np.array([[0, 0, 0], [0, 0, 0], [20, 200, 1], [30, 300, -5]], np.float32)
    one = folded_network(table, [2, 1])
    assert one.features(Sequences.from_rows([[2, 3], [3, 2], [3], [2], []])).tolist() == [
        [320, 1],  # 20 + 300
        [300, 1],
        [300, -5],
        [200, 1],
        [0, 0],
    ]


def test_a_maximum_below_zero_is_kept_for_the_activation() -> None:
    table = np.array([[0], [0], [-2]], np.float32)
    rows = Sequences.from_rows([[2]])
    assert folded_network(table, [1]).logits(rows).tolist() == [[-2]]
    assert folded_network(table, [1], activation="relu").logits(rows).tolist() == [[0]]
    assert folded_network(table, [1], activation="tanh").logits(rows)[0, 0] == pytest.approx(np.tanh(-2))
    assert folded_network(table, [1], bias=np.array([3], np.float32)).logits(rows).tolist() == [[1]]


@given(st.integers(0, 2**32 - 1), st.sampled_from([[1], [2], [5], [3, 2, 1], [4, 2, 2]]))
def test_sixteen_bits_keep_every_feature_within_the_stated_bound(seed: int, windows: list[int]) -> None:
    random = np.random.default_rng(seed)
    scale = 10.0 ** random.integers(-3, 4)
    table = (scale * random.normal(size=(12, sum(windows)))).astype(np.float32)
    table[PADDING] = 0
    exact = folded_network(table, windows)
    rounded = exact.rounded()
    assert rounded.table.dtype == np.int16
    rows = Sequences.from_rows([random.integers(1, 12, random.integers(0, 9)).tolist() for _ in range(20)])
    difference = np.abs(exact.features(rows) - rounded.features(rows))
    # A sum of 32767 steps, as a float32 of 24 bits, is itself rounded by up to 1 % of half a step.
    assert (difference <= rounded.bound * 1.02).all()


def test_the_greatest_sums_do_not_overflow_sixteen_bits() -> None:
    table = np.array([[0, 0, 0]] * 2 + [[7.5, 7.5, 7.5], [-7.5, -7.5, -7.5]], np.float32)
    rounded = folded_network(table, [3]).rounded()
    rows = Sequences.from_rows([[2, 2, 2], [3, 3, 3, 3, 3]])
    np.testing.assert_allclose(rounded.features(rows), [[22.5], [-7.5]], rtol=1e-3)


def test_a_filter_that_is_zero_everywhere_is_rounded_to_zero() -> None:
    rounded = folded_network(np.zeros((3, 2), np.float32), [2]).rounded()
    assert rounded.features(Sequences.from_rows([[2, 2]])).tolist() == [[0]]


def test_a_row_has_the_same_bits_whatever_stands_beside_it() -> None:
    folded = fold_networks([network(1), network(2)])
    assert folded is not None
    together = folded.rounded().logits(Sequences.from_rows(ROWS))
    alone = np.concatenate([folded.rounded().logits(Sequences.from_rows([row])) for row in ROWS])
    np.testing.assert_array_equal(together, alone)


def test_what_it_is_made_of_gives_it_again() -> None:
    folded = fold_networks([network(1), network(2)])
    assert folded is not None
    rounded, rows = folded.rounded(), Sequences.from_rows(ROWS)
    tables, scales = zip(*((one.table, one.scale) for one in rounded.members), strict=True)
    again = FoldedModel.from_arrays(rounded.shapes, tables, scales, folded.arrays())
    np.testing.assert_array_equal(again.logits(rows), rounded.logits(rows))


def test_no_rows_have_no_logits() -> None:
    folded = fold_networks([network()])
    assert folded is not None
    assert folded.logits(Sequences.from_rows([])).shape == (0, 3)


def test_the_logits_of_networks_are_averaged() -> None:
    # Ids 2 and 3 have a logit of 1 and 3 by one network, and of 5 and -3 by the other.
    networks = [
        folded_network(np.array([[0], [0], values[:1], values[1:]], np.float32), [1])
        for values in ([1, 3], [5, -3])
    ]
    rows = Sequences.from_rows([[2], [3], []])
    assert FoldedModel(networks).logits(rows).tolist() == [[3], [0], [0]]
    assert FoldedModel(networks[:1]).logits(rows).tolist() == [[1], [3], [0]]
    assert networks[0].logits(rows).tolist() == [[1], [3], [0]]


def test_the_bytes_are_those_of_the_tables() -> None:
    folded = fold_networks([network(1), network(2)])
    assert folded is not None
    assert folded.bytes == 4 * 2 * folded.members[0].table.size == 2 * folded.rounded().bytes


@given(st.integers(0, 4), st.lists(st.integers(0, 4), max_size=3), st.sampled_from(["f4", "f8", "i2", ">f4"]))
def test_arrays_fit_one_another_or_are_refused(place: int, shape: list[int], dtype: str) -> None:
    """One filter over two tokens, two classes."""
    one = ConvolutionShape(windows=[2], filters=[1], activation="relu")
    arrays = [np.ones(size, np.float32) for size in [(3, 2), (1,), (1,), (2, 1), (2,)]]
    changed = np.ones(shape, dtype)
    fits = changed.shape == arrays[place].shape or (place == 0 and len(shape) == 2 and shape[1] == 2)
    fits = fits and (dtype == "f4" or (place == 0 and dtype == "i2"))
    arrays[place] = changed
    if not fits:
        with pytest.raises(InputError, match="is .* expected"):
            FoldedNetwork(one, *arrays)
    else:
        assert FoldedNetwork(one, *arrays).classes == 2


def test_a_model_of_parts_that_do_not_fit_is_refused() -> None:
    def part(classes: int) -> FoldedNetwork:
        one = ConvolutionShape(windows=[1], filters=[1], activation="relu")
        return FoldedNetwork(
            one, *(np.ones(size, np.float32) for size in [(3, 1), 1, 1, (classes, 1), classes])
        )

    assert FoldedModel([part(3), part(3)]).classes == 3
    for parts in ([part(3), part(2)], []):
        with pytest.raises(InputError, match=r"its networks are of \[.*\] classes, expected equal numbers"):
            FoldedModel(parts)
