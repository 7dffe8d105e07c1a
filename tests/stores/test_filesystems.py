"""File systems of stores: what they are made of, and how a file gets its name in them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.fs
import pytest
from fsspec.implementations.arrow import ArrowFSWrapper

from pipeline.errors import InputError, missing_package
from pipeline.stores import filesystems
from pipeline.stores.remote_file import RemoteFile
from tests.stores.s3_server import S3Server

PART = filesystems.PART_BYTES


@pytest.fixture
def hadoop() -> Any:
    """The file system that fsspec derives that of Hadoop from, here on a local folder."""
    return ArrowFSWrapper(pyarrow.fs.LocalFileSystem())


@pytest.mark.parametrize(
    ("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs"), ("abfss", "adlfs")]
)
def test_a_package_that_is_missing_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, scheme: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError) as caught:
        RemoteFile(f"{scheme}://bucket/new.csv").exists()
    line = f"{package} is not installed: install convtext with its extra `stores` (pip install '.[stores]')"
    assert missing_package(caught.value) == line


def test_settings_of_fsspec_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": "http://127.0.0.1:1", "anon": True})
    system = filesystems.of_address("s3", "s3://bucket/new.csv")
    assert (system.endpoint_url, system.anon) == ("http://127.0.0.1:1", True)


def test_hadoop_without_its_libraries_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARROW_LIBHDFS_DIR", "/nowhere")
    monkeypatch.delenv("HADOOP_HOME", raising=False)
    with pytest.raises(InputError, match="hdfs://host:8020/new.csv cannot be read"):
        RemoteFile("hdfs://host:8020/new.csv").exists()


@pytest.mark.parametrize("size", [0, 10, 2 * PART - 1, 2 * PART, 3 * PART + 1])
def test_an_object_is_put_in_one_request_or_in_parts(s3: S3Server, tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "out.csv").write_bytes(content)
    RemoteFile("s3://bucket/out.csv").put(tmp_path / "out.csv")
    assert s3.get("out.csv") == content
    in_parts = sum(method == "PUT" and "partNumber=" in path for method, path in s3.requests)
    assert in_parts == (-(-size // PART) if size >= 2 * PART else 0)


@pytest.mark.parametrize("size", [10, 3 * PART])
@pytest.mark.parametrize("step", ["PUT", "POST"])
def test_an_upload_that_fails_leaves_the_old_object_and_no_parts(
    s3: S3Server, tmp_path: Path, size: int, step: str
) -> None:
    s3.put("out.csv", b"old")
    (tmp_path / "out.csv").write_bytes(bytes(size))
    is_last = "partNumber=3" if size > 10 else ""
    s3.failure = lambda method, path: (
        "500" if (method == "PUT" and is_last in path) or (method == "POST" and step == "POST") else ""
    )
    with pytest.raises(InputError, match="s3://bucket/out.csv cannot be written"):
        RemoteFile("s3://bucket/out.csv").put(tmp_path / "out.csv")
    s3.failure = lambda method, path: ""
    assert s3.get("out.csv") == b"old"
    assert s3.uploads() == 0


def test_a_file_of_hadoop_is_renamed_when_all_of_it_is_there(tmp_path: Path, hadoop: Any) -> None:
    source, target = tmp_path / "local.csv", tmp_path / "below" / "out.csv"
    for content in (b"old", b"new"):
        source.write_bytes(content)
        filesystems.put(hadoop, source, str(target))
        assert target.read_bytes() == content
        assert [path.name for path in target.parent.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("step", ["put_file", "mv"])
def test_a_file_of_hadoop_that_does_not_get_there_leaves_the_old_one(
    tmp_path: Path, hadoop: Any, monkeypatch: pytest.MonkeyPatch, step: str, error: type[BaseException]
) -> None:
    (tmp_path / "local.csv").write_bytes(b"new")
    target = tmp_path / "store" / "out.csv"
    target.parent.mkdir()
    target.write_bytes(b"old")

    def fail(source: str, copy: str) -> None:
        Path(copy).write_bytes(b"ne")
        raise error

    if step == "put_file":
        monkeypatch.setattr(hadoop, "put_file", fail)
    else:
        monkeypatch.setattr(hadoop, "mv", lambda *paths: (_ for _ in ()).throw(error))
    with pytest.raises(error):
        filesystems.put(hadoop, tmp_path / "local.csv", str(target))
    assert target.read_bytes() == b"old"
    assert [path.name for path in target.parent.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("is_connected", [True, False])
def test_a_new_file_of_hadoop_stays_and_is_named_if_the_old_one_is_gone(
    tmp_path: Path, hadoop: Any, monkeypatch: pytest.MonkeyPatch, is_connected: bool
) -> None:
    (tmp_path / "local.csv").write_bytes(b"new")
    target = tmp_path / "store" / "out.csv"
    target.parent.mkdir()
    target.write_bytes(b"old")

    def fail(*paths: object) -> None:
        raise OSError("no connection")

    def move(partial: str, name: str) -> None:  # as Arrow does where HDFS does not rename over a file
        Path(name).unlink()
        if not is_connected:
            monkeypatch.setattr(hadoop, "exists", fail)
        fail()

    monkeypatch.setattr(hadoop, "mv", move)
    file = RemoteFile(f"hdfs://{target}")
    vars(file)["_system"] = hadoop
    with pytest.raises(InputError) as caught:
        file.put(tmp_path / "local.csv")
    (left,) = target.parent.iterdir()
    assert left.read_bytes() == b"new"
    assert f"(all of it is there as {left}: rename it; no connection)" in str(caught.value)


def test_a_file_of_hadoop_that_is_new_and_fails_leaves_nothing(
    tmp_path: Path, hadoop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "local.csv").write_bytes(b"new")
    (tmp_path / "store").mkdir()

    def fail(source: str, copy: str) -> None:
        Path(copy).write_bytes(b"ne")
        raise OSError

    monkeypatch.setattr(hadoop, "put_file", fail)
    with pytest.raises(OSError):
        filesystems.put(hadoop, tmp_path / "local.csv", str(tmp_path / "store" / "out.csv"))
    assert list((tmp_path / "store").iterdir()) == []


def test_names_of_parts_differ_between_machines_whose_processes_have_one_number(
    tmp_path: Path, hadoop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "local.csv").write_bytes(b"new")
    names: list[str] = []
    move = hadoop.mv
    monkeypatch.setattr(hadoop, "mv", lambda *paths: (names.append(paths[0]), move(*paths)))
    for _ in range(2):
        filesystems.put(hadoop, tmp_path / "local.csv", str(tmp_path / "out.csv"))
    assert names[0] != names[1]
