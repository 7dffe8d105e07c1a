"""The layer against numbers computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.networks.layers import LocalResponseNormalization

pytestmark = pytest.mark.filterwarnings(  # TensorFlow's variables, under NumPy 2.4
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def test_local_response_normalization_is_that_computed_by_hand() -> None:
    activations = np.array([1.0, 2.0, 3.0, 4.0], np.float32).reshape(1, 1, 1, 4)
    # Over two neighbours on either side: 1 + 4 + 9, 1 + 4 + 9 + 16 twice, 4 + 9 + 16.
    sums = np.array([14.0, 30.0, 30.0, 29.0])
    expected = np.array([1.0, 2.0, 3.0, 4.0]) / (2 + 1e-4 * sums) ** 0.75
    np.testing.assert_allclose(
        np.array(LocalResponseNormalization()(activations)).ravel(), expected, rtol=1e-6
    )
