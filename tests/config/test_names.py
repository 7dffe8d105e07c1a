"""Names as folders and options hold them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.config.names import NAME, conf_name, file_name, plain_path

ODD = ["my best", "a:b", "a$b", "-a", "é", "a\nb", os.fsdecode(b"\xe9")]


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_the_folder_of_an_odd_name_has_a_plain_one_of_its_own(name: str, tmp_path: Path) -> None:
    assert NAME.fullmatch(conf_name(name)) and conf_name(name) != conf_name(f"{name} ")
    assert NAME.fullmatch(file_name(tmp_path / f"{name}.csv"))
    assert conf_name("kim-rand") == "kim-rand"


def test_a_name_that_is_not_utf8_stands_behind_a_link(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.csv.gz")
    file.write_text("a")
    for content in ("a", "b"):  # a second time too
        file.write_text(content)
        link = plain_path(str(file))
        assert link.encode() and link.endswith(".csv.gz") and Path(link).read_text() == content
    assert plain_path("two words.csv") == "two words.csv"
