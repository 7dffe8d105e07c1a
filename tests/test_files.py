from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import artifacts, files
from pipeline.errors import InputError
from pipeline.inputs import Sequences


def test_a_file_that_fails_half_way_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    files.write_json(path, {"accuracy": 0.5})
    with pytest.raises(RuntimeError), files.atomic_write(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert files.read_json(path) == {"accuracy": 0.5}
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


def test_tables_arrays_and_sequences_come_back_as_they_were(tmp_path: Path) -> None:
    table = pd.DataFrame({"text": ["a\u2028b", ""], "label": [1, 0]})
    files.write_table(tmp_path / "rows.parquet", table)
    pd.testing.assert_frame_equal(files.read_table(tmp_path / "rows.parquet"), table)
    artifacts.write_sequences(tmp_path / "sequences.npz", Sequences.of([[3, 4], []]))
    assert artifacts.read_sequences(tmp_path / "sequences.npz").lengths.tolist() == [2, 0]


@pytest.mark.parametrize("content", [b"", b"{", b"PK\x03\x04 cut", b"PAR1"])
def test_a_damaged_file_is_one_line_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(content)
    for read in (files.read_json, files.read_table, artifacts.read_sequences):
        with pytest.raises(InputError, match="damaged cannot be read .*remove .*make train"):
            read(path)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npz"
    np.savez(path, vectors=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        files.read_arrays(path)


def test_a_missing_file_says_to_train_first(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is missing: remove .* and run `make train`"):
        files.read_json(tmp_path / "metrics.json")


def test_arrays_that_did_not_change_leave_their_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ngrams_accuracy.npz"
    files.write_changed_arrays(path, keys=np.arange(3))
    before = path.stat().st_mtime_ns
    files.write_changed_arrays(path, keys=np.arange(3))
    assert path.stat().st_mtime_ns == before
    files.write_changed_arrays(path, keys=np.arange(4))
    assert len(files.read_arrays(path)["keys"]) == 4
    assert list(tmp_path.iterdir()) == [path]
