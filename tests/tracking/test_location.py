"""The address of the tracking store."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.tracking import location, store


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://me:secret@127.0.0.1:9/x", "http://127.0.0.1:9/x"),
        ("postgresql://me:se/cr@et@127.0.0.1:9/x", "postgresql://127.0.0.1:9/x"),
        ("sqlite:////a/b.db", "sqlite:////a/b.db"),
        ("http://127.0.0.1:9/x?token=secret&a=1", "http://127.0.0.1:9/x?token=...&a=1"),
        ("http://127.0.0.1:9?a=1&Access-Token=se%26cret", "http://127.0.0.1:9?a=1&Access-Token=..."),
        ("postgresql://127.0.0.1/x?user=me&password=secret", "postgresql://127.0.0.1/x?user=me&password=..."),
        ("mssql+pyodbc:///?odbc_connect=UID%3Dme%3BPWD%3Dsecret", "mssql+pyodbc:///?odbc_connect=..."),
        ("sqlite:////a/b.db?timeout=3", "sqlite:////a/b.db?timeout=3"),
    ],
)
def test_a_password_in_the_address_is_not_shown(
    uri: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert location.redacted_uri() == shown
    assert store.reason(OSError(f"request to {uri} failed")) == f"request to {shown} failed"


@pytest.mark.parametrize(
    ("folder", "uri"),
    [
        ("/a b/é#", "sqlite:////a b/é#/tracking/mlflow.db"),
        ("/5%?", "sqlite+pysqlite:////5%25%3F/tracking/mlflow.db"),
    ],
)
def test_the_address_of_the_store_is_that_of_any_folder(
    folder: str, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert location.store_uri() == uri
    assert location.sqlite_file() == Path(folder, "tracking", "mlflow.db")


def test_the_lock_of_a_run_lies_in_the_folder_of_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path))
    assert location.lock_file("local-1") == tmp_path / "tracking" / "running" / "local-1"
    for text in ("../../victim.txt", "", "/victim.txt"):
        with pytest.raises(InputError, match="is no id"):
            location.lock_file(text)


def test_mlflows_time_for_an_answer_is_whole_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    assert location.request_seconds() == 7
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon")
    with pytest.raises(InputError, match="MLFLOW_HTTP_REQUEST_TIMEOUT=soon: expected whole seconds"):
        location.request_seconds()
