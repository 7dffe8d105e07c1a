from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import files, reading
from pipeline.errors import InputError

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("content", [b"", b"{", b"PK\x03\x04 cut", b"PAR1"])
def test_a_damaged_file_is_one_line_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(content)
    for read in (reading.read_json, reading.read_table, reading.read_arrays):
        with pytest.raises(InputError, match="damaged cannot be read .*: remove .* and train again"):
            read(path)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npz"
    np.savez(path, vectors=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        reading.read_arrays(path)


def test_a_missing_file_says_to_train_first(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is missing: remove .* and train again"):
        reading.read_json(tmp_path / "metrics.json")


def test_a_file_with_any_byte_changed_is_read_or_is_one_line(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    files.write_json(tmp_path / "json", {"a": [1, {"b": "größe"}]})
    files.write_arrays(tmp_path / "arrays", ids=np.arange(9))
    files.write_table(tmp_path / "table", pd.DataFrame({"text": ["a", "bb"] * 9}))
    for name, read in (
        ("json", reading.read_json),
        ("arrays", reading.read_arrays),
        ("table", reading.read_table),
    ):
        content = (tmp_path / name).read_bytes()
        for place in draw.integers(len(content), size=100):
            changed = bytearray(content)
            changed[place] = draw.integers(256)
            (tmp_path / name).write_bytes(changed if place % 4 else content[:place])
            try:
                read(tmp_path / name)
            except InputError as error:
                assert f"{name} cannot be read" in str(error)


@pytest.mark.parametrize("put", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_not_read(tmp_path: Path, put) -> None:
    path = tmp_path / "there"
    put(path)
    for read in (reading.read_json, reading.read_table, reading.read_arrays, reading.map_array):
        with pytest.raises(InputError, match="there is no file: remove .* and train again"):
            read(path)


def test_json_larger_than_what_is_written_here_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "metrics.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="metrics.json is larger than 128 MiB"):
        reading.read_json(tmp_path / "metrics.json")


def test_packed_arrays_are_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    np.savez_compressed(path, ids=np.zeros(1 << 20))
    with pytest.raises(InputError, match="arrays.npz is packed"):
        reading.read_arrays(path)
    with zipfile.ZipFile(path, "w") as archive:  # two names for one member
        archive.writestr("a.npy", bytes(1000))
        archive.filelist.append(archive.filelist[0])
    with pytest.raises(InputError, match="arrays.npz is packed"):
        reading.read_arrays(path)


def test_a_mapped_array_is_the_files_and_no_longer_than_it(tmp_path: Path) -> None:
    path = tmp_path / "table.npy"
    np.save(path, np.arange(6).reshape(2, 3))
    assert reading.map_array(path).tolist() == [[0, 1, 2], [3, 4, 5]]
    for shape in [(3, 3), (1 << 62, 1 << 62), (-1, 3)]:
        with path.open("wb") as file:
            header = {"descr": "<i8", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            file.write(bytes(48))
        with pytest.raises(InputError, match="table.npy cannot be read"):
            reading.map_array(path)


def test_json_that_is_nested_without_end_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text("[" * 200_000)
    with pytest.raises(InputError, match="labels.json cannot be read .*: remove .* and train again"):
        reading.read_json(tmp_path / "labels.json")


def test_a_lack_of_memory_is_not_told_as_damage(tmp_path: Path) -> None:
    (tmp_path / "rows.npz").touch()
    with (
        pytest.raises(InputError, match="rows.npz needs more memory than there is: free some; if it is dam"),
        reading.readable(tmp_path / "rows.npz"),
    ):
        raise MemoryError


def test_what_unpacks_to_absurdly_more_is_a_decompression_bomb() -> None:
    assert reading.is_decompression_bomb(1 << 20, (1 << 30) + 1)
    assert not reading.is_decompression_bomb(1, 1 << 30)  # small, however it was packed
    assert not reading.is_decompression_bomb(1 << 30, 500 << 30)
    assert reading.is_decompression_bomb(1 << 30, (500 << 30) + 1)
