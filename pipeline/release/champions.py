"""The champion of a corpus where `predict` finds it at once, without MLflow's import: a note of its version,
and a copy of its model.

The store has the last word, as the alias may be moved in MLflow's pages too: a SQLite file is asked by a
query, a server by one call. Only what then has to be fetched is fetched through MLflow.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from base64 import b64encode
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlencode, urlsplit
from urllib.request import Request, urlopen

from pydantic import ValidationError

from ..artifacts import ChampionFiles, MlflowModelFolder
from ..errors import InputError
from ..files import write_json
from ..options import Section
from ..tracking.location import shown, store, without_password

CHAMPION = "champion"  # the alias
PATIENCE = 3.0  # seconds for a server
QUERY = "select version from registered_model_aliases where name = ? and alias = ?"


class Champion(Section):
    """A version of the registered model `corpus`, of this store; `title` is the run's name."""

    corpus: str
    store: str
    version: str
    model_id: str
    title: str

    @property
    def files(self) -> MlflowModelFolder:
        return ChampionFiles(self.corpus).model(self.model_id)


def current(corpus: str) -> Champion | None:
    """The champion, its model on this machine; None where there is none.

    Where a server does not answer, the last one known is taken, and that is said. Raises InputError where
    none is known.
    """
    known = _known(corpus)
    uri = store()
    if uri.startswith("sqlite:///"):
        version = _in_file(corpus, uri)
    elif uri.startswith(("http://", "https://")):
        try:
            version = _on_server(corpus, uri)
        except OSError as error:
            return _without_answer(known, error)
    else:
        version = "?"  # of another database: MLflow knows
    if version is None:
        return None
    return known if known and known.version == version else remember(corpus)


def remember(corpus: str) -> Champion | None:
    """Ask MLflow for the champion, fetch its model unless it is here, and note it."""
    from . import registry  # here, as MLflow takes seconds to import

    found = registry.champion(corpus)
    if found is None:
        return None
    one = Champion(
        corpus=corpus, store=shown(), version=found.number, model_id=found.model_id, title=found.title
    )
    bring(corpus, one.model_id)
    write_json(ChampionFiles(corpus).note, one.model_dump())
    return one


def bring(corpus: str, model_id: str) -> None:
    """Fetch a model, unless it is here."""
    from . import registry

    place = ChampionFiles(corpus).model(model_id).path
    if not place.is_dir():
        registry.fetch(model_id, place)


def _known(corpus: str) -> Champion | None:
    """What was noted of this store, if its model is still here."""
    try:
        known = Champion.model_validate_json(ChampionFiles(corpus).note.read_bytes())
    except (OSError, ValidationError):
        return None
    return known if known.store == shown() and known.files.path.is_dir() else None


def _in_file(corpus: str, uri: str) -> str | None:
    """The champion's version in MLflow's SQLite file; "?" where only MLflow can read it."""
    path = Path(uri.removeprefix("sqlite:///").partition("?")[0])
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as file:
            row = file.execute(QUERY, (corpus, CHAMPION)).fetchone()
    except sqlite3.Error:
        return "?"
    return str(row[0]) if row else None


def _on_server(corpus: str, uri: str) -> str | None:
    """The same of a server, by MLflow's REST interface; "?" where it says something else. Raises OSError
    where it does not answer, or answers that it cannot."""
    query = urlencode({"name": corpus, "alias": CHAMPION})
    request = Request(f"{without_password(uri)}/api/2.0/mlflow/registered-models/alias?{query}")
    if user := urlsplit(uri).username:
        asks = f"{unquote(user)}:{unquote(urlsplit(uri).password or '')}"
        request.add_header("Authorization", f"Basic {b64encode(asks.encode()).decode()}")
    try:
        with urlopen(request, timeout=PATIENCE) as answer:
            return str(json.load(answer)["model_version"]["version"])
    except HTTPError as error:
        if error.code >= 500:
            raise
        return None if _has_none(error) else "?"
    except (ValueError, KeyError, TypeError, HTTPException):  # no JSON of MLflow's, or no HTTP
        return "?"


def _has_none(error: HTTPError) -> bool:
    """Whether it is MLflow's answer that there is no such model or alias, and not another server's."""
    try:
        found = json.load(error)
        code, message = str(found["error_code"]), str(found["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return False
    return code == "RESOURCE_DOES_NOT_EXIST" or (code == "INVALID_PARAMETER_VALUE" and "alias" in message)


def _without_answer(known: Champion | None, error: OSError) -> Champion:
    if known is None:
        raise InputError(
            f"the tracking server {shown()} does not answer ({error}), so the champion is not known: "
            "name a model with MODEL="
        ) from error
    taken = f"version {known.version}, the last champion known, is taken"
    print(f"convtext: the tracking server {shown()} does not answer: {taken}", file=sys.stderr)
    return known
