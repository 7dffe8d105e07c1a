"""Parameters of the dense network, by hand."""

from __future__ import annotations

import keras
import pytest
from pydantic import ValidationError

from pipeline.models import dense
from tests.models.layer_sizes import layer_sizes

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")


def test_a_dense_network_has_the_parameters_of_its_formula_and_no_convolution() -> None:
    network = dense.build(dense.Options(hidden=[20, 10]), (8, 8, 3), 5)
    assert network.count_params() == (8 * 8 * 3 * 20 + 20) + (20 * 10 + 10) + (10 * 5 + 5)
    assert layer_sizes(network, (keras.layers.Conv2D,)) == []


@pytest.mark.parametrize("options", [{"hidden": [0]}, {"depth": 3}])
def test_options_out_of_range_are_refused(options) -> None:
    with pytest.raises(ValidationError):
        dense.Options.model_validate(options)
