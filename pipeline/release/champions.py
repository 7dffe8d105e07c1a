"""The champion of a corpus, found without MLflow's import.

`register` and `rollback` note the champion and keep a copy of its model; what they did not note is asked for
through MLflow. An alias that is moved in MLflow's own pages is noticed

- on a server, which others use too, at once: one call of MLflow's REST interface confirms the note;
- in a SQLite file by the next `register` or `rollback`: until then the note counts;
- in another database at once, as MLflow is asked each time.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import Request, urlopen

from ..artifacts import ChampionFiles
from ..errors import InputError
from ..terminal import say
from ..tracking import location
from .champion_note import CHAMPION, Champion, read_note, remove_note, write_note

SERVER_TIMEOUT = 3.0  # seconds
NO_CHAMPION = ""  # in place of a version


def current(corpus: str) -> Champion | None:
    """Return the champion, its model on this machine; None if there is none.

    If a server does not answer, the last champion known is used, with a message. Raises InputError if none
    is known.
    """
    noted = read_note(corpus)
    if location.is_remote():
        return _on_server(corpus, noted)
    database = location.sqlite_file()
    if database is None:
        return refresh(corpus)
    if not database.exists():
        return None
    never_noted = location.is_default() and not ChampionFiles(corpus).note.exists()
    return noted if noted or never_noted else refresh(corpus)


def refresh(corpus: str) -> Champion | None:
    """Ask MLflow for the champion, fetch its model unless it is here, and note it."""
    from . import registry  # not at the top: MLflow takes seconds to import

    version = registry.champion(corpus)
    if version is None:
        remove_note(corpus)
        return None
    champion = Champion(
        corpus=corpus,
        store=location.redacted_uri(),
        version=version.number,
        model_id=version.model_id,
        title=version.title,
    )
    ensure_local(corpus, champion.model_id)
    write_note(champion)
    return champion


def ensure_local(corpus: str, model_id: str) -> None:
    """Fetch a model unless it is on this machine."""
    from . import registry

    folder = ChampionFiles(corpus).model(model_id)
    if not folder.classifier.is_dir():
        registry.fetch(model_id, folder.path)


def _on_server(corpus: str, noted: Champion | None) -> Champion | None:
    """Return the noted champion if the server confirms it or is silent, else the one that MLflow finds."""
    try:
        version = _version_on_server(corpus)
    except OSError as error:
        message = f"the tracking server {location.redacted_uri()} does not answer"
        if noted is None:
            raise InputError(f"{message} ({error}), so the champion is not known", option="model") from error
        known = f"version {noted.version}, the last champion known, is used"
        say(f"convtext: {message}: {known}", sys.stderr)
        return noted
    if version == NO_CHAMPION:
        return None
    return noted if noted and noted.version == version else refresh(corpus)


def _version_on_server(corpus: str) -> str | None:
    """Return the champion's version, NO_CHAMPION, or None for an answer that is not MLflow's.

    It is the call "Get Model Version by Alias" of MLflow's REST interface. Raises OSError if the server does
    not answer or fails.
    """
    try:
        response = urlopen(_request(corpus), timeout=SERVER_TIMEOUT)
    except HTTPError as error:
        if error.code >= 500:
            raise
        response = error  # MLflow explains itself in the body
    except HTTPException:
        return None
    with response:
        try:
            answer = json.load(response)
        except ValueError:
            return None
    match answer:
        case {"model_version": {"version": version}}:
            return str(version)
        case {"error_code": "RESOURCE_DOES_NOT_EXIST"}:
            return NO_CHAMPION
        case {"error_code": "INVALID_PARAMETER_VALUE", "message": str(message)} if "alias" in message:
            return NO_CHAMPION
    return None


def _request(corpus: str) -> Request:
    uri = location.store_uri()
    query = urlencode({"name": corpus, "alias": CHAMPION})
    address = f"{location.without_password(uri)}/api/2.0/mlflow/registered-models/alias"
    request = Request(f"{address}?{query}")
    if user := urlsplit(uri).username:
        credentials = f"{unquote(user)}:{unquote(urlsplit(uri).password or '')}"
        request.add_header("Authorization", f"Basic {b64encode(credentials.encode()).decode()}")
    return request
