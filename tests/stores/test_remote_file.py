"""Files of stores as readers see them."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fsspec.spec import AbstractFileSystem

from pipeline.errors import InputError
from pipeline.stores.remote_file import RemoteFile, check_local, locate
from tests.stores.s3_server import S3Server


def test_a_text_is_an_address_if_it_begins_with_a_scheme_and_else_a_path() -> None:
    assert locate("folder/new.csv") == Path("folder/new.csv")
    assert locate("s3:/bucket/new.csv") == Path("s3:/bucket/new.csv")
    for scheme in ("s3", "gs", "abfs", "abfss", "az", "hdfs"):
        file = locate(f"{scheme}://bucket/a b/new.csv.GZ")
        assert isinstance(file, RemoteFile)
        assert (str(file), file.name, file.suffix) == (
            f"{scheme}://bucket/a b/new.csv.GZ",
            "new.csv.GZ",
            ".GZ",
        )


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("ftp://host/new.csv", "ftp:// is no store that is known: expected a path, or one of s3://, gs://,"),
        ("https://host/new.csv?sig=hidden", "https:// is no store that is known"),
        ("S3://bucket/new.csv", "S3:// is no store that is known"),
        ("s3://", "expected s3://, a bucket, / and the name of a file"),
        ("s3://bucket", "expected s3://, a bucket, / and the name of a file"),
        ("s3:///new.csv", "expected s3://, a bucket, / and the name of a file"),
        ("s3://bucket/", "expected s3://, a bucket, / and the name of a file"),
        ("s3://bucket/pictures/", "is a folder: name a file; of images, copy the folder here"),
        ("s3://bucket/../other/new.csv", "a part of the name is . or .."),
        ("s3://bucket/a/./new.csv", "a part of the name is . or .."),
        ("s3://bucket/new.csv?versionId=1", "a version of a file is not read"),
        (
            "abfs://box@me.dfs.core.windows.net/new.csv?sv=1&sig=hidden",
            "abfs://...: there is a key, a token or",
        ),
        (
            "s3://bucket/new.csv?X-Amz-Algorithm=a&X-Amz-Signature=hidden",
            "s3://...: there is a key, a token or",
        ),
        ("gs://bucket/pictures/?X-Goog-Credential=hidden/", "gs://...: there is a key, a token or"),
        ("s3://key:hidden@bucket/new.csv", "there is a colon in the bucket's name, as before a password"),
        ("s3://key:hid/den@bucket/new.csv", "there is a colon in the bucket's name, as before a password"),
        (
            "hdfs://me:hid/den@host:8020/new.csv",
            "there is a colon in the bucket's name, as before a password",
        ),
        ("hdfs://me:hidden@host:8020/new.csv", "there is a colon in the bucket's name, as before a password"),
    ],
)
def test_an_address_that_names_no_file_of_a_store_is_refused(address: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        locate(address)
    assert problem in str(caught.value)
    assert "hid" not in str(caught.value)


def test_hadoop_has_a_port_and_a_default_host() -> None:
    assert str(locate("hdfs://me@host:8020/new.csv")) == "hdfs://me@host:8020/new.csv"
    assert str(locate("hdfs:///new.csv")) == "hdfs:///new.csv"


def test_what_only_reads_this_machine_says_so_of_an_address() -> None:
    check_local("reviews.csv")
    with pytest.raises(InputError, match="s3://bucket/reviews.csv is an address, .*: download it"):
        check_local("s3://bucket/reviews.csv")
    with pytest.raises(InputError) as caught:
        check_local("https://me:hidden@host/reviews.csv?sig=hidden")
    assert "hidden" not in str(caught.value)


def test_a_file_tells_its_kind_and_size_and_gives_its_content(s3: S3Server) -> None:
    s3.put("folder/new.csv", b"0123456789")
    file = RemoteFile("s3://bucket/folder/new.csv")
    assert (file.exists(), file.is_file(), file.is_dir(), file.stat().st_size) == (True, True, False, 10)
    folder, missing = RemoteFile("s3://bucket/folder"), RemoteFile("s3://bucket/other.csv")
    assert (folder.exists(), folder.is_file(), folder.is_dir()) == (True, False, True)
    assert (missing.exists(), missing.is_file(), missing.is_dir()) == (False, False, False)
    with file.open(buffering=4) as stream:
        assert stream.read(3) == b"012"
        assert stream.tell() == 3
        assert stream.seek(-2, io.SEEK_END) == 8
        assert stream.read() == b"89"
        assert stream.read() == b""
        stream.seek(1)
        assert stream.read(8) == b"12345678"


@pytest.mark.parametrize("key", ["ä b.csv", "a?b=1.csv", "a#b.csv", "100%20.csv", "a//b::c.csv", "a@b,'.csv"])
def test_a_name_is_taken_as_it_stands(s3: S3Server, tmp_path: Path, key: str) -> None:
    (tmp_path / "local").write_bytes(b"content")
    file = RemoteFile(f"s3://bucket/{key}")
    file.put(tmp_path / "local")
    assert s3.keys() == {key}
    with RemoteFile(f"s3://bucket/{key}").open() as stream:
        assert stream.read() == b"content"
    file.remove()
    file.remove()
    assert s3.keys() == set()


def test_the_identity_is_that_of_the_content(s3: S3Server) -> None:
    s3.put("new.csv", b"one")
    before = RemoteFile("s3://bucket/new.csv").identity
    assert RemoteFile("s3://bucket/new.csv").identity == before
    s3.put("new.csv", b"two")
    assert RemoteFile("s3://bucket/new.csv").identity != before


def test_files_are_equal_if_they_are_the_same_file(s3: S3Server) -> None:
    assert RemoteFile("s3://bucket/a.csv") == RemoteFile("s3://bucket/a.csv")
    assert RemoteFile("s3://bucket/a.csv") != RemoteFile("s3://bucket/b.csv")
    assert RemoteFile("s3://bucket/a.csv") != Path("a.csv")


class StandIn(AbstractFileSystem):
    """A store in place of those whose libraries a checkout lacks: each look at it ends with an error."""

    protocol = ("abfs", "abfss", "az", "gs")
    error: Exception = FileNotFoundError("bucket")

    def exists(self, path: str, **kwargs: object) -> bool:  # fsspec's own, for other stores, swallows errors
        return bool(self.info(path))

    def info(self, path: str, **kwargs: object) -> dict[str, Any]:
        raise self.error


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Have a stand-in be the store of Azure and Google; called, set the error that it ends with."""
    for package in ("adlfs", "gcsfs"):
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
    for scheme in StandIn.protocol:
        monkeypatch.setitem(sys.modules["fsspec.registry"]._registry, scheme, StandIn)
    return lambda error: monkeypatch.setattr(StandIn, "error", error)


def test_the_schemes_of_azure_name_one_store_and_those_of_others_do_not(
    s3: S3Server, stand_in: Callable[[Exception], None]
) -> None:
    az, abfs, abfss, gs, s3_file = (
        RemoteFile(f"{scheme}://bucket/a.csv") for scheme in ("az", "abfs", "abfss", "gs", "s3")
    )
    assert az == abfs == abfss
    assert az != RemoteFile("abfs://bucket/b.csv")
    assert gs != az and gs != s3_file and s3_file != az


class AzureError(Exception):
    """What Azure's library raises, which is no OSError, for an answer of the store."""

    def __init__(self, status: int) -> None:
        super().__init__("This request is not authorized to perform this operation.")
        self.status_code = status


def empty_bucket() -> Exception:
    """What gcsfs raises for an empty bucket whose properties it is denied."""
    error = FileNotFoundError("bucket")
    error.__context__ = OSError("Forbidden: b/bucket")
    return error


@pytest.mark.parametrize(
    ("scheme", "error"),
    [("gs", OSError("Forbidden: b/bucket")), ("gs", empty_bucket()), ("az", AzureError(403))],
)
def test_who_is_denied_a_look_may_still_write(
    stand_in: Callable[[Exception], None], scheme: str, error: Exception
) -> None:
    stand_in(error)
    RemoteFile(f"{scheme}://bucket/out.csv").check_target()
    RemoteFile(f"{scheme}://bucket/out.csv").remove()


@pytest.mark.parametrize("error", [FileNotFoundError("bucket"), OSError("no route"), AzureError(500)])
def test_a_bucket_that_is_not_there_and_a_store_that_does_not_answer_are_told_at_once(
    stand_in: Callable[[Exception], None], error: Exception
) -> None:
    stand_in(error)
    problem = "there is no bucket: create it" if isinstance(error, FileNotFoundError) else "cannot be written"
    with pytest.raises(InputError, match=f"gs://bucket/out.csv.* {problem}"):
        RemoteFile("gs://bucket/out.csv").check_target()


@pytest.mark.parametrize("how", ["500", "cut", "empty"])
def test_a_read_that_fails_for_good_is_an_error_and_never_an_end(s3: S3Server, how: str) -> None:
    s3.put("new.csv", b"0123456789")
    file = RemoteFile("s3://bucket/new.csv")
    with file.open(buffering=4) as stream:
        assert stream.read(4) == b"0123"
        s3.failure = lambda method, path: how if method == "GET" else ""
        with pytest.raises(InputError, match="s3://bucket/new.csv cannot be read") as caught:
            stream.read()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", ["500", "cut", "short", "empty"])
def test_a_read_that_fails_once_is_tried_again(s3: S3Server, how: str) -> None:
    s3.put("new.csv", b"0123456789")
    failures = iter([how])
    s3.failure = lambda method, path: next(failures, "") if method == "GET" else ""
    with RemoteFile("s3://bucket/new.csv").open() as stream:
        assert stream.read() == b"0123456789"


def test_a_file_that_changes_while_it_is_read_is_an_error(s3: S3Server) -> None:
    s3.put("new.csv", b"0123456789")
    with RemoteFile("s3://bucket/new.csv").open(buffering=4) as stream:
        assert stream.read(4) == b"0123"
        s3.put("new.csv", b"abcdefghij")
        with pytest.raises(InputError, match="s3://bucket/new.csv cannot be read"):
            stream.read()


@pytest.mark.parametrize("status", ["403", "500"])
def test_what_a_server_refuses_is_one_line_without_keys(s3: S3Server, status: str) -> None:
    s3.failure = lambda method, path: status
    with pytest.raises(InputError, match="s3://bucket/new.csv cannot be read") as caught:
        RemoteFile("s3://bucket/new.csv").exists()
    assert ("what they allow" in str(caught.value)) == (status == "403")
    assert "hidden" not in str(caught.value)


def test_a_place_to_write_to_has_a_bucket_and_is_no_folder(s3: S3Server) -> None:
    s3.put("folder/new.csv", b"")
    RemoteFile("s3://bucket/out.csv").check_target()
    with pytest.raises(InputError, match="s3://bucket/folder is a folder"):
        RemoteFile("s3://bucket/folder").check_target()
    with pytest.raises(InputError, match="s3://nowhere/out.csv: there is no nowhere: create it first"):
        RemoteFile("s3://nowhere/out.csv").check_target()
    s3.failure = lambda method, path: "403"
    RemoteFile("s3://bucket/out.csv").check_target()  # who may only write is not told
