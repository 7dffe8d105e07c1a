"""The job of `convtext_label.py`: a table that Spark reads, labelled, to another."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException, PythonException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from ..errors import InputError, missing_package
from ..options import UNREADABLE_ROWS
from ..release.chosen_model import trained_model
from ..terminal import say, shorten
from .labelling import label, rejects
from .report import Report
from .tasks import REASON

CORRUPT = "_corrupt_record"  # Spark's name of the column with the line of a row that it could not read
# A CSV as all but Spark write it: a quote in a cell is doubled, and a cell may have several lines. Files with
# other columns, or in another order, than the first of a folder end the job.
CSV_OPTIONS = {"header": "true", "multiLine": "true", "escape": '"', "enforceSchema": "false"}
FAULTS = (InputError, ModuleNotFoundError, PySparkException, Py4JError)
FAULT_CHARACTERS = 300
OPTION_HELP = "of Spark's reader; multiLine=false has several tasks read a CSV whose cells have no lines"


def main(arguments: Sequence[str]) -> int:
    """Run the job in a session of its own; return its exit code."""
    given = parser().parse_args(arguments)
    try:
        session = SparkSession.builder.appName("convtext").getOrCreate()
    except FAULTS as error:
        return _failed(error)
    try:
        return run(session, given)
    finally:
        session.stop()


def run(session: SparkSession, given: Namespace) -> int:
    """Run the job; return its exit code: 0, 2 with a line that says what is wrong, or 130 if interrupted."""
    try:
        _label(session, given)
    except FAULTS as error:
        return _failed(error)
    except KeyboardInterrupt:
        say("convtext_label: interrupted", sys.stderr)
        return 130
    return 0


def _failed(error: Exception) -> int:
    say(f"convtext_label: {_fault(error)}", sys.stderr)
    return 2


def parser() -> ArgumentParser:
    """Return the command line of `convtext_label.py`."""
    words = ArgumentParser("convtext_label.py", description="Label a table by a trained classifier.")
    add = words.add_argument
    add("--model", required=True, help="a trained model's folder, an archive's name, models:/NAME@champion")
    add("--input", required=True, help="the folder, file or table that is read")
    add("--format", default="parquet", help="of the input: parquet, csv, delta, whatever the session reads")
    add("--output", required=True, help="what is written; nothing of that name may exist")
    add("--output-format", default="", help="by default the input's")
    add("--rejects", default="", help="where rows go that cannot be read, by default <output>.rejects")
    add("--text", default="", help="the column of the text, or several: title,body")
    add("--top", type=int, default=1, help="the best labels, each with its probability")
    add("--probabilities", action="store_true", help="a column for the probability of each class")
    add("--abstain", default="0", help="no label below a probability, or a precision: precision:0.95")
    add("--evidence", action="store_true", help="the n-grams behind the label")
    add("--shares", action="store_true", help="shares of unknown words and of truncated tokens")
    add(
        "--unreadable",
        type=float,
        default=UNREADABLE_ROWS,
        help="the share of rows that need not be readable",
    )
    add("--option", action="append", default=[], metavar="NAME=VALUE", help=OPTION_HELP)
    return words


def _label(session: SparkSession, given: Namespace) -> None:
    output, rejected = _targets(session, given)
    # Found once: while the job runs, another may become the champion.
    model = trained_model(given.model) or given.model
    rows, observed = _read(session, given), Observation()
    good, may_be_damaged = rows, CORRUPT in rows.columns
    if may_be_damaged:
        counted = rows.observe(observed, F.count(CORRUPT).alias("rows"))
        good = counted.where(F.col(CORRUPT).isNull()).drop(CORRUPT)
    report = Report()
    labelled = label(
        good,
        model,
        given.text,
        top=given.top,
        probabilities=given.probabilities,
        abstain=given.abstain,
        evidence=given.evidence,
        shares=given.shares,
        report=report,
    )
    kind = given.output_format or given.format
    _write(labelled, kind, output)
    say(f"convtext_label: {report}\n  {output}")
    unread = int(observed.get["rows"]) if may_be_damaged else 0
    if unread:
        say(f"  rows that Spark could not read: {unread:,}")
    if unread or report.rejected:
        _write(_rejected(rows, rejects(good, model, given.text)), kind, rejected)
        say(f"  rows that could not be read are in {rejected}")
        _check_unreadable(unread, report, given.unreadable, rejected)


def _targets(session: SparkSession, given: Namespace) -> tuple[str, str]:
    """Return where rows go, and those that cannot be read. Raises InputError for what is there already."""
    output = given.output.rstrip("/")
    rejected = given.rejects.rstrip("/") or f"{output}.rejects"
    for path in (output, rejected):
        if _exists(session, path):
            raise InputError(f"{path} exists: remove it, or name another")
    if rejected == output:
        raise InputError(f"--rejects {rejected} is the output itself")
    return output, rejected


def _check_unreadable(unread: int, report: Report, allowed: float, rejected: str) -> None:
    """Raise InputError if more than a share of the table's rows could not be read; what is written stays.

    Of images, among which are other files, it is enough that one could be read.
    """
    bad = unread + report.rejected
    rows = bad + report.rows
    if not report.rows or unread / rows > allowed:
        raise InputError(
            f"{bad:,} of {rows:,} rows cannot be read where {100 * allowed:.4g}% are allowed: "
            f"mend those in {rejected}, or allow more (--unreadable)"
        )


def _exists(session: SparkSession, path: str) -> bool:
    """Return whether there is something at a path of a file system that Hadoop knows."""
    java = session._jvm.org.apache.hadoop.fs.Path(path)
    return bool(java.getFileSystem(session._jsc.hadoopConfiguration()).exists(java))


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


def _rejected(rows: DataFrame, rejected: DataFrame) -> DataFrame:
    """Return the rows that the classifier, or Spark, could not read, with the reasons."""
    if CORRUPT not in rows.columns:
        return rejected
    unread = rows.where(F.col(CORRUPT).isNotNull()).withColumn(REASON, F.lit("not a row of the table"))
    return unread.unionByName(rejected, allowMissingColumns=True)


def _write(rows: DataFrame, kind: str, path: str) -> None:
    options = CSV_OPTIONS if kind == "csv" else {}
    rows.write.format(kind).options(**options).save(path)


def _fault(error: Exception) -> str:
    """Return an error in a line, without the stacks of Java and of Python."""
    if isinstance(error, InputError):
        return str(error)
    if line := missing_package(error):
        return line
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    if isinstance(error, PythonException):
        return shorten(f"a worker of Python has failed: {lines[-1]}", FAULT_CHARACTERS)
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    if isinstance(error, Py4JError) and len(lines) > 1:  # the first says which call has failed
        lines = causes[-1:] or [lines[1].lstrip(": ")]
    return shorten(lines[0], FAULT_CHARACTERS)
