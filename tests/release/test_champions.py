"""The champion as `predict` finds it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.models import Model

from pipeline.artifacts import ChampionFiles
from pipeline.errors import InputError
from pipeline.release import champions, find, registry
from pipeline.release.champion_note import Champion, write_note
from pipeline.tracking import location, mlflow_calls, store
from pipeline.tracking.run import new_run
from tests.hostile_server import Answer, drip, flood, hostile_server, never
from tests.tracking_server import Server, free_port

# MLflow's own use of Pydantic and SQLAlchemy.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path))


def test_a_model_that_was_kept_is_sent_and_is_champion_on_the_server(
    tracking_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "packed"
    packed.mkdir()
    Model().save(str(packed / "MLmodel"))
    (packed / "weights").write_text("1 2 3")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    with new_run("one", {"seed": 1}, {}) as run:
        run.record(do="model", path=str(packed))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server.uri)
    assert champions.current("reviews") is None
    list(mlflow_calls.send())

    sent = find.stored_id(run.id)
    model = registry.model_of(sent)
    candidate = registry.Candidate("reviews", sent, model, "kim-rand")
    assert registry.promote(candidate, {}, "", "a page").replaced == ""
    champion = champions.current("reviews")
    assert champion is not None
    assert (champion.version, champion.title, champion.model_id) == ("1", "kim-rand", model)
    assert (champion.files.path / "weights").read_text() == "1 2 3"
    described = Model.load(str(champion.files.path))
    assert (described.model_id, described.run_id) == (model, sent)
    for judged in ("", "7"):  # another machine has promoted meanwhile
        with pytest.raises(InputError, match="it is version 1 now.*: nothing was changed"):
            registry.promote(candidate, {}, judged, "a page")
    client = store.connect().client
    assert [version.version for version in client.search_model_versions("name='reviews'")] == ["1"]
    second = registry.promote(candidate, {}, "1", "a page")
    assert second.replaced == "1"
    assert registry.previous("reviews")[0].number == "1"
    first = registry.previous("reviews")[0]
    with pytest.raises(InputError, match="nothing was changed"):
        registry.set_champion("reviews", first, "1")
    registry.set_champion("reviews", first, second.number)
    assert registry.champion("reviews") == first


MODEL = f"m-{'0123456789abcdef' * 2}"


def note(corpus: str = "reviews") -> Champion:
    """Note a champion of the store in use, with its model."""
    champion = Champion(
        corpus=corpus, store=location.store_fingerprint(), version="3", model_id=MODEL, title="good"
    )
    champion.files.classifier.mkdir(parents=True)
    write_note(champion)
    return champion


@pytest.mark.parametrize("answer", [Answer(never), Answer(drip), Answer(flood), Answer(b"", 503)])
def test_a_server_whose_answer_has_no_end_leaves_the_last_champion_known(
    answer: Answer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(champions, "SERVER_TIMEOUT", 0.5)
    with hostile_server({"registered-models/alias": answer}) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with pytest.raises(InputError, match="does not answer .* the champion is not known"):
            champions.current("reviews")
        known = note()
        assert champions.current("reviews") == known
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "version 3, the last champion known, is used" in error


def test_an_answer_that_makes_no_sense_leaves_the_last_champion_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with hostile_server({"*": Answer(b"<h1>Sign in</h1>")}) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        known = note()
        assert champions.current("reviews") == known
        assert "version 3, the last champion known, is used" in capsys.readouterr().err


def test_a_database_that_another_process_keeps_locked_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champions, "LOCK_TIMEOUT", 0.05)
    database = tmp_path / "runs.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    assert champions.current("reviews") is None
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("create table runs (id)")
        other.execute("begin exclusive")
        with pytest.raises(
            InputError, match=r"runs.db cannot be read \(database is locked\), so the champion"
        ):
            champions.current("reviews")
        known = note()
        assert champions.current("reviews") == known


@pytest.mark.parametrize(
    "change",
    [
        {"model_id": "../../victim"}, {"model_id": ""}, {"model_id": 7}, {"version": "../1"},
        {"corpus": "other"},
    ],
)  # fmt: skip
def test_a_note_that_names_no_model_of_ours_is_no_note(
    change: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "tracking").mkdir()
    (tmp_path / "tracking" / "mlflow.db").touch()
    champion = note()
    assert champions.current("reviews") == champion
    (tmp_path / "victim").mkdir()
    file = ChampionFiles("reviews").note
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    monkeypatch.setattr(champions, "refresh", lambda corpus: None)
    assert champions.current("reviews") is None
