"""Data frames labelled on a real cluster: the bits of `predict`, by any partitions and whatever dies."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.__main__ import main
from pipeline.errors import InputError
from pipeline.prediction.classifier import Classifier
from tests.prediction.model_folders import WORDS, change_json, save_image_model, save_text_model

pytest.importorskip("pyspark", reason="Spark is installed by `make test-all` alone")
from pipeline.spark import Report, label, rejects
from tests.spark.cluster import children, processes

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's variables, under NumPy 2.4; pandas, which Spark asks for.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]
ALL = {"top": 3, "probabilities": True, "evidence": True, "shares": True}
ROWS = 4_000


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts of known and of unseen words, without words, and nulls, in four row groups."""
    random = np.random.default_rng(3)
    words = np.array([*WORDS, "zzz", "Ünseen", "句子", '"quoted"', "a\nb"])
    texts: list[str | None] = [" ".join(random.choice(words, random.integers(0, 30))) for _ in range(ROWS)]
    texts[::97] = [None] * len(texts[::97])
    path = tmp_path_factory.mktemp("table") / "rows.parquet"
    pq.write_table(pa.table({"id": range(ROWS), "review": texts}), path, row_group_size=ROWS // 4)
    return path


@pytest.fixture(scope="module")
def predicted(table: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """What `predict` makes of the table."""
    output = tmp_path_factory.mktemp("predicted") / "rows.parquet"
    words = [f"INPUT={table}", f"MODEL={model}", f"OUTPUT={output}"]
    assert main(["predict", *words, "TOP=3", "PROBABILITIES=1", "EVIDENCE=1", "SHARES=1"]) == 0
    return pq.read_table(output)


def read(folder: Path) -> pa.Table:
    """Return what Spark has written, in the order of the ids."""
    return pq.read_table(folder).sort_by("id")


def assert_same_bits(found: pa.Table, expected: pa.Table) -> None:
    assert found.column_names == expected.column_names
    for name in expected.column_names:
        assert found[name].combine_chunks().equals(expected[name].combine_chunks()), name


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_the_bits_are_those_of_predict(
    spark: Any, table: Path, model: Path, predicted: pa.Table, partitions: int, tmp_path: Path
) -> None:
    rows, report = spark.read.parquet(str(table)).repartition(partitions), Report()
    label(rows, model, **ALL, report=report).write.parquet(str(tmp_path / "out"))
    assert_same_bits(read(tmp_path / "out"), predicted)
    assert (report.rows, report.rejected) == (ROWS, 0)


def test_the_report_says_what_predict_says(
    spark: Any, table: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"INPUT={table}", f"MODEL={model}", f"OUTPUT={tmp_path / 'rows.parquet'}", "ABSTAIN=0.5"]
    assert main(["predict", *words]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    report = Report()
    label(spark.read.parquet(str(table)), model, abstain=0.5, report=report).write.parquet(
        str(tmp_path / "o")
    )
    assert str(report).splitlines() == [f"{ROWS:,} rows labelled", *lines]
    assert len(lines) >= 4 and f"{ROWS:,} rows labelled" in first


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found in /proc")
@pytest.mark.parametrize("victim", ["CoarseGrainedExecutorBackend", "pyspark.daemon"])
def test_what_is_killed_is_made_again_and_counts_once(
    spark: Any, table: Path, model: Path, predicted: pa.Table, victim: str, tmp_path: Path
) -> None:
    report, tracker = Report(), spark.sparkContext.statusTracker()
    labelled = label(spark.read.parquet(str(table)).repartition(20), model, **ALL, report=report)
    job = threading.Thread(target=lambda: labelled.write.parquet(str(tmp_path / "out")))
    job.start()
    while not any(tracker.getStageInfo(stage).numCompletedTasks > 2 for stage in running_stages(tracker)):
        assert job.is_alive()
        time.sleep(0.01)
    killed = processes(victim)[0]  # an executor, or the process that starts its workers of Python, and them
    for process in [killed, *children(killed)]:
        os.kill(process, signal.SIGKILL)
    job.join()
    assert_same_bits(read(tmp_path / "out"), predicted)
    assert report.rows == ROWS


def running_stages(tracker: Any) -> list[int]:
    """Return those that label: they have more tasks than the one that reads the table."""
    return [stage for stage in tracker.getActiveStageIds() if tracker.getStageInfo(stage).numTasks == 20]


def test_columns_of_all_kinds_are_kept(spark: Any, model: Path) -> None:
    values = {
        "id": "1L",
        "review": "'w2 w3'",
        "flag": "true",
        "price": "12.345",
        "at": "timestamp'1969-12-31 23:59:59.123456'",
        "local": "timestamp_ntz'2020-01-01 00:00:00'",
        "day": "date'0001-01-01'",
        "raw": "X'00FF'",
        "tags": "array('a', null)",
        "counts": "map('k', 1)",
        "nested": "named_struct('a', named_struct('b', array(1.5D, null)), 'c', 'ü')",
        "wait": "interval '1 02:03:04' day to second",
        "json": "parse_json('{\"a\": [1, null]}')",
        "nothing": "null",
        "a.b c": "1",
    }
    from pyspark.sql.functions import column

    names = [*values]
    rows = spark.sql("select " + ", ".join(values.values())).toDF(*names)
    rows = rows.union(spark.sql("select 2L, " + ", ".join(["null"] * (len(names) - 1))))
    found = label(rows, model)
    assert found.columns == [*names, "predicted_label", "probability"]
    assert found.schema.fields[: len(names)] == rows.schema.fields
    kept = found.select(*(f"`{name}`" for name in names)).withColumn("json", column("json").cast("string"))
    assert kept.collect() == rows.withColumn("json", column("json").cast("string")).collect()
    assert [row.probability > 0 for row in found.orderBy("id").collect()] == [True, False]


def test_a_column_that_may_not_be_null_stays_so(spark: Any, model: Path) -> None:
    found = label(spark.range(3).selectExpr("id", "concat('w', id + 2) as review"), model)
    assert [field.nullable for field in found.schema] == [False, False, True, True]
    assert found.count() == 3


@pytest.mark.parametrize("large", ["true", "false"])
def test_strings_of_either_size_are_read(spark: Any, table: Path, model: Path, large: str) -> None:
    key = "spark.sql.execution.arrow.useLargeVarTypes"
    spark.conf.set(key, large)
    try:
        found = label(spark.read.parquet(str(table)).limit(100), model, evidence=True)
        assert found.where("evidence is not null").count() == 100
    finally:
        spark.conf.unset(key)


def test_partitions_without_rows_give_none(spark: Any, table: Path, model: Path) -> None:
    rows = spark.read.parquet(str(table))
    assert label(rows.limit(2).repartition(7), model).count() == 2
    assert label(rows.where("id < 0"), model).collect() == []


def test_what_is_not_utf_8_is_mended_and_counted(spark: Any, model: Path) -> None:
    rows = spark.sql(
        "select 1 as id, cast(X'7732FF207733' as string) as review union all select 2, 'w2\ufffd w3' "
        "union all select 3, null union all select 4, 'w2'"
    )
    report = Report()
    first, second, _, _ = sorted(label(rows, model, report=report).collect())
    assert (first.predicted_label, first.probability) == (second.predicted_label, second.probability)
    assert bytes(rows.selectExpr("cast(review as binary) b").first().b) == b"w2\xff w3"
    assert "  texts with invalid UTF-8, replaced by U+FFFD: 1" in str(report).splitlines()


def test_texts_may_be_bytes(spark: Any, table: Path, model: Path) -> None:
    rows = spark.read.parquet(str(table)).limit(500)
    of_strings = label(rows, model).orderBy("id").select("predicted_label", "probability").collect()
    of_bytes = label(rows.selectExpr("id", "cast(review as binary) as review"), model)
    assert of_bytes.orderBy("id").select("predicted_label", "probability").collect() == of_strings


def test_several_columns_are_joined_as_predict_joins_them(spark: Any, tmp_path: Path) -> None:
    save_text_model(tmp_path / "model", "title", "body")
    texts = {"id": [0, 1, 2], "Title": ["w2 w3", None, "w4"], "body": ["w5", "w9 w9", ""]}
    pq.write_table(pa.table(texts), tmp_path / "rows.parquet")
    words = [f"INPUT={tmp_path / 'rows.parquet'}", f"MODEL={tmp_path / 'model'}", "TEXT=Title,body"]
    assert main(["predict", *words, f"OUTPUT={tmp_path / 'out.parquet'}"]) == 0
    rows = spark.read.parquet(str(tmp_path / "rows.parquet"))
    for text in ("", "title,BODY"):  # as Spark looks for names, in whatever case
        label(rows, tmp_path / "model", text).write.mode("overwrite").parquet(str(tmp_path / "out"))
        assert_same_bits(read(tmp_path / "out"), pq.read_table(tmp_path / "out.parquet"))


def test_images_that_are_none_are_left_out_and_listed(spark: Any, tmp_path: Path) -> None:
    save_image_model(tmp_path / "model")
    (tmp_path / "pictures").mkdir()
    for number in range(3):
        Image.new("L", (4, 4), 80 * number).save(tmp_path / "pictures" / f"{number}.png")
    (tmp_path / "pictures" / "none.png").write_bytes(b"no image")
    rows = spark.read.format("binaryFile").load(str(tmp_path / "pictures"))
    # Networks of images are Keras's own, which the cluster's workers of Python are not to import.
    with pytest.raises(Exception, match="keras"):
        label(rows, tmp_path / "model", "content").collect()
    (bad,) = rejects(rows, tmp_path / "model", "content").collect()
    assert bad.path.endswith("none.png") and bad.reject_reason
    assert rows.columns == ["path", "modificationTime", "length", "content"]


def test_a_stream_is_labelled_as_a_table_is(
    spark: Any, table: Path, model: Path, predicted: pa.Table, tmp_path: Path
) -> None:
    report = Report()
    rows = spark.readStream.schema("id bigint, review string").parquet(str(table.parent))
    query = (
        label(rows, model, **ALL, report=report)
        .writeStream.trigger(availableNow=True)
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .format("parquet")
        .start(str(tmp_path / "out"))
    )
    query.awaitTermination()
    assert_same_bits(read(tmp_path / "out"), predicted)
    assert report.rows == ROWS


def test_a_model_may_be_an_archive_that_spark_was_given(
    spark: Any, table: Path, model: Path, tmp_path: Path
) -> None:
    archive = shutil.make_archive(str(tmp_path / "reviews"), "zip", model)
    spark.addArtifacts(f"{archive}#reviews", archive=True)
    rows = spark.read.parquet(str(table)).limit(100)
    assert label(rows, "reviews").collect() == label(rows, model).collect()


@pytest.mark.parametrize(
    ("expression", "options", "message"),
    [
        ("id, review as text", {}, "there is no column 'review' among 'id', 'text'"),
        ("id as review", {}, "column 'review' holds bigint, not strings: cast it"),
        ("review, id as PROBABILITY", {}, "there is a column 'PROBABILITY' already: rename or drop it"),
        ("review, id as Predicted_Label_2", {"top": 2}, "there is a column 'Predicted_Label_2' already"),
        ("review as Review, review as REVIEW", {}, "there are 2 columns 'review'"),
        ("review", {"top": 9}, "top is 9: expected a number of labels from 1 to 3"),
        ("review", {"abstain": "often"}, "abstain is 'often': expected a probability from 0 to 1"),
        ("review", {"abstain": "precision:2"}, "abstain is 'precision:2': expected a probability"),
    ],
)
def test_what_cannot_be_is_refused_before_a_job_runs(
    spark: Any, table: Path, model: Path, expression: str, options: dict[str, Any], message: str
) -> None:
    rows = spark.read.parquet(str(table)).selectExpr(*expression.split(", "))
    with pytest.raises(InputError) as error:
        label(rows, model, **options)
    assert message in str(error.value)


def test_a_model_that_there_is_not_is_refused(spark: Any, tmp_path: Path) -> None:
    rows = spark.sql("select 'w2' as review")
    for name in (str(tmp_path), "nothing", "models:nothing"):
        with pytest.raises(InputError, match="no trained model|expected models:/"):
            label(rows, name)


def test_a_report_counts_one_data_frame(spark: Any, model: Path) -> None:
    rows, report = spark.sql("select 'w2' as review"), Report()
    with pytest.raises(InputError, match="the report counts nothing: give it to `label`"):
        print(report.rows)
    label(rows, model, report=report)
    with pytest.raises(InputError, match="the report counts another data frame"):
        label(rows, model, report=report)


def test_a_model_that_is_trained_again_in_its_folder_is_sent_again(spark: Any, tmp_path: Path) -> None:
    save_text_model(tmp_path)
    rows = spark.sql("select 'w2 w3 w4' as review")
    before = label(rows, tmp_path).first().probability
    change_json(tmp_path, "classifier.json", lambda content: content | {"temperature": 9.0})
    after = label(rows, tmp_path).first().probability
    (expected,) = Classifier.load(tmp_path).predict(["w2 w3 w4"])[1]
    assert before != after == expected


def test_a_report_is_free_for_another_frame_where_the_first_was_refused(spark: Any, model: Path) -> None:
    report = Report()
    with pytest.raises(InputError, match="there is a column 'probability' already"):
        label(spark.sql("select 'w2' as review, 1 as probability"), model, report=report)
    assert label(spark.sql("select 'w2' as review"), model, report=report).count() == 1
    assert report.rows == 1
