"""Flat parameters are the options of their sections, checked like those of the YAML files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.estimator.parameters import Parameters, plain


def test_each_parameter_goes_to_its_section() -> None:
    parameters = Parameters.of_values(
        {"seed": 3, "validation": 0.2, "filters": 7, "members": 2, "unit": "word"}
    )
    assert parameters.general.seed == 3 and parameters.split.validation == 0.2
    assert parameters.network.filters == 7 and parameters.ensemble.members == 2
    assert parameters.tokenize.unit == "word"


def test_numbers_of_numpy_and_tuples_are_taken_as_yaml_has_them() -> None:
    values = {"windows": (1, np.int64(2)), "dropout": np.float64(0.25), "filters": np.array([3, 4])}
    assert plain(values) == {"windows": [1, 2], "dropout": 0.25, "filters": [3, 4]}
    network = Parameters.of_values(values).network
    assert network.windows == [1, 2] and network.dropout == 0.25 and network.filters == [3, 4]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"filters": 0}, ["filters", "0"]),
        ({"epochs": 2.5}, ["epochs", "2.5"]),
        ({"vectors": []}, ["vectors"]),
        ({"windows": [1, 2], "filters": [1]}, ["filters", "windows"]),
        ({"width": 3}, ["no parameter 'width'", "windows"]),
    ],
)
def test_what_cannot_be_is_one_line_that_names_the_parameter(values: Any, expected: list[str]) -> None:
    with pytest.raises(InputError, match="^ConvtextClassifier") as error:
        Parameters.of_values(values)
    assert all(part in str(error.value) for part in expected) and "\n" not in str(error.value)
