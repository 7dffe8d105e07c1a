"""`spark-submit convtext_label.py` on a real cluster, and the MLflow model as a function of Spark SQL."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import main
from pipeline.prediction.classifier import Classifier
from pipeline.prediction.labeller import Labeller
from pipeline.prediction.output_columns import OutputColumns
from pipeline.tables.columns import concatenate
from pipeline.tracking import package
from tests.prediction.model_folders import TEXTS

pytest.importorskip("pyspark", reason="Spark is installed by `make test-all` alone")
from pipeline.spark import job
from tests.spark.cluster import SCRIPT, Cluster

pytestmark = [
    pytest.mark.slow,
    # SQLAlchemy as MLflow uses it, and TensorFlow's variables, under NumPy 2.4.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
]


def submit(cluster: Cluster, *arguments: str | Path, script: Path = SCRIPT) -> tuple[int, str]:
    """Return the exit code, and what the driver has said, but for Spark's own warning of pandas 3."""
    done = cluster.submit(script, *arguments)
    lines = done.stdout.splitlines(keepends=True)
    return done.returncode, "".join(line for line in lines if "pandas" not in line)


def test_a_csv_is_labelled_and_its_bad_rows_are_set_aside(
    cluster: Cluster, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.csv").write_text(
        'id,review,n\n1,"a ""w2"" film, really",2\n2,bad row\n3,"w3\nw4",4\n4,x,5,6,7\n5,,6\n6,ü句子 w5,1\n'
    )
    words = [f"INPUT={tmp_path / 'rows.csv'}", f"MODEL={model}", f"OUTPUT={tmp_path / 'predicted.csv'}"]
    assert main(["predict", *words, "TOP=2", "UNREADABLE=0.5"]) == 0
    first, *expected = capsys.readouterr().out.splitlines()
    options = ["--model", model, "--format", "csv", "--input", tmp_path / "rows.csv", "--top", "2"]
    code, said = submit(cluster, *options, "--output", f"{tmp_path / 'out'}/", "--unreadable", "0.5")
    assert code == 0
    first, *lines = said.splitlines()
    assert first == "convtext_label: 4 rows labelled"
    where = expected.index("  rows that could not be read: 2")
    until = next(place for place, line in enumerate(expected) if "listed in" in line)
    assert lines[:-3] == expected[:where] + expected[until + 1 :]
    assert lines[-3:] == [
        f"  {tmp_path / 'out'}",
        "  rows that Spark could not read: 2",
        f"  rows that could not be read are in {tmp_path / 'out.rejects'}",
    ]
    found = [row for part in (tmp_path / "out").glob("*.csv") for row in read(part)]
    wanted = read(tmp_path / "predicted.csv")
    assert [row["id"] for row in found] == ["1", "3", "5", "6"]
    for row, other in zip(found, wanted, strict=True):
        assert row.keys() == other.keys()
        for name, value in other.items():
            if name.startswith("probability"):
                assert float(row[name]) == pytest.approx(float(value), abs=6e-5)  # of four decimals
            else:
                assert row[name] == value
    rejected = [row for part in (tmp_path / "out.rejects").glob("*.csv") for row in read(part)]
    assert [(row["id"], row["_corrupt_record"], row["reject_reason"]) for row in rejected] == [
        ("2", "2,bad row", "not a row of the table"),
        ("4", "4,x,5,6,7", "not a row of the table"),
    ]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [*csv.DictReader(file)]


def in_session(session: Any, capsys: pytest.CaptureFixture[str], *options: str | Path) -> tuple[int, str]:
    """Run the job in a session that there is; return the exit code, and what it says."""
    capsys.readouterr()
    code = job.run(session, job.parser().parse_args([*map(str, options)]))
    printed = capsys.readouterr()
    return code, printed.out + "".join(
        line for line in printed.err.splitlines(keepends=True) if line.startswith("convtext_label")
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--input", "rows.parquet", "--text", "reviews"], "there is no column 'reviews' among 'review'"),
        (["--input", "rows.parquet", "--output", "swapped/"], "swapped exists: remove it, or name another"),
        (["--input", "rows.parquet", "--rejects", "out/"], "out is the output itself"),
        (["--input", "rows.parquet", "--option", "a"], "--option a: expected NAME=VALUE"),
        (["--input", "none.parquet"], "[PATH_NOT_FOUND] Path does not exist"),
        (["--input", "damaged.parquet"], "damaged.parquet"),
        (["--input", "swapped", "--format", "csv"], "header"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(
    spark: Any,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    pq.write_table(pa.table({"review": TEXTS}), tmp_path / "rows.parquet")
    (tmp_path / "damaged.parquet").write_bytes((tmp_path / "rows.parquet").read_bytes()[:-40] + bytes(40))
    (tmp_path / "swapped").mkdir()
    (tmp_path / "swapped" / "1.csv").write_text("id,review\n1,w2\n")
    (tmp_path / "swapped" / "2.csv").write_text("review,id\n" + "w2,1\n" * 9)
    places = [
        tmp_path / text if (tmp_path / text).exists() or text.startswith(("out", "none")) else text
        for text in options
    ]
    code, said = in_session(spark, capsys, "--model", model, "--output", tmp_path / "out", *places)
    assert (code, len(said.splitlines())) == (2, 1), said
    assert message in said and "at org.apache" not in said
    assert not [*(tmp_path / "out").glob("part-*")]


def test_too_many_rows_that_cannot_be_read_end_the_job_with_2_and_lose_nothing(
    spark: Any, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.csv").write_text("id,review\n1,w2\n2\n")
    options = ["--input", tmp_path / "bad.csv", "--format", "csv", "--output", tmp_path / "out"]
    code, said = in_session(spark, capsys, "--model", model, *options)
    expected = (
        "convtext_label: 1 of 2 rows cannot be read where 1% are allowed: "
        f"mend those in {tmp_path / 'out'}.rejects, or allow more (--unreadable)"
    )
    assert (code, said.splitlines()[-1]) == (2, expected)
    assert [*(tmp_path / "out").glob("part-*")] and [*(tmp_path / "out.rejects").glob("part-*")]


def test_a_driver_on_the_cluster_takes_the_package_that_is_installed(
    cluster: Cluster, model: Path, tmp_path: Path
) -> None:
    """Spark has copied the file alone to where such a driver runs."""
    pq.write_table(pa.table({"review": TEXTS}), tmp_path / "rows.parquet")
    (tmp_path / "script").mkdir()
    script = tmp_path / "script" / SCRIPT.name
    script.write_bytes(SCRIPT.read_bytes())
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "convtext").symlink_to(SCRIPT.parents[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path / "installed"))
        options = ["--model", model, "--input", tmp_path / "rows.parquet", "--output", tmp_path / "out"]
        code, said = submit(cluster, *options, script=script)
    assert (code, said.splitlines()[0]) == (0, f"convtext_label: {len(TEXTS)} rows labelled")


def test_what_a_worker_lacks_is_named(cluster: Cluster, model: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"review": TEXTS}), tmp_path / "rows.parquet")
    (tmp_path / "regex.py").write_text("raise ModuleNotFoundError(\"No module named 'regex'\")")
    settings = {**cluster.settings, "spark.executorEnv.PYTHONPATH": str(tmp_path)}
    options = ["--model", model, "--input", tmp_path / "rows.parquet", "--output", tmp_path / "out"]
    code, said = submit(replace(cluster, settings=settings), *options)
    expected = "convtext_label: a worker of Python has failed: ModuleNotFoundError: No module named 'regex'\n"
    assert (code, said) == (2, expected)
    assert not [*(tmp_path / "out").glob("*.parquet")]


UDF = """
import json, sys
import mlflow
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
rows = spark.read.parquet(sys.argv[2])
kind = "struct<predicted_label string, probability float>"
label = mlflow.pyfunc.spark_udf(spark, sys.argv[1], result_type=kind, env_manager="local")
found = rows.withColumn("found", label("review")).select("id", "found.*").orderBy("id")
print(json.dumps([[row.predicted_label, row.probability] for row in found.collect()]))
"""


@pytest.fixture(scope="module")
def registered(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the model as a champion in an MLflow store, whose address the environment has."""
    store = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store / 'mlflow.db'}")
        patch.setenv("CONVTEXT_DATA", str(store))
        experiment = mlflow.create_experiment("reviews", str(store / "artifacts"))
        with mlflow.start_run(experiment_id=experiment):
            package.log(model)
        client = mlflow.MlflowClient()
        (logged,) = client.search_logged_models([experiment])
        client.create_registered_model("reviews")
        client.create_model_version("reviews", logged.artifact_location, model_id=logged.model_id)
        client.set_registered_model_alias("reviews", "champion", "1")
        yield "models:/reviews@champion"


def test_the_champion_labels_by_its_address(
    spark: Any, registered: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(pa.table({"review": TEXTS}), tmp_path / "rows.parquet")
    for name, output in ((registered, tmp_path / "champion"), (model, tmp_path / "named")):
        options = ["--model", name, "--input", tmp_path / "rows.parquet", "--output", output]
        code, said = in_session(spark, capsys, *options)
        assert code == 0, said
    tables = [pq.read_table(tmp_path / name).sort_by("review") for name in ("champion", "named")]
    assert tables[0] == tables[1]


def test_the_mlflow_model_is_a_function_of_spark_sql(
    cluster: Cluster, registered: str, model: Path, tmp_path: Path
) -> None:
    """MLflow has workers import it, and so here they may."""
    pq.write_table(pa.table({"id": range(len(TEXTS)), "review": TEXTS}), tmp_path / "rows.parquet")
    (tmp_path / "udf.py").write_text(UDF)
    settings = {name: value for name, value in cluster.settings.items() if "PYTHONPATH" not in name}
    arguments = [registered, tmp_path / "rows.parquet"]
    code, said = submit(replace(cluster, settings=settings), *arguments, script=tmp_path / "udf.py")
    assert code == 0, said
    found = json.loads(said.splitlines()[-1])
    labeller = Labeller(Classifier.load(model), OutputColumns(), None)
    labels, probabilities = labeller.label(*concatenate([text.encode() for text in TEXTS])).columns
    assert [label for label, _ in found] == labels.values()
    assert [np.float32(probability) for _, probability in found] == probabilities.array().tolist()
