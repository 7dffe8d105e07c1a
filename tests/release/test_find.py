"""Runs found by what a person calls them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.release import find
from pipeline.tracking.run import new_run

# MLflow's own use of SQLAlchemy.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")]


def test_a_run_is_found_by_id_beginning_of_it_and_name_the_last_of_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    ids = []
    for seed in (1, 2):
        with new_run("it's one", {"seed": seed}, {}) as run:
            run.log_metrics({"loss": seed / 2})
        ids.append(run.id)

    for text in (ids[0], ids[0][:12]):
        assert find.find_run(text) == find.RunRecord(ids[0], "it's one", {"seed": "1"}, {"loss": 0.5})
    assert find.find_run("it's one").id == ids[1]
    assert find.stored_id(ids[0]) == ids[0]
    for text in ("", "nothing", 'it\'s "one"'):
        with pytest.raises(InputError, match=f"no run {re.escape(repr(text))} in sqlite:"):
            find.find_run(text)
    with pytest.raises(InputError, match="run local-1 is not in sqlite:"):
        find.stored_id("local-1")
    with pytest.raises(InputError, match="has no predictions.parquet in sqlite:"):
        find.artifact(ids[0], "predictions.parquet", tmp_path)
