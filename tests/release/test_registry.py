"""From trained runs to a champion, and from the champion to labels: on a file of one's own, and on a real
server."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from pipeline.__main__ import main
from pipeline.artifacts import ChampionFiles, MlflowModelFolder, RunFolder
from pipeline.errors import InputError
from pipeline.release import champions, registry
from pipeline.tracking import location, store
from tests.tracking_server import Server

# SQLAlchemy as MLflow uses it, and TensorFlow's variables under NumPy 2.4.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
]
SMALL = "embed.dimensions=16 network.filters=8 train.batch_size=16"
GOOD, POOR, OTHER = "kim-rand", "kim-static", "kim-nonstatic"
LEARNING = {
    GOOD: "train.epochs=4",
    POOR: "train.epochs=1 train.learning_rate=1e-6",
    OTHER: "train.epochs=4 embed.vectors=random network.channels=[tuned]",
}
Verb = Callable[..., tuple[int, str]]


def trained(csv: Path, model: str) -> RunFolder:
    settings = ["TEXT=review", "LABEL=stars", f"SET={SMALL} {LEARNING[model]}"]
    assert main(["configure", f"CORPUS={csv}", f"MODEL={model}", *settings]) == 0
    (folder,) = Path(os.environ["CONVTEXT_DATA"]).glob(f"build/*/{model}")
    for verb in ("prepare", "tokenize", "baseline"):
        if not (folder.parent / "baseline_accuracy.parquet").exists():
            assert main(["stage", verb, str(folder.parent)]) == 0
    for verb in ("embed", "train", "evaluate"):
        assert main(["stage", verb, str(folder)]) == 0
    return RunFolder(folder)


@pytest.fixture(scope="module", params=["file", "server"])
def uri(request: pytest.FixtureRequest) -> str:
    """MLFLOW_TRACKING_URI."""
    if request.param == "file":
        return ""
    server: Server = request.getfixturevalue("tracking_server")
    return server.uri


@pytest.fixture(scope="module")
def data(uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """CONVTEXT_DATA with three runs in it, of which one has learned nothing."""
    folder = tmp_path_factory.mktemp("data")
    words = ["lovely", "awful"]
    rows = [
        f"a {words[n % 2]} film number {n} at {n * 7 % 23} o'clock,{5 - 4 * (n % 2)}\n" for n in range(600)
    ]
    (folder / "reviews.csv").write_text("review,stars\n" + "".join(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVTEXT_DATA", str(folder))
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        for model in LEARNING:
            trained(folder / "reviews.csv", model)
        yield folder


@pytest.fixture(autouse=True)
def corpus(data: Path) -> str:
    """The registered model's name; nothing is registered under it, nor known of it."""
    folder = next(data.glob(f"build/*/{GOOD}")).parent
    with suppress(mlflow.exceptions.MlflowException):
        store.connect().client.delete_registered_model(folder.name)
    shutil.rmtree(data / "tracking" / "champions", ignore_errors=True)
    return folder.name


@pytest.fixture
def verb(data: Path, capsys: pytest.CaptureFixture[str]) -> Verb:
    """Runs a verb on the corpus; gives its exit code and all that it printed, on one line."""

    def run(name: str, *arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main([name, f"CORPUS={data / 'reviews.csv'}", *arguments])
        printed = capsys.readouterr()
        return code, " ".join((printed.out + printed.err).split())

    return run


def register(verb: Verb, model: str, *more: str) -> tuple[int, str]:
    return verb("register", f"MODEL={model}", *more)


def run_of(data: Path, corpus: str, model: str) -> str:
    return str(json.loads((data / "build" / corpus / model / "run.json").read_text())["mlflow_run"])


def test_the_first_champion_is_better_than_the_majority_class_and_labels_from_then_on(
    verb: Verb, data: Path, corpus: str, tmp_path: Path
) -> None:
    code, printed = register(verb, GOOD)
    assert (code, "version 1 is the champion" in printed) == (0, True)
    assert "30 rows fixed, 0 broken: +50.0 points" in printed
    champion = champions.current(corpus)
    assert champion and (champion.files.path / "MODEL_CARD.md").read_text().startswith("---\n")
    for name, model in (("champion", ""), ("named", GOOD)):
        source, output = str(data / "reviews.csv"), str(tmp_path / f"{name}.csv")
        code, printed = verb("predict", f"MODEL={model}", f"INPUT={source}", f"OUTPUT={output}")
        assert code == 0
        assert ("by the champion, version 1 (kim-rand)" in printed) == (not model)
    assert (tmp_path / "champion.csv").read_bytes() == (tmp_path / "named.csv").read_bytes()
    code, printed = register(verb, GOOD)
    assert (code, "the champion already, as version 1" in printed) == (0, True)


def test_a_version_labels_by_its_address_in_mlflow(
    verb: Verb, data: Path, corpus: str, tmp_path: Path
) -> None:
    assert register(verb, GOOD)[0] == 0
    source = f"INPUT={data / 'reviews.csv'}"
    for number, model in enumerate((GOOD, f"models:/{corpus}@champion", f"models:/{corpus}/1")):
        code, printed = verb("predict", f"MODEL={model}", source, f"OUTPUT={tmp_path / f'{number}.csv'}")
        assert code == 0, printed
        assert (tmp_path / f"{number}.csv").read_bytes() == (tmp_path / "0.csv").read_bytes()
    for wrong, message in (
        (f"models:/{corpus}@challenger", f"there is no models:/{corpus}@challenger in "),
        (f"models:/{corpus}/9", f"there is no models:/{corpus}/9 in "),
        ("models:/nothing@champion", "there is no models:/nothing@champion in "),
        (f"models:/{corpus}", "expected models:/<name>@<alias> or models:/<name>/<version>"),
    ):
        code, printed = verb("predict", f"MODEL={wrong}", source)
        assert (code, message in printed, "Traceback" in printed) == (2, True, False), printed


def test_what_is_no_better_than_the_majority_class_is_no_champion(verb: Verb) -> None:
    code, printed = register(verb, POOR)
    assert (code, "is not promoted: there is no champion yet" in printed) == (1, True)
    code, printed = verb("rollback")
    assert (code, "has no champion" in printed) == (2, True)


def test_a_worse_run_is_refused_and_the_comparison_is_logged_to_it(
    verb: Verb, data: Path, corpus: str
) -> None:
    register(verb, GOOD)
    code, printed = register(verb, POOR)
    assert code == 1
    assert "FAILED accuracy: higher by more than 1.41 standard errors" in printed
    assert "version 1 stays the champion" in printed
    client = store.connect().client
    run = run_of(data, corpus, POOR)
    assert client.get_run(run).data.tags["registration"] == "refused"
    logged = {Path(file.path).name for file in client.list_artifacts(run, "registration")}
    assert logged == {"comparison.json", "comparison.md", "changed_rows.csv"}
    report = json.loads((data / "build" / corpus / POOR / "registration" / "comparison.json").read_text())
    assert (report["champion"], report["paired"]["fixed"], report["forced"]) == ("1", 0, "")
    changed = (data / "build" / corpus / POOR / "registration" / "changed_rows.csv").read_text().splitlines()
    assert len(changed) == 1 + report["paired"]["broken"] > 1
    assert len(client.search_model_versions(f"name='{corpus}'")) == 1


def test_a_rollback_goes_back_champion_by_champion(verb: Verb, data: Path, tmp_path: Path) -> None:
    register(verb, GOOD)
    code, printed = register(verb, OTHER)  # its equal: no row changes
    assert (
        "FAILED accuracy: higher by more than 1.41 standard errors, 0.0 points; 100.0%, champion 100.0%"
        in (printed)
    )
    assert code == 1
    assert "no significant difference: McNemar's p = 1" in printed
    code, printed = register(verb, OTHER, "FORCE=it needs no vectors")
    assert (code, "version 2 is the champion" in printed) == (0, True), printed
    code, printed = register(verb, POOR, "FORCE=1")
    assert (code, "FORCE=1: expected the reason" in printed) == (2, True)
    code, printed = register(verb, POOR, "FORCE=the others leak")
    assert (code, "promoted in spite of this: the others leak" in printed) == (0, True)
    assert "version 3 is the champion" in printed
    for back in ("version 2 (kim-nonstatic) is the champion, in place of 3", "version 1 (kim-rand)"):
        code, printed = verb("rollback")
        assert (code, back in printed) == (0, True)
    code, printed = verb("predict", "MODEL=", f"INPUT={data / 'reviews.csv'}", f"OUTPUT={tmp_path / 'x'}")
    assert "by the champion, version 1" in printed
    code, printed = verb("rollback")
    assert (code, "the first champion: there is none before it" in printed) == (2, True)


def looks(printed: str) -> str:
    found = re.search(
        r"(No other run is on record as|(\d) runs, this one included, have been) compared on", printed
    )
    assert found, printed
    return found[2] or "1"


def test_every_run_that_is_compared_is_counted_once_for_its_test_rows(
    verb: Verb, data: Path, corpus: str
) -> None:
    """Also one that is refused, before there is a champion and after."""
    assert looks(register(verb, POOR)[1]) == "1"
    assert looks(register(verb, POOR)[1]) == "1"
    assert looks(register(verb, GOOD)[1]) == "2"
    code, printed = register(verb, OTHER)
    assert (code, looks(printed)) == (1, "3")
    assert "by luck alone, the best of so many equals is 0.0 points of accuracy above" in printed
    client = store.connect().client
    tags = client.get_run(run_of(data, corpus, OTHER)).data.tags
    assert (tags["registration.looks"], tags["registration.criterion"]) == ("3", "accuracy")
    assert client.get_model_version(corpus, "1").tags["looks"] == "2"
    report = json.loads((data / "build" / corpus / OTHER / "registration" / "comparison.json").read_text())
    assert (report["decision"]["looks"], report["luck"]) == (3, 0.0)
    assert registry.count_look(corpus, "other-rows", "1", "x") == 1


def test_each_challenger_of_a_champion_has_to_lead_by_more_and_keeps_its_number(
    verb: Verb, data: Path, corpus: str
) -> None:
    """The count is kept by the champion's version in the store, and a new champion begins with none."""
    register(verb, GOOD)
    assert (
        "number 1 to challenge version 1 here, and has to lead by 1.41 standard errors: "
        in (register(verb, POOR)[1])
    )
    told = (
        "number 2 to challenge version 1 here, and has to lead by 1.94 standard errors, where the first had"
    )
    assert told in register(verb, OTHER)[1]
    shutil.rmtree(data / "tracking" / "champions")  # what another machine has not
    assert told in register(verb, OTHER)[1]
    client = store.connect().client
    tags = client.get_model_version(corpus, "1").tags
    noted = {tag.rpartition(".")[2]: number for tag, number in tags.items() if tag.startswith("challenger.")}
    assert noted == {run_of(data, corpus, POOR): "1", run_of(data, corpus, OTHER): "2"}
    register(verb, OTHER, "FORCE=to have two")
    assert "number 1 to challenge version 2 here" in register(verb, POOR)[1]


def test_mlflows_pages_say_since_when_by_whom_and_against_what_there_is_a_champion(
    verb: Verb, data: Path, corpus: str
) -> None:
    register(verb, GOOD)
    client = store.connect().client
    client.update_registered_model(
        corpus, "Of the web shop.\n\n" + client.get_registered_model(corpus).description
    )
    register(verb, OTHER, "FORCE=it needs no vectors")
    verb("rollback")
    name = getpass.getuser()
    page = client.get_model_version(corpus, "2").description
    assert re.search(rf"\*\*Champion since\*\* \d{{4}}-\d\d-\d\d \d\d:\d\d UTC by {name}\n", page)
    assert "**In place of:** version 1 (kim-rand)" in page
    rows = client.get_model_version(corpus, "2").tags["test_rows"]
    assert f"60 test rows of {corpus} (digest of the test part `{rows}`)" in page.replace("\\_", "_")
    assert "**Decided by:** accuracy +0.0 points, 95 % interval" in page
    assert "**In spite of failed checks** (accuracy): it needs no vectors" in page
    assert client.get_model_version(corpus, "2").tags["registered_by"] == name
    own, _, events = client.get_registered_model(corpus).description.partition("## Champions")
    assert own == "Of the web shop.\n\n"
    assert [line.partition(": version ")[2][:7] for line in events.split("\n- ")[1:]] == [
        "1 again", "2 (kim-", "1 (kim-"
    ]  # fmt: skip
    assert (
        "version 1 again, by a rollback from version 2" in client.get_model_version(corpus, "1").description
    )


def test_a_run_that_passed_waits_for_approval_where_the_registered_model_asks_for_it(
    verb: Verb, data: Path, corpus: str
) -> None:
    client = store.connect().client
    client.create_registered_model(corpus, tags={"convtext.approval": "required"})
    assert (register(verb, POOR)[0], client.search_model_versions(f"name='{corpus}'")) == (1, [])
    for _ in range(2):  # the same version waits on
        code, printed = register(verb, GOOD)
        asked = "version 1 (kim-rand) awaits approval: give it the tag convtext.approved_by" in printed
        assert (code, asked) == (1, True), printed
        assert {*client.get_registered_model(corpus).aliases} == {"challenger"}
    assert client.get_run(run_of(data, corpus, GOOD)).data.tags["registration"] == "awaits approval"
    assert "awaits approval" in client.get_model_version(corpus, "1").description
    assert champion_of(corpus) is None

    client.set_model_version_tag(corpus, "1", "convtext.approved_by", "bob")
    code, printed = register(verb, GOOD)
    assert (code, "version 1 is the champion" in printed) == (0, True), printed
    assert {*client.get_registered_model(corpus).aliases} == {"champion"}
    assert "- **Approved by:** bob" in client.get_model_version(corpus, "1").description
    assert ", approved by bob: version 1" in client.get_registered_model(corpus).description

    # The approval was of that version's first promotion: force does without the gate, not without approval.
    code, printed = register(verb, OTHER, "FORCE=to have two")
    assert (code, "version 2 (kim-nonstatic) awaits approval" in printed) == (1, True)
    assert champion_of(corpus) == ("1", GOOD)
    client.delete_registered_model_tag(corpus, "convtext.approval")
    assert "version 2 is the champion" in register(verb, OTHER, "FORCE=to have two")[1]
    assert {*client.get_registered_model(corpus).aliases} == {"champion"}


def champion_of(corpus: str) -> tuple[str, str] | None:
    champion = champions.current(corpus)
    return champion and (champion.version, champion.title)


def test_an_alias_moved_in_mlflows_pages_is_followed(verb: Verb, corpus: str, uri: str) -> None:
    """On a server at once; in a file, which is not shared, by the next `register` or `rollback`."""
    register(verb, GOOD)
    register(verb, OTHER, "FORCE=to have two")
    client = store.connect().client
    client.set_registered_model_alias(corpus, "champion", "1")
    if not uri:
        assert champion_of(corpus) == ("2", OTHER)
        assert "the champion already, as version 1" in register(verb, GOOD)[1]
    assert champion_of(corpus) == ("1", GOOD)
    client.delete_registered_model_alias(corpus, "champion")
    if not uri:
        assert champion_of(corpus) == ("1", GOOD)
        assert "has no champion" in verb("rollback")[1]
    assert champion_of(corpus) is None


def test_a_champion_that_is_noted_is_found_without_mlflow(verb: Verb, corpus: str) -> None:
    code = (
        "import sys\nfrom pipeline.release import champions\n"
        "print(champions.current(sys.argv[1]), 'mlflow' in sys.modules)"
    )

    def current() -> str:
        command = [sys.executable, "-c", code, corpus]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert current() == "None False\n"
    register(verb, GOOD)
    assert "version='1'" in current() and current().endswith(" False\n")


def test_a_note_of_another_store_or_of_a_model_that_is_gone_is_renewed(verb: Verb, corpus: str) -> None:
    register(verb, GOOD)
    files = ChampionFiles(corpus)
    noted = json.loads(files.note.read_text())
    files.note.write_text(json.dumps(noted | {"store": "sqlite:////elsewhere.db", "version": "7"}))
    assert champion_of(corpus) == ("1", GOOD)
    assert json.loads(files.note.read_text()) == noted
    model = files.model(noted["model_id"])
    for removed in (model.path, model.classifier):  # the latter as the error about a damaged one advises
        shutil.rmtree(removed)
        assert champion_of(corpus) == ("1", GOOD)
        assert (model.classifier / "manifest.json").is_file()


def test_mlflow_itself_finds_the_champion_by_its_alias(
    verb: Verb, data: Path, corpus: str, tmp_path: Path
) -> None:
    register(verb, GOOD)
    output = tmp_path / "labelled.csv"
    source = str(data / "reviews.csv")
    verb("predict", "MODEL=", f"INPUT={source}", "PROBABILITIES=1", f"OUTPUT={output}")
    command = [sys.executable, "-m", "mlflow", "models", "predict", "-m", f"models:/{corpus}@champion"]
    command += ["-i", source, "--content-type", "csv", "--env-manager", "local", "-o", "served.json"]
    there = os.environ | {"MLFLOW_TRACKING_URI": location.store_uri(), "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(command, cwd=tmp_path, env=there, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    served = pd.DataFrame(json.loads((tmp_path / "served.json").read_text())["predictions"])
    labelled = pd.read_csv(output, dtype={"predicted_label": str})
    assert served["predicted_label"].tolist() == labelled["predicted_label"].tolist()
    names = ["probability", "probability_of_1", "probability_of_5"]
    np.testing.assert_allclose(served[names], labelled[names], atol=5e-5)  # in CSV, four digits of them


def with_test_rows_learned(champion: MlflowModelFolder, rows: int) -> None:
    with np.load(champion.row_keys) as arrays:
        keys = dict(arrays)
    np.savez(champion.row_keys, allow_pickle=False, **keys | {"train": keys["test"][:rows]})


def with_rows_noted_before(champion: MlflowModelFolder, rows: int) -> None:
    with np.load(champion.row_keys) as arrays:
        keys = {name: values for name, values in arrays.items() if name != "normal_form"}
    np.savez(champion.row_keys, allow_pickle=False, **keys)


def with_groups_noted(champion: MlflowModelFolder, rows: int) -> None:
    with np.load(champion.row_keys) as arrays:
        keys = dict(arrays)
    groups = {f"{part}_groups": keys[part] for part in ("train", "validation", "test")}
    np.savez(champion.row_keys, allow_pickle=False, **keys | groups)


def of_a_format_before(champion: MlflowModelFolder, rows: int) -> None:
    manifest = champion.classifier / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 1}))


def test_rows_that_the_champion_was_trained_on_are_left_out(verb: Verb, corpus: str) -> None:
    register(verb, GOOD)
    champion = champions.current(corpus)
    assert champion is not None
    with_test_rows_learned(champion.files, 12)
    code, printed = register(verb, OTHER)
    assert code == 1
    assert "FAILED rows: at least 50 that neither was trained on; 48; 12 left out" in printed


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (with_test_rows_learned, "the champion was trained on all of this run's test rows"),
        (of_a_format_before, "format 1 of the model is not"),
        (with_groups_noted, "the champion was split by group and this run was not"),
        (with_rows_noted_before, "the champion's rows were noted by an earlier version"),
    ],
)
def test_a_champion_that_cannot_be_compared_with_falls_by_force_alone(
    verb: Verb, data: Path, corpus: str, spoil: Callable[[MlflowModelFolder, int], None], reason: str
) -> None:
    register(verb, GOOD)
    champion = champions.current(corpus)
    assert champion is not None
    spoil(champion.files, 60)
    code, printed = register(verb, OTHER)
    assert (code, reason in printed) == (2, True)
    assert 'FORCE="the reason" promotes it uncompared' in printed
    code, printed = register(verb, OTHER, "FORCE=the champion has seen the test rows")
    assert (code, "version 2 is the champion" in printed) == (0, True), printed
    assert "FAILED champion: compared on the same rows; " in printed and reason in printed
    assert "passed accuracy: significantly better than the majority class" in printed
    result = json.loads((data / "build" / corpus / OTHER / "registration" / "comparison.json").read_text())
    assert (result["champion"], result["old"]) == ("1", None)
    assert result["forced"] == "the champion has seen the test rows"
    assert "version 1 (kim-rand) is the champion" in verb("rollback")[1]


def test_two_runs_that_are_registered_at_once_are_judged_one_after_the_other(data: Path, corpus: str) -> None:
    """The second of two equals is compared with the first, and not, as the first is, with no champion."""
    command = [sys.executable, "-m", "pipeline", "register", f"CORPUS={data / 'reviews.csv'}"]
    started = [
        subprocess.Popen(
            [*command, f"MODEL={model}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for model in (GOOD, OTHER)
    ]
    printed = [process.communicate(timeout=240) for process in started]
    assert sorted(process.returncode for process in started) == [0, 1], printed
    assert "is not promoted: version 1 stays the champion" in "".join(err for _, err in printed)
    client = store.connect().client
    assert [str(found.version) for found in client.search_model_versions(f"name='{corpus}'")] == ["1"]
    assert str(client.get_registered_model(corpus).aliases["champion"]) == "1"


def test_a_server_that_does_not_answer_leaves_the_last_champion_known(
    verb: Verb, corpus: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    register(verb, GOOD)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    note = ChampionFiles(corpus).note
    code, printed = verb("predict", "MODEL=", f"INPUT={note}", f"OUTPUT={note}" + ".csv")
    assert (code, "name a model with MODEL=" in printed) == (2, True)
    note.write_text(json.dumps(json.loads(note.read_text()) | {"store": location.store_fingerprint()}))
    champion = champions.current(corpus)
    assert champion is not None and champion.version == "1"
    assert "version 1, the last champion known, is used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, '{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such model"}', "none"),
        (400, '{"error_code": "INVALID_PARAMETER_VALUE", "message": "alias champion not found"}', "none"),
        (404, "<h1>not MLflow</h1>", "MLflow is asked"),
        (503, "", "the last one known"),
    ],
)
def test_only_mlflows_own_answer_says_that_there_is_no_champion(
    status: int, body: str, expected: str, verb: Verb, corpus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    register(verb, GOOD)
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://me:a%40b@127.0.0.1:{server.server_port}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        note = ChampionFiles(corpus).note
        note.write_text(json.dumps(json.loads(note.read_text()) | {"store": location.store_fingerprint()}))
        if expected == "MLflow is asked":
            with pytest.raises(InputError, match="cannot be used"):
                champions.current(corpus)
        else:
            known = champions.current(corpus)
            assert (known.version if known else None) == (None if expected == "none" else "1")
        server.shutdown()
    assert asked[0] == "Basic " + b64encode(b"me:a@b").decode()


def test_runs_are_compared_by_folder_id_beginning_of_it_or_name(
    verb: Verb, data: Path, corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poor = run_of(data, corpus, POOR)
    name = store.connect().client.get_run(poor).info.run_name
    for called in (str(data / "build" / corpus / POOR), poor, poor[:12], f"'{name}'"):
        output = tmp_path / "differing.csv"
        runs = f"{run_of(data, corpus, GOOD)} {called}"
        assert main(["compare", f"RUNS={runs}", f"OUTPUT={output}"]) == 0
        printed = capsys.readouterr().out
        assert "embed.vectors" in printed and "train.seed" not in printed
        assert max(map(len, printed.splitlines()[:-1])) <= 79
        assert len(output.read_text().splitlines()) > 1
    assert main(["compare", f"RUNS={poor} nothing"]) == 2
    assert f"RUNS: no run 'nothing' in {location.redacted_uri()}: " in capsys.readouterr().err
    assert main(["compare", f"RUNS={poor}"]) == 2
