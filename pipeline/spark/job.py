"""The job of `convtext_label.py`: a table that Spark reads, labelled, to another."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from pyspark.errors import PySparkException, PythonException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from ..errors import InputError
from ..terminal import say, shorten
from .labelling import label, rejects
from .report import Report
from .tasks import REASON

CORRUPT = "_corrupt_record"  # Spark's name of the column with the line of a row that it could not read
# A CSV as all but Spark write it: a quote in a cell is doubled, and a cell may have several lines.
CSV_OPTIONS = {"header": "true", "multiLine": "true", "escape": '"'}
FAULT_CHARACTERS = 300


def main(arguments: Sequence[str]) -> int:
    """Run the job; return its exit code: 0, or 2 with a line that says what is wrong."""
    given = _parser().parse_args(arguments)
    session = SparkSession.builder.appName("convtext").getOrCreate()
    try:
        _run(session, given)
    except (InputError, PySparkException) as error:
        say(f"convtext_label: {_fault(error)}", sys.stderr)
        return 2
    finally:
        session.stop()
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser("convtext_label.py", description="Label a table by a trained classifier.")
    add = parser.add_argument
    add("--model", required=True, help="a trained model's folder, an archive's name, models:/NAME@champion")
    add("--input", required=True, help="what is read, and in which format (parquet, csv, delta, ...)")
    add("--format", default="parquet")
    add("--output", required=True, help="what is written, which must not exist; the format of the input")
    add("--output-format", default="")
    add("--rejects", default="", help="where rows go that cannot be read, by default <output>.rejects")
    add("--text", default="", help="the column of the text, or several: title,body")
    add("--top", type=int, default=1, help="the best labels, each with its probability")
    add("--probabilities", action="store_true", help="a column for the probability of each class")
    add("--abstain", default="0", help="no label below a probability, or a precision: precision:0.95")
    add("--evidence", action="store_true", help="the n-grams behind the label")
    add("--shares", action="store_true", help="shares of unknown words and of truncated tokens")
    add("--option", action="append", default=[], metavar="NAME=VALUE", help="of Spark's reader, if need be")
    return parser


def _run(session: SparkSession, given: Namespace) -> None:
    rows, observed = _read(session, given), Observation()
    good = rows
    if CORRUPT in rows.columns:
        counted = rows.observe(observed, F.count(CORRUPT).alias("rows"))
        good = counted.where(F.col(CORRUPT).isNull()).drop(CORRUPT)
    report = Report()
    labelled = label(
        good,
        given.model,
        given.text,
        top=given.top,
        probabilities=given.probabilities,
        abstain=given.abstain,
        evidence=given.evidence,
        shares=given.shares,
        report=report,
    )
    kind = given.output_format or given.format
    _write(labelled, kind, given.output, "errorifexists")
    say(f"convtext_label: {report}\n  {given.output}")
    if unread := observed.get["rows"] if CORRUPT in rows.columns else 0:
        say(f"  rows that Spark could not read: {unread:,}")
    if unread or report.rejected:
        target = given.rejects or f"{given.output}.rejects"
        _write(_rejected(rows, good, given), kind, target, "overwrite")
        say(f"  rows that could not be read are in {target}")


def _read(session: SparkSession, given: Namespace) -> DataFrame:
    """Return the rows; of a form whose rows may be damaged with the column CORRUPT."""
    options = CSV_OPTIONS if given.format == "csv" else {}
    for option in given.option:
        name, equals, value = option.partition("=")
        if not equals:
            raise InputError(f"--option {option}: expected NAME=VALUE")
        options = options | {name: value}
    reader = session.read.format(given.format).options(**options)
    if given.format == "csv":  # its other columns are strings, as no schema is inferred
        found = reader.load(given.input).schema
        reader = reader.schema(StructType([*found, StructField(CORRUPT, StringType())]))
    return reader.load(given.input)


def _rejected(rows: DataFrame, good: DataFrame, given: Namespace) -> DataFrame:
    """Return the rows that Spark, or the classifier, could not read, with the reasons."""
    rejected = rejects(good, given.model, given.text)
    if CORRUPT not in rows.columns:
        return rejected
    unread = rows.where(F.col(CORRUPT).isNotNull()).withColumn(REASON, F.lit("not a row of the table"))
    return unread.unionByName(rejected, allowMissingColumns=True)


def _write(rows: DataFrame, kind: str, path: str, mode: str) -> None:
    options = CSV_OPTIONS if kind == "csv" else {}
    rows.write.format(kind).options(**options).mode(mode).save(path)


def _fault(error: Exception) -> str:
    """Return an error in a line, without the stacks of Java and of Python."""
    if isinstance(error, InputError):
        return str(error)
    lines = [line for line in str(error).splitlines() if line.strip()]
    if isinstance(error, PythonException):
        return shorten(f"a worker of Python has failed: {lines[-1]}", FAULT_CHARACTERS)
    return shorten(lines[0], FAULT_CHARACTERS)
