"""Files that are written here and uploaded when they are finished."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.stores.remote_file import RemoteFile
from pipeline.stores.upload import uploaded
from tests.stores.s3_server import S3Server

ENDING = ".rejects.csv"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, which is empty in the end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def written(s3: S3Server) -> list[tuple[str, str]]:
    return [(method, path.partition("?")[0]) for method, path in s3.requests if method in ("PUT", "DELETE")]


def test_the_target_comes_last_and_nothing_is_left_here(s3: S3Server, temporary: Path) -> None:
    with uploaded(RemoteFile("s3://bucket/out.csv"), [ENDING]) as path:
        assert path.parent.parent == temporary
        path.write_bytes(b"rows")
        Path(f"{path}{ENDING}").write_bytes(b"rejects")
        assert s3.keys() == set()
    assert (s3.get("out.csv"), s3.get("out.csv.rejects.csv")) == (b"rows", b"rejects")
    assert written(s3) == [("PUT", "/bucket/out.csv.rejects.csv"), ("PUT", "/bucket/out.csv")]
    assert list(temporary.iterdir()) == []


def test_what_is_not_written_beside_the_target_is_removed(s3: S3Server) -> None:
    s3.put("out.csv.rejects.csv", b"old")
    with uploaded(RemoteFile("s3://bucket/out.csv"), [ENDING]) as path:
        path.write_bytes(b"rows")
    assert s3.keys() == {"out.csv"}


def test_who_may_only_write_gets_the_result_though_no_list_can_be_looked_for(s3: S3Server) -> None:
    # As S3 answers for a key that is not there, if the bucket may not be listed.
    s3.failure = lambda method, path: "403" if method in ("HEAD", "GET") else ""
    with uploaded(RemoteFile("s3://bucket/out.csv"), [ENDING]) as path:
        path.write_bytes(b"rows")
    assert s3.get("out.csv") == b"rows"


@pytest.mark.parametrize("is_written", [False, True])
def test_the_old_list_goes_only_when_the_new_target_is_there(s3: S3Server, is_written: bool) -> None:
    s3.put("out.csv", b"old")
    s3.put("out.csv.rejects.csv", b"old rejects")
    s3.failure = lambda method, path: (
        "403" if method == "PUT" and path.partition("?")[0].endswith("/out.csv") else ""
    )
    with (
        pytest.raises(InputError, match="s3://bucket/out.csv cannot be written"),
        uploaded(RemoteFile("s3://bucket/out.csv"), [ENDING]) as path,
    ):
        path.write_bytes(b"new")
        if is_written:
            Path(f"{path}{ENDING}").write_bytes(b"new rejects")
    assert s3.get("out.csv") == b"old"
    assert s3.get("out.csv.rejects.csv") == (b"new rejects" if is_written else b"old rejects")


def test_a_list_that_cannot_be_removed_is_told_when_the_target_is_there(s3: S3Server) -> None:
    s3.put("out.csv.rejects.csv", b"old")
    s3.failure = lambda method, path: "403" if method == "DELETE" else ""
    with (
        pytest.raises(InputError, match="s3://bucket/out.csv.rejects.csv cannot be removed"),
        uploaded(RemoteFile("s3://bucket/out.csv"), [ENDING]) as path,
    ):
        path.write_bytes(b"new")
    assert s3.get("out.csv") == b"new"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_what_fails_or_is_interrupted_changes_nothing(
    s3: S3Server, temporary: Path, error: type[BaseException]
) -> None:
    s3.put("out.csv", b"old")
    with pytest.raises(error), uploaded(RemoteFile("s3://bucket/out.csv"), [ENDING]) as path:
        path.write_bytes(b"half")
        raise error
    assert s3.keys() == {"out.csv"} and s3.get("out.csv") == b"old"
    assert list(temporary.iterdir()) == []


def test_a_target_that_cannot_be_written_stays_and_nothing_is_left_here(
    s3: S3Server, temporary: Path
) -> None:
    s3.put("out.csv", b"old")
    s3.failure = lambda method, path: "403" if method == "PUT" else ""
    with (
        pytest.raises(InputError, match="s3://bucket/out.csv cannot be written .*what they allow"),
        uploaded(RemoteFile("s3://bucket/out.csv"), [ENDING]) as path,
    ):
        path.write_bytes(b"new")
    assert s3.get("out.csv") == b"old"
    assert list(temporary.iterdir()) == []


def test_a_name_longer_than_a_disk_takes_keeps_its_form(s3: S3Server) -> None:
    key = f"{'ä' * 400}.csv.gz"
    with uploaded(RemoteFile(f"s3://bucket/{key}"), [ENDING]) as path:
        assert path.name.endswith(".csv.gz")
        path.write_bytes(b"rows")
    assert s3.keys() == {key}
