"""Tables in sheets of workbooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.delimited.layout import Layout
from pipeline.delimited.records import Place
from pipeline.errors import InputError
from pipeline.tables.formats import open_table
from tests.tables.workbooks import hide, workbook


def read(path: Path, place: Place | None = None, **layout: Any) -> tuple[list[str], list[Any], list[Any]]:
    """Return the header, the rows with their numbers, and the bad ones with their reasons."""
    with open_table(path, Layout(**layout)) as table:
        table.select_columns([next(name for name in table.header if name)])
        batches = list(table.batches(place))
        rows = [
            (number, values)
            for batch in batches
            for (number, _), values in zip(batch.lines.tolist(), table.values(batch), strict=True)
        ]
        return table.header, rows, [row[:3] for batch in batches for row in batch.bad]


def test_rows_are_texts_and_empty_ones_are_no_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["review", "stars"], ["a", 5], [None], ["b", 4.0], ["c"]])
    assert read(path) == (["review", "stars"], [(2, ["a", "5"]), (4, ["b", "4"]), (5, ["c", ""])], [])


def test_a_pass_goes_on_from_a_place(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["review"], ["a"], ["b"], ["c"]])
    assert read(path, Place(0, 3, 0, False))[1] == [(4, ["c"])]


def test_columns_without_a_name_are_kept_and_a_cell_beyond_the_first_rows_is_no_row(tmp_path: Path) -> None:
    rows = [["review", None], ["a", "x", "y"], *([f"b {n}"] for n in range(100)), ["c", "", "", "note"]]
    header, found, bad = read(workbook(tmp_path / "a.xlsx", rows))
    assert header == ["review", "", ""]
    assert found[0] == (2, ["a", "x", "y"]) and len(found) == 101
    assert bad == [(103, 103, "4 fields where the header has 3")]


def test_an_escape_of_what_no_table_holds_is_no_row(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["review"], ["_x0000_"], ["_xD800_"], ["b"]])
    assert read(path)[1:] == (
        [(4, ["b"])],
        [(2, 2, "a NUL character"), (3, 3, "an escape of half a character")],
    )


def test_a_sheet_is_chosen_by_name_or_number_and_else_the_first_that_is_filled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workbook(tmp_path / "a.xlsx", [], [["review"], ["b"]], [["text"], ["c"]])
    assert read(path)[0] == ["review"]
    assert capsys.readouterr().err == f"{path}: sheet 'two' is read, the first; not 'three'\n"
    assert read(path, sheet="three")[0] == read(path, sheet="3")[0] == ["text"]
    assert capsys.readouterr().err == ""
    with pytest.raises(InputError, match="there is no sheet '4' among 'one', 'two', 'three'") as error:
        read(path, sheet="4")
    assert error.value.option == "source.sheet"
    with pytest.raises(InputError, match="sheet 'one' is empty"):
        read(path, sheet="one")
    with pytest.raises(InputError, match="no sheet with a value"):
        read(workbook(tmp_path / "b.xlsx", []))


def test_a_hidden_sheet_is_read_only_if_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workbook(tmp_path / "a.xlsx", [["choices"], ["x"]], [["review"], ["b"]])
    hide(path, "one")
    assert read(path)[0] == ["review"]
    assert capsys.readouterr().err == ""
    assert read(path, sheet="one")[0] == read(path, sheet="1")[0] == ["choices"]
    hide(workbook(path, [["review"], ["b"]], []), "one")
    with pytest.raises(InputError, match="no sheet with a value that is shown, only 'one', 'two'"):
        read(path)


def test_titles_above_the_header_are_skipped_or_named(tmp_path: Path) -> None:
    rows = [["Report of May"], ["review", "stars"], *([f"a film {n}", n] for n in range(5))]
    path = workbook(tmp_path / "a.xlsx", rows)
    assert read(path, skip=1)[0] == ["review", "stars"]
    with (
        open_table(path, Layout()) as table,
        pytest.raises(InputError, match="seems to be line 2, below titles") as error,
    ):
        table.select_columns(["review"])
    assert error.value.option == "source.skip"
