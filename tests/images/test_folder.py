"""The files below a folder, by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.images.folder import file_problem, files_below, size_in_bytes


def test_files_come_in_the_order_of_their_names_and_hidden_ones_are_left_out(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/.hidden.png", ".git/1.png", "a/deep/1.jpg", "c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    names = [str(file.relative_to(tmp_path)) for file in files_below(tmp_path)]
    assert names == ["c.txt", "a/deep/1.jpg", "b/2.png"]


ENDINGS = ".png, .jpg, .jpeg, .webp, .gif, .bmp, .tif or .tiff"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a.png", ""),
        ("a.JPEG", ""),
        ("a.TIFF", ""),
        ("a.svg", f"its name does not end in {ENDINGS}"),
        ("a", f"its name does not end in {ENDINGS}"),
        ("no\xa0break \u3000ideographic\u2028line\u200bzero.png", ""),
        ("a\n.png", "its name is not plain text"),
        (os.fsdecode(b"\xff.png"), "its name is not plain text"),
    ],
)
def test_a_name_is_that_of_an_image_or_has_a_problem(name: str, problem: str) -> None:
    assert file_problem(Path(name)) == problem


def test_links_are_followed_and_those_that_lead_nowhere_or_back_are_named(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "pictures"
    (elsewhere / "deep").mkdir(parents=True)
    (folder / "a").mkdir(parents=True)
    (elsewhere / "deep" / "1.png").write_bytes(b"12345")
    (folder / "linked").symlink_to(elsewhere, target_is_directory=True)
    (folder / "a" / "1.png").symlink_to(elsewhere / "deep" / "1.png")
    (folder / "a" / "broken.png").symlink_to(folder / "none.png")
    (folder / "a" / "itself.png").symlink_to(folder / "a" / "itself.png")
    (elsewhere / "back").symlink_to(folder, target_is_directory=True)
    found = {str(file.relative_to(folder)): file for file in files_below(folder)}
    assert list(found) == ["a/1.png", "a/broken.png", "a/itself.png", "linked/back", "linked/deep/1.png"]
    assert [file_problem(file) for file in found.values()] == [
        "",
        "a link that leads to no file",
        "a link that leads to no file",
        "a link back to a folder that it lies in",
        "",
    ]
    assert [size_in_bytes(found[name]) for name in ("a/1.png", "a/broken.png")] == [5, 0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0)
    assert [*map(file_problem, files_below(tmp_path))] == ["a folder that cannot be read"]
