"""The times that the stages of one make leave word of."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.graph.stage_times import MAKE_FOLDER, note_time, times


def test_they_are_told_in_the_order_in_which_the_stages_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(MAKE_FOLDER, raising=False)
    note_time("evaluate", 1)  # of no such make: to nobody
    monkeypatch.setenv(MAKE_FOLDER, str(tmp_path))
    assert times(tmp_path) == {}
    (tmp_path / "tokenize.seconds").touch()  # of a disk that was full
    note_time("train", 12.5)
    note_time("evaluate", 3)
    assert list(times(tmp_path).items()) == [("train", 12.5), ("evaluate", 3)]
    monkeypatch.setenv(MAKE_FOLDER, str(tmp_path / "gone"))
    note_time("train", 1)
