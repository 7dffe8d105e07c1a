"""An S3 server on this machine, and a proxy before it that fails as networks and servers do."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BUCKET = "bucket"
Failure = Callable[[str, str], str]  # of a method and a path with its query: what happens to the request


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that are gone."""


class S3Server:
    """The server and the proxy: what reaches `endpoint` passes through `failure` first."""

    def __init__(self, moto: Any, client: Any) -> None:
        self._moto, self.client = moto, client
        self.failure: Failure = lambda method, path: ""
        self.requests: list[tuple[str, str]] = []
        self.has_come, self.may_go = threading.Event(), threading.Event()
        self._one_at_a_time = threading.Lock()  # moto cannot abort an upload while a part of it arrives
        self._proxy = _Proxy(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._proxy.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._proxy.server_address[1]}"

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def get(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def keys(self) -> set[str]:
        listed = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {entry["Key"] for entry in listed}

    def uploads(self) -> int:
        """The uploads in parts that are neither complete nor aborted."""
        return len(self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))

    def clear(self) -> None:
        """Remove everything, and let every request pass."""
        self.may_go.set()
        self.failure = lambda method, path: ""
        for upload in self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            self.client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
        for key in self.keys():
            self.client.delete_object(Bucket=BUCKET, Key=key)
        self.requests.clear()
        self.has_come.clear()
        self.may_go.clear()

    def close(self) -> None:
        self.may_go.set()
        self._proxy.shutdown()
        self._proxy.server_close()
        self._moto.stop()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                server.requests.append((self.command, self.path))
                how = server.failure(self.command, self.path)
                if how == "hold":
                    server.has_come.set()
                    server.may_go.wait(60)
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if len(body) < length:  # who sent it is gone
                    self.close_connection = True
                    return
                if how.isdigit():
                    code = "AccessDenied" if how == "403" else "InternalError"
                    self._answer(int(how), {}, f"<Error><Code>{code}</Code></Error>".encode())
                    return
                with server._one_at_a_time:
                    backend = http.client.HTTPConnection("127.0.0.1", server._moto._server.server_port)
                    backend.request(self.command, self.path, body, dict(self.headers))
                    answer = backend.getresponse()
                    content = answer.read()
                    backend.close()
                self._answer(answer.status, dict(answer.getheaders()), content, how)

            def _answer(self, status: int, headers: dict[str, str], content: bytes, how: str = "") -> None:
                length = headers.pop("Content-Length", str(len(content)))
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                if how in ("short", "empty"):
                    self.send_header("Connection", "close")  # without a length: it seems to be all
                else:
                    self.send_header("Content-Length", length)
                self.end_headers()
                sent = {"cut": len(content) // 2, "short": len(content) // 2, "empty": 0}
                if self.command != "HEAD":
                    self.wfile.write(content[: sent.get(how, len(content))])
                self.close_connection = how in sent

            do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

        return Handler
