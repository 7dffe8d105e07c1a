"""MLflow's own server of the packed model that this package lies in, with `Guard` before it.

`uvicorn --factory convtext.serving.server:app --app-dir MODEL/code` runs it, as the Dockerfile does.
"""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn

from ..terminal import shorten

MAX_BYTES = 16 << 20  # of a request's body
MAX_ROWS = 100_000  # of a request: the answer is far longer
MAX_MESSAGE = 300  # columns
JSON, CSV = "application/json", "text/csv"  # Parquet, which MLflow takes too, may unpack to any size
TENSORS = frozenset({"inputs", "instances"})  # of which MLflow makes arrays, of strings whatever they hold
FORMS = TENSORS | {"dataframe_records", "dataframe_split"}
EXPECTED = (
    "expected a list of texts or of objects, or an object with one of dataframe_records, dataframe_split, "
    "inputs and instances"
)
KINDS = {
    dict: "an object", list: "a list", str: "a string", int: "a number", float: "a number",
    bool: "a boolean", type(None): "null",
}  # fmt: skip

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def app() -> Guard:
    """Load the model and return its application, for uvicorn."""
    from mlflow.pyfunc import load_model, scoring_server

    model = load_model(str(Path(__file__).parents[3]))  # this file is MODEL/code/convtext/serving/server.py
    return Guard(scoring_server.init(model), model.metadata.get_input_schema().input_names())


class _Rejected(Exception):
    """A request that is not handed on: the status and a line of the answer."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """An ASGI application that hands requests for predictions on to MLflow's, and its answers back.

    A bare list is handed on as `inputs`. What MLflow would answer with status 500, or take any amount of
    memory for, is rejected with status 4xx; every error is one short line, without MLflow's traceback and
    without the rows, which MLflow sends back.
    """

    def __init__(self, application: Application, columns: Sequence[str]) -> None:
        """`columns` are those that the model takes, each of strings."""
        self._application = application
        self._columns = columns

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/invocations" or scope["method"] != "POST":
            await self._application(scope, receive, send)
            return
        try:
            body = await _read_body(receive)
            if body is None:
                return
            checked = await asyncio.to_thread(_checked, _content_type(scope), body, self._columns)
        except _Rejected as error:
            await _send_error(send, error.status, error.status.name, str(error))
            return
        await self._hand_on(scope, checked, receive, send)

    async def _hand_on(self, scope: Message, body: bytes, receive: Receive, send: Send) -> None:
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        answer: list[Message] = []

        async def request() -> Message:
            return unread.pop() if unread else await receive()

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._application(_with_length(scope, len(body)), request, keep)
        if answer and answer[0]["status"] >= HTTPStatus.BAD_REQUEST:
            content = b"".join(message.get("body", b"") for message in answer)
            code, line = _code_and_line(content.decode("utf-8", "replace"))
            status = HTTPStatus(answer[0]["status"])
            await _send_error(send, status, code or status.name, line)
            return
        for message in answer:
            await send(message)


async def _read_body(receive: Receive) -> bytes | None:
    """Return the body, or None for a client that hung up.

    Raises _Rejected for one that is too long, once it is read to its end: a client that still sends would
    not see the answer.
    """
    pieces, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        size += len(message.get("body", b""))
        if size <= MAX_BYTES:
            pieces.append(message.get("body", b""))
        else:
            pieces.clear()
        more = message.get("more_body", False)
    if size > MAX_BYTES:
        raise _Rejected(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body has {size:,} bytes: expected at most {MAX_BYTES:,}; send several requests",
        )
    return b"".join(pieces)


def _checked(content_type: str, body: bytes, columns: Sequence[str]) -> bytes:
    """Return the body as MLflow is to read it. Raises _Rejected for what it cannot."""
    media = content_type.partition(";")[0].strip()
    if media == CSV:
        _check_count(body.count(b"\n"), "lines")
        return json.dumps({"dataframe_split": _table(body)}).encode()
    if media != JSON:
        raise _Rejected(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type is {content_type!r}: expected {JSON} or {CSV}"
        )
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError) as error:  # of the text, its JSON, or a number of 5,000 digits
        raise _Rejected(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}") from error
    if isinstance(value, list):
        text, value = f'{{"inputs": {text}}}', {"inputs": value}
    _check_rows(value, columns)
    return text.encode()


def _table(body: bytes) -> dict[str, list[Any]]:
    """Return a CSV as columns and data, all of strings: pandas would take NA and null for missing.

    Raises _Rejected for one that has no rows, or a row of another length than its header.
    """
    try:
        header, *rows = csv.reader(body.decode("utf-8-sig").splitlines(keepends=True), strict=True)
    except (ValueError, csv.Error) as error:
        raise _Rejected(HTTPStatus.BAD_REQUEST, f"the body is no CSV in UTF-8: {error}") from error
    rows = [row or [""] for row in rows]  # an empty line is an empty text
    for number, row in enumerate(rows):
        if len(row) != len(header):
            raise _Rejected(
                HTTPStatus.BAD_REQUEST, f"row {number} has {len(row)} fields: expected {len(header)}"
            )
    if not rows:
        raise _Rejected(HTTPStatus.BAD_REQUEST, "the body has no rows: expected a header and rows")
    return {"columns": header, "data": rows}


def _check_rows(value: object, columns: Sequence[str]) -> None:
    """Raise _Rejected for what holds no rows, and for a cell that MLflow would turn into a string."""
    forms = FORMS & value.keys() if isinstance(value, dict) else FORMS
    if not isinstance(value, dict) or len(forms) != 1:
        raise _Rejected(HTTPStatus.BAD_REQUEST, f"the body is {KINDS[type(value)]}: {EXPECTED}")
    (form,) = forms
    if value[form] in ([], {}, None):
        raise _Rejected(HTTPStatus.BAD_REQUEST, f"the body has no rows: {EXPECTED}")
    lists = value[form].values() if isinstance(value[form], dict) else [value[form]]
    _check_count(max((len(rows) for rows in lists if isinstance(rows, list)), default=0), "rows")
    if form in TENSORS:
        for row, cell in _cells(value[form], columns):
            if not isinstance(cell, str):
                raise _Rejected(
                    HTTPStatus.BAD_REQUEST, f"row {row} is {KINDS[type(cell)]}: expected a string"
                )


def _check_count(count: int, what: str) -> None:
    if count > MAX_ROWS:
        raise _Rejected(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body has {count:,} {what}: expected at most {MAX_ROWS:,}; send several requests",
        )


def _cells(rows: object, columns: Sequence[str]) -> Iterator[tuple[int, object]]:
    """Yield the cells of the columns, each with its row's number; rows may be an object of columns, too.

    Raises _Rejected for a row that lacks a column: MLflow would take the next row's in its place.
    """
    if isinstance(rows, dict):
        for column in columns:
            cells = rows.get(column, [])
            yield from enumerate(cells if isinstance(cells, list) else [cells])
    elif isinstance(rows, list):
        for number, row in enumerate(rows):
            if isinstance(row, dict) and (lacking := [name for name in columns if name not in row]):
                raise _Rejected(
                    HTTPStatus.BAD_REQUEST, f"row {number} lacks the column {lacking[0]!r}: expected a string"
                )
            cells = [row[name] for name in columns] if isinstance(row, dict) else [row]
            yield from ((number, cell) for cell in cells)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no value of JSON")


def _content_type(scope: Message) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"), "")


def _with_length(scope: Message, length: int) -> Message:
    """Return the scope of a request whose body is JSON of another length."""
    headers = [
        header
        for header in scope["headers"]
        if header[0] not in (b"content-length", b"content-type", b"transfer-encoding")
    ]
    headers += [(b"content-length", str(length).encode()), (b"content-type", JSON.encode())]
    return {**scope, "headers": headers}


def _code_and_line(content: str) -> tuple[str, str]:
    """Return the code and the cause of an answer of MLflow's, which may repeat the rows before the cause."""
    try:
        answer = json.loads(content)
        code, message = answer["error_code"], answer["message"]
    except (ValueError, LookupError, TypeError):  # a plain text
        code, message = "", content
    return code, str(message).rpartition("Error: ")[2]


async def _send_error(send: Send, status: HTTPStatus, code: str, message: str) -> None:
    content = json.dumps({"error_code": code, "message": shorten(message, MAX_MESSAGE)}).encode()
    headers = [(b"content-type", JSON.encode()), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": content})
