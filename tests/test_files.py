from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import files, reading
from pipeline.errors import InputError

ROOT = Path(__file__).resolve().parents[1]


def test_a_file_that_fails_half_way_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    files.write_json(path, {"accuracy": 0.5})
    with pytest.raises(RuntimeError), files.atomic_write(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert reading.read_json(path) == {"accuracy": 0.5}
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_while_writing_a_folder_keeps_the_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "model"
    with files.atomic_folder(path) as partial:
        (partial / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt), files.atomic_folder(path) as partial:
        (partial / "a").write_text("new")
        raise KeyboardInterrupt
    assert [file.name for file in path.iterdir()] == ["a"]
    assert (path / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_between_the_two_renames_of_a_folder_brings_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model"
    with files.atomic_folder(path) as partial:
        (partial / "a").write_text("old")
    rename = files.os.replace

    def interrupted(source: Path, target: Path) -> None:
        if target == path and source.name.startswith(".partial"):
            raise KeyboardInterrupt
        rename(source, target)

    with pytest.raises(KeyboardInterrupt), files.atomic_folder(path):
        monkeypatch.setattr(files.os, "replace", interrupted)
    assert (path / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_folder_replaces_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "model"
    for name in ("old", "new"):
        with files.atomic_folder(path) as partial:
            (partial / name).write_text(name)
    assert [file.name for file in path.iterdir()] == ["new"]


def test_tables_and_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    table = pd.DataFrame({"text": ["a\u2028b", ""], "label": [1, 0]})
    files.write_table(tmp_path / "rows.parquet", table)
    pd.testing.assert_frame_equal(reading.read_table(tmp_path / "rows.parquet"), table)
    files.write_arrays(tmp_path / "arrays.npz", ids=np.arange(3))
    assert reading.read_arrays(tmp_path / "arrays.npz")["ids"].tolist() == [0, 1, 2]


def test_an_exclusive_file_is_refused_to_others_and_removed_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"
    with files.exclusive(path) as file:
        file.write("held")
        with pytest.raises(BlockingIOError), files.exclusive(path, wait=False):
            pass
    with files.exclusive(path, wait=False) as file:
        assert file.read() == ""
    assert list(path.parent.iterdir()) == []


def test_processes_that_wait_for_a_file_have_it_one_after_the_other(tmp_path: Path) -> None:
    """Each adds one to a number, and would lose some of the others' if two had the file at once."""
    number = tmp_path / "number"
    number.write_text("0")
    code = (
        "import sys\nfrom pathlib import Path\nfrom pipeline.files import exclusive\n"
        "for _ in range(200):\n"
        "    with exclusive(Path(sys.argv[1]) / 'running' / 'one'):\n"
        "        number = Path(sys.argv[1]) / 'number'\n"
        "        number.write_text(str(int(number.read_text()) + 1))\n"
    )
    adding = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT) for _ in range(3)]
    assert [process.wait(timeout=60) for process in adding] == [0, 0, 0]
    assert number.read_text() == "600"


def test_a_folder_is_read_once_more_if_it_was_replaced_meanwhile_and_only_then(tmp_path: Path) -> None:
    path, attempts = tmp_path / "model", list[str]()
    path.mkdir()

    def read() -> str:
        attempts.append("one")
        raise InputError("a file is missing")

    with pytest.raises(InputError):
        files.read_replaceable(path, read)
    assert attempts == ["one"]

    def read_while_replaced() -> str:
        attempts.append("two")
        if attempts.count("two") == 1:
            with files.atomic_folder(path):
                pass
            raise InputError("a file of the old folder")
        return "new"

    assert files.read_replaceable(path, read_while_replaced) == "new"
    shutil.rmtree(path)
    attempts.clear()
    with pytest.raises(InputError):
        files.read_replaceable(path, read)
    assert attempts == ["one"] and not files.appears(path)


def test_a_folder_between_the_two_renames_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, waited = tmp_path / "model", threading.Event()
    path.mkdir()

    def rename(source: Path, target: Path, rename=os.replace) -> None:
        if target == path:
            assert waited.wait(10)
        rename(source, target)

    def replace() -> None:
        with files.atomic_folder(path) as partial:
            (partial / "new").touch()

    monkeypatch.setattr(files.os, "replace", rename)
    monkeypatch.setattr(files.time, "sleep", lambda seconds: (waited.set(), replacing.join(10)))
    replacing = threading.Thread(target=replace)
    replacing.start()
    while path.exists():
        pass
    assert files.appears(path)
    assert (path / "new").exists()


def test_a_link_where_a_file_is_to_be_written_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim, path = tmp_path / "victim.txt", tmp_path / "new.txt"
    victim.write_text("precious")
    monkeypatch.setattr(files.secrets, "token_hex", lambda size: "guessed")
    path.with_name(f".partial-guessed-{path.name}").symlink_to(victim)
    with pytest.raises(FileExistsError):
        files.write_text(path, "new")
    assert victim.read_text() == "precious"
    assert not path.exists()


def test_no_two_writers_of_a_file_have_one_name_for_its_copy_whatever_their_process_ids(
    tmp_path: Path,
) -> None:
    assert len({files.partial_path(tmp_path / "new.txt") for _ in range(100)}) == 100


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_write_that_fails_names_its_file(tmp_path: Path) -> None:
    """To /dev/full, as to any file on a full disk, nothing can be written."""
    path = tmp_path / "metrics.json"
    with pytest.raises(OSError, match="No space left on device: '.*metrics.json'"), files.atomic_write(path):
        Path("/dev/full").write_bytes(b"1")
    model = tmp_path / "model"
    with pytest.raises(OSError, match="No space left on device: '.*model'"), files.atomic_folder(model):
        Path("/dev/full").write_bytes(b"1")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "weights").write_text("1")
    with (
        pytest.raises(OSError, match="model: .*No space left on device"),
        files.atomic_folder(model) as folder,
    ):
        (folder / "weights").symlink_to("/dev/full")
        shutil.copytree(tmp_path / "source", folder, dirs_exist_ok=True)
    with pytest.raises(OSError, match="/metrics.json: a library's own words"), files.atomic_write(path):
        raise OSError("a library's own words")
    assert [file.name for file in tmp_path.iterdir()] == ["source"]
