"""The address of the tracking store."""

from __future__ import annotations

import pytest

from pipeline.tracking import location, store


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://me:secret@127.0.0.1:9/x", "http://127.0.0.1:9/x"),
        ("postgresql://me:se/cr@et@127.0.0.1:9/x", "postgresql://127.0.0.1:9/x"),
        ("sqlite:////a/b.db", "sqlite:////a/b.db"),
    ],
)
def test_a_password_in_the_address_is_not_shown(
    uri: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert location.redacted_uri() == shown
    assert store.reason(OSError(f"request to {uri} failed")) == f"request to {shown} failed"
