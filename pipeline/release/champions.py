"""The champion of a corpus, found without MLflow's import.

`register` and `rollback` note the champion and keep a copy of its model; what they did not note is asked for
through MLflow. An alias that is moved in MLflow's own pages is noticed

- on a server, which others use too, at once: one call of MLflow's REST interface confirms the note;
- in a SQLite file by the next `register` or `rollback`: until then the note counts;
- in another database at once, as MLflow is asked each time.

Where the store cannot be reached, or a server's answer makes no sense, the last champion known is used.
"""

from __future__ import annotations

import json
import sys
import threading
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ..artifacts import ChampionFiles
from ..errors import InputError, StoreUnreachable
from ..terminal import say, without_password
from ..tracking import location
from .champion_note import CHAMPION, Champion, read_note, remove_note, write_note

if TYPE_CHECKING:
    from urllib.request import Request

SERVER_TIMEOUT = 3.0  # seconds
LOCK_TIMEOUT = 1.0  # seconds, of a database
MAX_ANSWER_BYTES = 2**20
NO_CHAMPION = ""  # in place of a version


def current(corpus: str) -> Champion | None:
    """Return the champion, its model on this machine; None if there is none.

    Raises InputError if the store cannot be used, or cannot be reached while no champion is known.
    """
    noted = read_note(corpus)
    try:
        return _on_server(corpus, noted) if location.is_remote() else _in_database(corpus, noted)
    except StoreUnreachable as error:
        if noted is None:
            raise InputError(f"{error}, so the champion is not known", option="model") from error
        known = f"version {noted.version}, the last champion known, is used"
        say(f"convtext: {error}: {known}", sys.stderr)
        return noted


def _in_database(corpus: str, noted: Champion | None) -> Champion | None:
    """Return the noted champion if the database is a file of this machine, else the one in it."""
    database = location.sqlite_file()
    if database is not None:
        never_noted = location.is_default() and not ChampionFiles(corpus).note.exists()
        if not database.exists():
            return None
        if noted or never_noted:
            return noted
        _check_unlocked(database)
    return refresh(corpus)


def _check_unlocked(database: Path) -> None:
    """Raise StoreUnreachable if another process keeps the file locked: MLflow would wait far longer."""
    import sqlite3  # not at the top: a champion that is noted is found without

    try:
        with closing(sqlite3.connect(database, timeout=LOCK_TIMEOUT)) as connection:
            connection.execute("select count(*) from sqlite_master")
    except sqlite3.OperationalError as error:
        message = f"the tracking store {location.redacted_uri()} cannot be read ({error})"
        raise StoreUnreachable(message) from error
    except sqlite3.DatabaseError:
        pass  # MLflow says what it is, if it is no database


def refresh(corpus: str) -> Champion | None:
    """Ask MLflow for the champion, fetch its model unless it is here, and note it."""
    from . import registry  # not at the top: MLflow takes seconds to import

    version = registry.champion(corpus)
    if version is None:
        remove_note(corpus)
        return None
    champion = Champion(
        corpus=corpus,
        store=location.store_fingerprint(),
        version=version.number,
        model_id=version.model_id,
        title=version.title,
    )
    ensure_local(champion.model_id)
    write_note(champion)
    return champion


def ensure_local(model_id: str) -> Path:
    """Return the folder of a model's classifier, which is fetched unless it is on this machine."""
    from . import registry

    folder = ChampionFiles.model(model_id)
    if not folder.classifier.is_dir():
        registry.fetch(model_id, folder.path)
    return folder.classifier


def _on_server(corpus: str, noted: Champion | None) -> Champion | None:
    """Return the noted champion if the server confirms it, else the one that MLflow finds.

    Raises StoreUnreachable if the server does not answer in time, which is taken by a thread: an answer may
    also come a byte at a time, without an end.
    """
    outcome: list[str | OSError | None] = []
    asking = threading.Thread(target=lambda: outcome.append(_version_or_error(corpus)), daemon=True)
    asking.start()
    asking.join(2 * SERVER_TIMEOUT)
    version = outcome[0] if outcome else TimeoutError("timed out")
    if isinstance(version, OSError):
        message = f"the tracking server {location.redacted_uri()} does not answer ({version})"
        raise StoreUnreachable(message) from version
    if version == NO_CHAMPION:
        return None
    return noted if noted and noted.version == version else refresh(corpus)


def _version_or_error(corpus: str) -> str | OSError | None:
    """Return the champion's version, NO_CHAMPION, or None for an answer that is not MLflow's.

    It is the call "Get Model Version by Alias" of MLflow's REST interface. If the server does not answer or
    fails, returns the error.
    """
    from http.client import HTTPException  # not at the top: not every store is a server

    try:
        answer = json.loads(_answer(_request(corpus)))
    except OSError as error:
        return error
    except (HTTPException, ValueError, RecursionError):
        return None
    match answer:
        case {"model_version": {"version": version}}:
            return str(version) or None
        case {"error_code": "RESOURCE_DOES_NOT_EXIST"}:
            return NO_CHAMPION
        case {"error_code": "INVALID_PARAMETER_VALUE", "message": str(message)} if "alias" in message:
            return NO_CHAMPION
    return None


def _answer(request: Request) -> bytes:
    """Return the body of an answer. Raises OSError if the server fails, or answers without an end."""
    from urllib.error import HTTPError
    from urllib.request import urlopen

    try:
        response = urlopen(request, timeout=SERVER_TIMEOUT)
    except HTTPError as error:
        if error.code >= 500:
            error.close()
            raise
        response = error  # MLflow explains itself in the body
    with response:
        body: bytes = response.read(MAX_ANSWER_BYTES)
    if len(body) == MAX_ANSWER_BYTES:
        raise OSError("its answer is too long")
    return body


def _request(corpus: str) -> Request:
    from urllib.parse import unquote, urlencode, urlsplit
    from urllib.request import Request

    uri = location.store_uri()
    query = urlencode({"name": corpus, "alias": CHAMPION})
    address = f"{without_password(uri)}/api/2.0/mlflow/registered-models/alias"
    request = Request(f"{address}?{query}")
    if user := urlsplit(uri).username:
        credentials = f"{unquote(user)}:{unquote(urlsplit(uri).password or '')}"
        request.add_header("Authorization", f"Basic {b64encode(credentials.encode()).decode()}")
    return request
