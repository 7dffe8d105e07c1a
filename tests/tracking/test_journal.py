from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.tracking.journal import Journal, unsent_journal

VALUES = st.text('aä\n\r"\\\u2028\ud800', max_size=5) | st.floats(allow_nan=False)


@given(st.lists(st.dictionaries(st.sampled_from(["do", "values", "run"]), VALUES), max_size=5))
def test_entries_come_back_as_they_were_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, entries: list[dict[str, object]]
) -> None:
    journal = Journal(tmp_path_factory.mktemp("unsent") / "run")
    for entry in entries:
        journal.append(entry)
    assert journal.exists() == bool(entries)
    assert not entries or journal.entries() == entries


def test_files_are_copied_so_that_they_may_change_or_go(tmp_path: Path) -> None:
    journal, file, model = Journal(tmp_path / "run"), tmp_path / "metrics.json", tmp_path / "model"
    file.write_text("first")
    journal.append({"do": "files", "path": str(file)})
    file.write_text("second")
    journal.append({"do": "files", "path": str(file)})
    file.unlink()
    model.mkdir()
    (model / "labels").write_text("a")
    journal.append({"do": "files", "path": str(model)})
    first, second, folder = (Path(entry["path"]) for entry in journal.entries())
    assert (first.name, first.read_text(), second.read_text()) == ("metrics.json", "first", "second")
    assert (folder / "labels").read_text() == "a"
    journal.remove()
    assert not journal.exists() and not (tmp_path / "run").exists()


def test_an_entry_that_a_kill_cut_off_is_left_out_and_other_damage_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run")
    journal.append({"do": "begin"})
    lines = tmp_path / "run" / "entries.jsonl"
    whole = lines.read_bytes()
    lines.write_bytes(whole + b'{"do": "met')
    assert journal.entries() == [{"do": "begin"}]
    journal.append({"do": "end"})
    assert journal.entries() == [{"do": "begin"}, {"do": "end"}]
    lines.write_bytes(b'{"do": "beg')
    assert not journal.exists()
    for damage in (b"{\n", b"7\n", b"\xff\n"):
        lines.write_bytes(damage + whole)
        with pytest.raises(InputError, match=r"entries.jsonl.*damaged: remove .*run"):
            journal.entries()


@pytest.mark.parametrize(
    "path", ["../../victim", "/victim", "files/../../../victim", "entries.jsonl", "", 7, None]
)
def test_an_entry_whose_copy_is_not_the_journals_own_is_damage(path: object, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run")
    journal.append({"do": "begin"})
    (tmp_path / "run" / "files").mkdir()
    with (tmp_path / "run" / "entries.jsonl").open("a") as lines:
        lines.write(json.dumps({"do": "files", "path": path}) + "\n")
    with pytest.raises(InputError, match=r"entries.jsonl, line 2: damaged: remove .*run"):
        journal.entries()


def test_a_copy_that_is_a_link_out_of_the_journal_is_damage(tmp_path: Path) -> None:
    journal, file = Journal(tmp_path / "run"), tmp_path / "curve.json"
    file.write_text("1")
    journal.append({"do": "files", "path": str(file)})
    (copy,) = (tmp_path / "run").rglob("curve.json")
    copy.unlink()
    copy.symlink_to(file)
    with pytest.raises(InputError, match="damaged"):
        journal.entries()


def test_a_journal_is_named_by_an_id_alone() -> None:
    with pytest.raises(InputError, match="is no id"):
        unsent_journal("../../victim")
