from __future__ import annotations

from pathlib import Path

from pipeline.checkout import CHECKOUT, PACKAGE, find_checkout


def test_the_package_of_a_checkout_knows_it(tmp_path: Path) -> None:
    assert Path(__file__).resolve().parents[1] == CHECKOUT
    assert PACKAGE.name == "pipeline"
    (tmp_path / "conf" / "models").mkdir(parents=True)
    assert find_checkout(tmp_path / "convtext") is None  # another's conf beside an installed package
    (tmp_path / "Makefile").write_text("")
    assert find_checkout(tmp_path / "convtext") == tmp_path
