"""The files below a folder, by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.images.folder import files_below, name_problem


def test_files_come_in_the_order_of_their_names_and_hidden_ones_are_left_out(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/.hidden.png", ".git/1.png", "a/deep/1.jpg", "c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    names = [str(file.relative_to(tmp_path)) for file in files_below(tmp_path)]
    assert names == ["c.txt", "a/deep/1.jpg", "b/2.png"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a.png", ""),
        ("a.JPEG", ""),
        ("a.gif", "its name does not end in .png, .jpg or .jpeg"),
        ("a", "its name does not end in .png, .jpg or .jpeg"),
        ("a\n.png", "its name is not plain text"),
        (os.fsdecode(b"\xff.png"), "its name is not plain text"),
    ],
)
def test_a_name_is_that_of_an_image_or_has_a_problem(name: str, problem: str) -> None:
    assert name_problem(Path(name)) == problem
