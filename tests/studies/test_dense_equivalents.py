"""Parameters and connections, counted by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.models.kim_cnn import Options, build
from pipeline.studies import dense_equivalents
from pipeline.studies.dense_equivalents import LayerCounts, MeasuredNetwork

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")


def convolved(size: int, channels: int, filters: int, kernel: int, **options) -> LayerCounts:
    pixels = keras.Input((size, size, channels))
    maps = keras.layers.Conv2D(filters, kernel, name="filters1", **options)(pixels)
    return dense_equivalents.count_layers(keras.Model(pixels, maps), tokens=0)[0]


def test_a_convolution_of_the_lecture_saves_fourteen_million_parameters() -> None:
    # 32 x 32 x 3 by six filters of 5 x 5 to 28 x 28 x 6 (Ng, Convolutional Neural Networks, week 1).
    counts = convolved(32, 3, 6, 5)
    assert (counts.inputs, counts.outputs) == (3072, 4704)
    assert counts.dense_connections == 14_450_688
    assert counts.parameters == 5 * 5 * 3 * 6  # and 6 biases
    assert counts.connections == 28 * 28 * 6 * 75
    assert counts.sharing == 28 * 28  # each weight is used in every place
    assert counts.sparsity == pytest.approx(3072 / 75)  # an output sees 75 of 3,072 inputs


def test_padding_is_connected_to_nothing() -> None:
    # Over 4 cells a kernel of 3 meets 2 + 3 + 3 + 2 of them, along each axis.
    assert convolved(4, 1, 1, 3, padding="same").connections == 10 * 10
    # At stride 2 Keras pads one cell at the end alone: 3 + 2.
    assert convolved(4, 1, 1, 3, padding="same", strides=2).connections == 5 * 5


@settings(max_examples=40)
@given(size=st.integers(2, 7), kernel=st.integers(1, 4), stride=st.integers(1, 3), same=st.booleans())
def test_connections_are_the_sum_of_what_a_layer_of_ones_makes_of_ones(size, kernel, stride, same) -> None:
    if kernel > size:
        return
    options = {"padding": "same" if same else "valid", "strides": stride}
    layer = keras.layers.Conv2D(1, kernel, kernel_initializer="ones", **options)
    assert convolved(size, 1, 1, kernel, **options).connections == np.sum(layer(np.ones((1, size, size, 1))))


@pytest.mark.parametrize(("combination", "banks"), [("shared", 1), ("separate", 2), ("concatenated", 2)])
def test_a_convolution_over_tokens_shares_its_filters_among_all_of_them(combination: str, banks: int) -> None:
    options = Options(windows=[2, 3], filters=[5, 4], combination=combination)
    network = build(options, np.zeros((30, 10), np.float32), 3)
    convolution, logits = dense_equivalents.count_layers(network, tokens=7)
    pools = 2 if combination == "concatenated" else 1
    assert convolution.parameters == banks * (2 * 5 + 3 * 4) * 10
    assert convolution.sharing == 7
    assert convolution.inputs == banks * 7 * 10
    assert convolution.outputs == pools * (8 * 5 + 9 * 4)  # windows that touch the text
    assert logits.connections == logits.parameters == pools * 9 * 3
    assert dense_equivalents.hidden_sizes([convolution, logits]) == [pools * 9]
    assert (
        dense_equivalents.count_parameters(network)
        == convolution.parameters + pools * 9 + (pools * 9 + 1) * 3
    )


def test_hidden_sizes_are_what_is_left_after_pooling() -> None:
    pixels = keras.Input((8, 8, 1))
    maps = keras.layers.MaxPooling2D(2)(keras.layers.Conv2D(5, 3, padding="same")(pixels))
    units = keras.layers.Dense(7)(keras.layers.Flatten()(maps))
    network = keras.Model(pixels, keras.layers.Dense(2)(units))
    assert dense_equivalents.hidden_sizes(dense_equivalents.count_layers(network, tokens=0)) == [4 * 4 * 5, 7]


def test_dense_layers_are_counted_with_and_without_biases() -> None:
    assert dense_equivalents.dense_parameters([784, 100, 10]) == 785 * 100 + 101 * 10
    assert dense_equivalents.dense_connections([784, 100, 10]) == 78_400 + 1_000


@given(st.integers(1, 1000), st.integers(1, 4), st.integers(2, 100), st.integers(0, 10**7))
def test_the_equal_width_is_the_largest_that_the_parameters_allow(inputs, depth, classes, budget) -> None:
    width = dense_equivalents.equal_width(inputs, depth, classes, budget)
    assert dense_equivalents.dense_parameters([inputs, *[width + 1] * depth, classes]) > budget
    assert width == 1 or dense_equivalents.dense_parameters([inputs, *[width] * depth, classes]) <= budget


def test_the_tables_fit_eighty_columns_and_name_what_was_not_trained() -> None:
    layer = LayerCounts("filters1", 154_587, 290_400, 105_415_200, 34_848)
    networks = [
        MeasuredNetwork("image_cnn", 28_358_346, 6_598_016, [0.9, 0.8, 0.7, 0.6, 0.5]),
        MeasuredNetwork("dense, equal budget", 28_357_000, 28_300_000, [0.8, 0.6, 0.4, 0.2, 0.1]),
        MeasuredNetwork("dense, equal sizes", 44_892_064_800, 44_891_064_800, []),
    ]
    lines = dense_equivalents.markdown(networks, [layer], "pixels").splitlines()
    assert max(map(len, lines)) <= 80
    assert [cell.strip() for cell in lines[0].split("|")[4:-1]] == ["+0", "+1", "+2", "+4"]
    assert lines[2].split("|")[4:-1] == [" 90.0 ", " 80.0 ", " 70.0 ", " 50.0 "]
    assert lines[4].split("|")[2:5] == ["     44.9 G ", "      44.9 G ", "    - "]
