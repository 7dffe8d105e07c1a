"""A folder of images as a table of their paths."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from pipeline.errors import InputError
from pipeline.images import path_table
from pipeline.images.path_table import PathTable


def folder_of(path: Path, names: list[str]) -> None:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(path / name)


def test_a_folder_to_predict_is_rows_of_paths(tmp_path: Path) -> None:
    folder_of(tmp_path, ["b/1.png", "0.jpg"])
    (tmp_path / "b" / "notes.txt").write_text("x")
    with PathTable(tmp_path) as rows:
        assert rows.header == ["path"] and rows.column("anything", "TEXT") == 0
        (block,) = rows.blocks(0)
        paths = [block.data[start:end].tobytes().decode() for start, end in block.texts.tolist()]
        assert paths == [str(tmp_path / "0.jpg"), str(tmp_path / "b" / "1.png")]
        assert block.lines.tolist() == [[1, 1], [2, 2]]
        (bad,) = block.bad
        assert bad[:2] == (3, 3) and bad[3] == str(tmp_path / "b" / "notes.txt")
        assert rows.bytes_read == rows.bytes_total > 0
        assert list(rows.blocks(0, block.place)) == []  # it goes on behind the last file
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: no files in this folder"), PathTable(tmp_path / "empty"):
        pass


def test_blocks_hold_a_number_of_files_and_a_place_continues_after_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_table, "BLOCK_FILES", 2)
    folder_of(tmp_path, [f"{n}.png" for n in range(5)])
    with PathTable(tmp_path) as rows:
        blocks = list(rows.blocks(0))
        assert [len(block.texts) for block in blocks] == [2, 2, 1]
        (last,) = rows.blocks(0, blocks[1].place)
        assert last.lines.tolist() == [[5, 5]]


def test_a_link_that_leads_nowhere_is_a_bad_row_among_those_that_are_read(tmp_path: Path) -> None:
    folder_of(tmp_path / "elsewhere", ["1.png"])
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.png").symlink_to(tmp_path / "none.png")
    (tmp_path / "new" / "b").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with PathTable(tmp_path / "new") as rows:
        (block,) = rows.blocks(0)
    (start, end) = block.texts[0].tolist()
    assert block.data[start:end].tobytes().decode() == str(tmp_path / "new" / "b" / "1.png")
    assert [row.reason for row in block.bad] == ["a link that leads to no file"]
