"""Set-ups that the tests of runs share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set CONVTEXT_DATA to an empty folder, and the store to the one in it."""
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
