"""The process that writes runs into the store."""

from __future__ import annotations

import pytest

from pipeline.errors import InputError
from pipeline.tracking.run import resumed_run

# MLflow's own use of Pydantic and SQLAlchemy.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("data_folder"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_a_run_of_another_store_is_refused_with_the_remedy() -> None:
    with (
        pytest.raises(InputError, match=r"run 123 is not in sqlite:.*MLFLOW_TRACKING_URI"),
        resumed_run("123"),
    ):
        pass
