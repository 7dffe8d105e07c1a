"""An S3 server, and the environment in which it is found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stores.s3_server import BUCKET, S3Server


@pytest.fixture(scope="session")
def running_s3() -> Iterator[S3Server]:
    reason = (
        "moto is not installed, of which requirements-cluster.lock has the version: `make test-all` does it"
    )
    server = pytest.importorskip("moto.server", reason=reason)
    import boto3  # comes with moto
    from botocore.config import Config

    moto = server.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    moto.start()
    address = f"http://127.0.0.1:{moto._server.server_port}"
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "hidden", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=address, config=Config(s3={"addressing_style": "path"}), **keys)
    client.create_bucket(Bucket=BUCKET)
    s3 = S3Server(moto, client)
    yield s3
    s3.close()
    client.close()


@pytest.fixture
def s3(running_s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A server with an empty bucket, which the environment names as AWS's tools take it."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", running_s3.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # botocore's waits between attempts take seconds
    yield running_s3
    running_s3.clear()
