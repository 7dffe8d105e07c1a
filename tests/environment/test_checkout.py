from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.environment import checkout
from pipeline.environment.checkout import CHECKOUT, PACKAGE, find_checkout, python_path


def test_the_package_of_a_checkout_knows_it(tmp_path: Path) -> None:
    assert Path(__file__).resolve().parents[2] == CHECKOUT
    assert PACKAGE.name == "pipeline"
    (tmp_path / "conf" / "models").mkdir(parents=True)
    assert find_checkout(tmp_path / "convtext") is None  # another's conf beside an installed package
    (tmp_path / "Makefile").write_text("")
    assert find_checkout(tmp_path / "convtext") == tmp_path


def test_another_process_finds_the_package_before_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "mine")
    assert python_path() == f"{CHECKOUT}{os.pathsep}mine"
    monkeypatch.setattr(checkout, "CHECKOUT", None)
    assert python_path() == "mine"
    monkeypatch.delenv("PYTHONPATH")
    assert python_path() == ""
