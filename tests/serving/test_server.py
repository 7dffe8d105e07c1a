"""MLflow's application behind the guard, asked in this process: forms of a request, and hostile ones."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mlflow.pyfunc import scoring_server

from pipeline.artifacts import RunFolder
from pipeline.files import write_arrays
from pipeline.prediction.classifier import Classifier
from pipeline.serving import server
from pipeline.serving.server import MAX_MESSAGE, Guard
from pipeline.tracking import package
from tests.prediction.model_folders import save_text_model

# TensorFlow's variables, under NumPy 2.4.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
]
TEXTS = ["w2 w4", "w9 w9 w3", "", 'w5 "quoted",\nw2 é']
ROWS = [{"id": number, "review": text} for number, text in enumerate(TEXTS)]
GOOD = json.dumps(TEXTS).encode()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["review", "columns", "data", "index", "x"]), inner, max_size=3)
    ),
    max_leaves=9,
)


class Served:
    """A packed model of random weights, and its classifier."""

    def __init__(self, folder: Path, *columns: str) -> None:
        run = RunFolder(folder / "run")
        save_text_model(run.model, *columns)
        write_arrays(run.row_keys, test=np.zeros(1, np.uint64))
        package.save(folder / "packed", run.model)
        self.classifier = Classifier.load(run.model)
        model = mlflow.pyfunc.load_model(str(folder / "packed"))
        self.guard = Guard(scoring_server.init(model), self.classifier.columns)

    def ask(self, *body: bytes, kind: str | None = "application/json") -> tuple[int, Any]:
        """Return the status and the JSON of the answer to a body that comes in these pieces."""
        pieces = [
            {"type": "http.request", "body": piece, "more_body": number < len(body) - 1}
            for number, piece in enumerate(body)
        ]
        headers = [] if kind is None else [(b"content-type", kind.encode("latin-1"))]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
            "scheme": "http", "path": "/invocations", "raw_path": b"/invocations", "query_string": b"",
            "root_path": "", "headers": headers, "client": ("x", 1), "server": ("x", 1),
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return pieces.pop(0) if pieces else await asyncio.sleep(60, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.guard(scope, receive, send))
        return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent))

    def assert_rejected(self, status: int, said: Any, *expected: str) -> None:
        assert 400 <= status < 500 and said.keys() == {"error_code", "message"}, (status, said)
        line = said["message"]
        assert len(line) <= MAX_MESSAGE and len(line.splitlines()) == 1, line
        assert "Traceback" not in line and all(part in line for part in expected), line


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return Served(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def two_columns(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return Served(tmp_path_factory.mktemp("two"), "title", "body")


@pytest.mark.parametrize(
    "body",
    [
        TEXTS,
        [{"review": text} for text in TEXTS],
        ROWS,
        {"inputs": TEXTS},
        {"inputs": ROWS},
        {"inputs": {"review": TEXTS, "id": [1, 2, 3, 4]}},
        {"instances": TEXTS},
        {"instances": ROWS},
        {"dataframe_records": ROWS},
        {"dataframe_split": {"columns": ["review"], "data": [[text] for text in TEXTS]}},
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_bare_list_and_every_form_of_mlflows_get_the_classifiers_answers(body: Any, served: Served) -> None:
    status, said = served.ask(json.dumps(body).encode())
    assert status == 200, said
    labels, _ = served.classifier.predict(TEXTS)
    assert [row["predicted_label"] for row in said["predictions"]] == labels
    found = [
        [row[f"probability_of_{label}"] for label in ("bad", "fair", "good")] for row in said["predictions"]
    ]
    np.testing.assert_array_equal(np.array(found, np.float32), served.classifier.predict_proba(TEXTS))


def test_a_body_may_come_in_pieces_with_a_byte_order_mark_and_parameters(served: Served) -> None:
    whole = json.dumps({"inputs": TEXTS, "params": {"top": 2, "probabilities": False}}).encode("utf-8-sig")
    status, said = served.ask(whole[:1], whole[1:20], b"", whole[20:])
    assert (status, list(said["predictions"][0])) == (
        200, ["predicted_label", "probability", "predicted_label_2", "probability_2"],
    )  # fmt: skip


def test_of_two_columns_a_list_has_an_object_for_each_row(two_columns: Served) -> None:
    rows = [{"title": "w2 w4", "body": "w9"}, {"body": "w3", "title": ""}]
    split = {"columns": ["title", "body"], "data": [["w2 w4", "w9"], ["", "w3"]]}
    labels, sure = two_columns.classifier.predict(["w2 w4\x1fw9", "\x1fw3"])
    for body in (rows, {"dataframe_records": rows}, {"dataframe_split": split}):
        status, said = two_columns.ask(json.dumps(body).encode())
        assert status == 200, said
        assert [row["predicted_label"] for row in said["predictions"]] == labels
        found = np.array([row["probability"] for row in said["predictions"]], np.float32)
        np.testing.assert_array_equal(found, sure)
    for body, expected in (
        (["w2", "w3"], "missing inputs"),
        ([{"title": "w2"}], "row 0 lacks the column 'body'"),
    ):
        two_columns.assert_rejected(*two_columns.ask(json.dumps(body).encode()), expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "no JSON: Expecting value"),
        (b"good film", "no JSON: Expecting value"),
        (b'["a"', "no JSON: Expecting ',' delimiter"),
        (b'["a"], "params": {}', "no JSON: Extra data"),
        (b"\xff\xfe[]", "no JSON: 'utf-8' codec can't decode byte 0xff"),
        (b"[" * 50_000, "no JSON: maximum recursion depth"),
        (b'{"dataframe_records": ' + b"[" * 50_000, "no JSON: maximum recursion depth"),
        (b"[" + b"9" * 5000 + b"]", "no JSON: Exceeds the limit"),
        (b"[NaN]", "NaN is no value of JSON"),
        (b'{"dataframe_records": [{"review": Infinity}]}', "Infinity is no value of JSON"),
        (b"null", "the body is null: expected a list of texts"),
        (b"7", "the body is a number: expected"),
        (b'"a"', "the body is a string: expected"),
        (b"{}", "the body is an object: expected"),
        (b'{"rows": []}', "the body is an object: expected"),
        (b'{"inputs": ["a"], "instances": ["a"]}', "the body is an object: expected"),
        (b"[]", "no rows"),
        (b'{"inputs": []}', "no rows"),
        (b'{"dataframe_records": null}', "no rows"),
        (b"[1]", "row 0 is a number: expected a string"),
        (b'["a", null]', "row 1 is null: expected a string"),
        (b'["a", true]', "row 1 is a boolean: expected a string"),
        (b'["a", ["b"]]', "row 1 is a list: expected a string"),
        (b'{"inputs": {"review": ["a", 3]}}', "row 1 is a number: expected a string"),
        (b'{"instances": [{"review": "a"}, {"review": {}}]}', "row 1 is an object: expected a string"),
        (b'{"dataframe_records": [{"review": "a"}, {"review": 3}]}', "row 1 is a int: expected a text"),
        (b'[{"x": "a"}]', "row 0 lacks the column 'review': expected a string"),
        (b'["a", {"review": "b"}]', "missing inputs"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"dataframe_split": {"columns": ["review"], "data": [["a", "b"]]}}', "columns"),
        (b'{"inputs": ["a"], "params": {"top": 9}}', "top is 9"),
    ],
    ids=lambda body: str(body)[:40],
)  # fmt: skip
def test_hostile_json_is_rejected_in_a_line(body: bytes, expected: str, served: Served) -> None:
    served.assert_rejected(*served.ask(body), expected)


@pytest.mark.parametrize(
    "kind",
    [None, "", "text/html", "application/vnd.apache.parquet", "é", "application/x-www-form-urlencoded"],
)
def test_a_body_of_another_type_is_rejected_in_a_line(kind: str | None, served: Served) -> None:
    status, said = served.ask(GOOD, kind=kind)
    assert status == 415
    served.assert_rejected(status, said, "expected application/json or text/csv")


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b'review\n"a', b"x\na\n", b"review\na,b,c\nd,e,f,g\n", b"\0" * 99]
)
def test_a_csv_that_cannot_be_read_is_rejected_in_a_line(body: bytes, served: Served) -> None:
    served.assert_rejected(*served.ask(body, kind="text/csv"))


def test_texts_of_a_csv_are_taken_as_they_are(served: Served) -> None:
    """pandas would read NA, None and null as missing, and pass by the empty line."""
    texts = ["NA", "null", "", 'w2 "w3", w4', "None"]
    body = 'review\nNA\nnull\n\n"w2 ""w3"", w4"\nNone\n'.encode("utf-8-sig")
    status, said = served.ask(body, kind="text/csv; charset=utf-8")
    assert status == 200, said
    labels, sure = served.classifier.predict(texts)
    assert [row["predicted_label"] for row in said["predictions"]] == labels
    known = [row["probability"] for row in said["predictions"]]
    assert known[3] == pytest.approx(float(sure[3])) and len(known) == 5


@pytest.mark.parametrize("form", ["inputs", "instances", "dataframe_records", None])
def test_a_row_that_lacks_a_column_is_rejected_and_no_texts_are_mixed(
    form: str | None, two_columns: Served
) -> None:
    rows = [{"title": "w2", "body": "w3"}, {"title": "w4"}, {"body": "w5"}]
    body = json.dumps({form: rows} if form else rows).encode()
    status, said = two_columns.ask(body)
    if form == "dataframe_records":  # of which a missing cell is an empty text
        assert status == 200 and len(said["predictions"]) == 3
    else:
        two_columns.assert_rejected(status, said, "row 1 lacks the column 'body': expected a string")


def test_what_mlflow_says_of_a_request_does_not_repeat_its_rows(served: Served) -> None:
    secret = "rosebud " * 9
    for body in ({"inputs": [{"x": secret}]}, {"dataframe_records": [{"review": secret}, {"review": 3}]}):
        status, said = served.ask(json.dumps(body).encode())
        served.assert_rejected(status, said)
        assert "rosebud" not in str(said)


def test_a_body_that_is_too_long_is_read_to_its_end_and_not_kept(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_BYTES", len(GOOD))
    assert served.ask(GOOD)[0] == 200
    status, said = served.ask(GOOD, b" ", b" " * 999)
    assert status == 413
    served.assert_rejected(status, said, f"{len(GOOD) + 1000:,} bytes: expected at most {len(GOOD):,}")


@pytest.mark.parametrize(
    "body",
    [
        ["w2"] * 5,
        {"inputs": {"review": ["w2"] * 5}},
        {"dataframe_records": [{"review": "w2"}] * 5},
        {"dataframe_split": {"columns": ["review"], "data": [["w2"]] * 5}},
    ],
    ids=lambda body: str(body)[:20],
)
def test_more_rows_than_are_taken_at_once_are_rejected(
    body: Any, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_ROWS", 5)
    assert served.ask(json.dumps(body).encode())[0] == 200
    monkeypatch.setattr(server, "MAX_ROWS", 4)
    served.assert_rejected(*served.ask(json.dumps(body).encode()), "5 rows: expected at most 4")
    csv = b"review\n" + b"w2\n" * 4
    served.assert_rejected(*served.ask(csv, kind="text/csv"), "5 lines: expected at most 4")
    assert served.ask(csv[:-3], kind="text/csv")[0] == 200


@settings(max_examples=300)
@given(
    rows=JSON,
    form=st.sampled_from([None, "inputs", "instances", "dataframe_records", "dataframe_split"]),
    params=JSON | st.just({}),
)
@example(rows=[["a"]], form="dataframe_split", params={})
def test_any_json_is_answered_with_predictions_or_a_line(
    rows: Any, form: str | None, params: Any, served: Served
) -> None:
    body = rows if form is None else {form: rows, "params": params}
    status, said = served.ask(json.dumps(body).encode())
    if status == 200:
        assert said.keys() == {"predictions"}
    else:
        served.assert_rejected(status, said)


@pytest.mark.parametrize("depth", [50, 200, 320, 480, 900])
@pytest.mark.parametrize("form", ["inputs", "instances", "dataframe_records", "dataframe_split", "params"])
def test_nesting_that_is_json_still_is_rejected_in_a_line(depth: int, form: str, served: Served) -> None:
    for opening, closing in (("[", "]"), ('{"review": ', "}")):
        nested = opening * depth + '"a"' + closing * depth
        whole = {
            "dataframe_split": f'{{"columns": ["review"], "data": [[{nested}]]}}',
            "params": f'{{"top": {nested}}}',
        }.get(form, f'[{{"review": {nested}}}]')
        rows = '"inputs": ["a"], ' if form == "params" else ""
        served.assert_rejected(*served.ask(f'{{{rows}"{form}": {whole}}}'.encode()))
