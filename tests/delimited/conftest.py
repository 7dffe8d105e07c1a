from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One path for all of a property's examples: hypothesis forbids a fresh one for each."""
    return tmp_path_factory.mktemp("csv") / "rows.csv"
