"""What a request means for the processes that train."""

from __future__ import annotations

import pytest

from pipeline.graph.request import TrainingRequest


@pytest.mark.parametrize(
    ("model", "asked", "threads"),
    [("convtext", "", "1"), ("convtext", "4", "4"), ("image_cnn", "", None), ("image_cnn", "4", None)],
)
def test_operations_on_texts_have_one_thread_unless_the_user_says_how_many(
    model: str, asked: str, threads: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    if asked:
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", asked)
    environment = TrainingRequest("docstrings", model, "").environment
    assert environment.get("TF_NUM_INTRAOP_THREADS") == threads
