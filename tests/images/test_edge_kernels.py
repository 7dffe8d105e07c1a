"""The textbook's arithmetic, on Keras's own layers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.images.edge_kernels import KERNELS, edges, start_with_edges

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
BRIGHT_LEFT = np.repeat([[10.0, 10, 10, 0, 0, 0]], 6, axis=0)


def convolved(image: np.ndarray, kernel: np.ndarray, **options) -> np.ndarray:
    """[height, width] by Conv2D with the one kernel."""
    layer = keras.layers.Conv2D(1, kernel.shape, use_bias=False, **options)
    layer.build((None, *image.shape, 1))
    layer.kernel.assign(kernel[:, :, None, None])
    return np.array(layer(image[None, :, :, None]))[0, :, :, 0]


def test_ten_beside_zero_gives_thirty_in_the_two_middle_columns() -> None:
    found = convolved(BRIGHT_LEFT, np.array([[1, 0, -1]] * 3))
    assert found.tolist() == [[0, 30, 30, 0]] * 4


def test_zero_beside_ten_gives_minus_thirty_as_no_kernel_is_turned_round() -> None:
    dark_left = BRIGHT_LEFT[:, ::-1]
    assert convolved(dark_left, KERNELS["vertical"]).tolist() == [[0, -30, -30, 0]] * 4
    turned = KERNELS["vertical"][::-1, ::-1]  # convolution as signal processing defines it
    assert convolved(dark_left, turned).tolist() == [[0, 30, 30, 0]] * 4


@pytest.mark.parametrize(("name", "response"), [("vertical", 30), ("sobel", 40), ("scharr", 160)])
def test_an_upright_kernel_finds_the_vertical_edge_and_not_the_horizontal_one(name, response) -> None:
    assert convolved(BRIGHT_LEFT, KERNELS[name]).tolist() == [[0, response, response, 0]] * 4
    assert not convolved(BRIGHT_LEFT.T, KERNELS[name]).any()


@pytest.mark.parametrize(("name", "response"), [("vertical", 30), ("sobel", 40), ("scharr", 160)])
def test_a_transposed_kernel_finds_the_horizontal_edge_and_not_the_vertical_one(name, response) -> None:
    expected = np.array([[0, response, response, 0]] * 4).T
    assert convolved(BRIGHT_LEFT.T, KERNELS[name].T).tolist() == expected.tolist()
    assert not convolved(BRIGHT_LEFT, KERNELS[name].T).any()


def test_horizontal_is_vertical_transposed() -> None:
    assert KERNELS["horizontal"].tolist() == [[1, 1, 1], [0, 0, 0], [-1, -1, -1]]


def test_no_kernel_sees_an_even_surface() -> None:
    assert not edges().sum(axis=(0, 1)).any()
    assert len({kernel.tobytes() for kernel in edges().transpose(2, 0, 1)}) == 12


@pytest.mark.parametrize(
    ("n", "f", "padding", "stride", "size"),
    [
        (6, 3, "valid", 1, 4),  # n - f + 1
        (6, 3, "same", 1, 6),  # p = (f - 1) / 2
        (7, 3, "valid", 2, 3),
        (8, 3, "valid", 2, 3),  # the last column is left out: floor(5 / 2) + 1
        (227, 11, "valid", 4, 55),  # AlexNet's first layer
    ],
)
def test_padding_and_stride_give_the_size_of_the_formula(n, f, padding, stride, size) -> None:
    p = (f - 1) // 2 if padding == "same" else 0
    assert (n + 2 * p - f) // stride + 1 == size
    layer = keras.layers.Conv2D(1, f, strides=stride, padding=padding)
    assert layer(keras.Input((n, n, 1))).shape == (None, size, size, 1)


@given(n=st.integers(1, 12), f=st.integers(1, 5), p=st.integers(0, 3), s=st.integers(1, 4))
def test_any_padding_kernel_and_stride_give_the_size_of_the_formula(n: int, f: int, p: int, s: int) -> None:
    if n + 2 * p < f:
        return
    padded = keras.layers.ZeroPadding2D(p)(keras.Input((n, n, 1)))
    size = (n + 2 * p - f) // s + 1
    assert keras.layers.Conv2D(1, f, strides=s)(padded).shape == (None, size, size, 1)


def test_a_convolution_over_a_volume_sums_over_its_channels_and_stacks_its_filters() -> None:
    layer = keras.layers.Conv2D(2, 3, use_bias=False)
    volume = np.stack([BRIGHT_LEFT, np.zeros((6, 6)), BRIGHT_LEFT], axis=-1)
    layer.build((None, 6, 6, 3))
    vertical, nothing = KERNELS["vertical"], np.zeros((3, 3))
    red_alone = np.stack([vertical, nothing, nothing], axis=-1)
    all_three = np.stack([vertical] * 3, axis=-1)
    layer.kernel.assign(np.stack([red_alone, all_three], axis=-1))
    found = np.array(layer(volume[None]))
    assert found.shape == (1, 4, 4, 2)  # 6 x 6 x 3 by two kernels of 3 x 3 x 3
    assert found[0, :, :, 0].tolist() == [[0, 30, 30, 0]] * 4
    assert found[0, :, :, 1].tolist() == [[0, 60, 60, 0]] * 4
    assert layer.count_params() == 2 * 3 * 3 * 3


def test_a_first_layer_starts_with_the_edges_and_the_rest_stays_as_drawn() -> None:
    drawn = np.random.default_rng(1).normal(size=(5, 5, 3, 20)).astype(np.float32)
    started = start_with_edges(drawn)
    np.testing.assert_array_equal(started[..., 12:], drawn[..., 12:])
    first = started[:, :, 0, 0]
    assert not first[[0, -1]].any() and not first[:, [0, -1]].any()
    np.testing.assert_allclose(first[1:4, 1:4], first[1, 1] * KERNELS["vertical"], rtol=1e-6)
    np.testing.assert_array_equal(started[:, :, 0, :12], started[:, :, 2, :12])
    norms = [np.sqrt(np.square(filters).sum(axis=(0, 1, 2))) for filters in (started, drawn)]
    np.testing.assert_allclose(*norms, rtol=1e-5)


def test_a_layer_of_few_filters_starts_with_as_many_edges() -> None:
    started = start_with_edges(np.ones((3, 3, 1, 2), np.float32))
    np.testing.assert_allclose(started[:, :, 0, 0], KERNELS["vertical"] * np.sqrt(9 / 6), rtol=1e-6)
    np.testing.assert_allclose(started[:, :, 0, 1], KERNELS["sobel"] * np.sqrt(9 / 12), rtol=1e-6)


def test_filters_too_small_for_an_edge_are_refused() -> None:
    with pytest.raises(ValueError, match="an edge detector is 3 x 3, the filters are 2 x 5"):
        start_with_edges(np.ones((2, 5, 1, 4), np.float32))
