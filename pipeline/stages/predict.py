"""Label a table: delimited text, JSON lines, Parquet or a sheet of an Excel workbook.

Reads the file, of this machine or of an object store, or standard input, a block at a time, and a trained
model/; writes the same rows with `predicted_label`, `probability` and the other columns asked for, in the
input's form or the one that OUTPUT's name says, and the rows that cannot be read to <output>.rejects.csv. The
same command continues interrupted lines, of CSV or JSON, in a file of this machine; Parquet and workbooks,
which are complete at their end alone, and files of stores start anew.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..config import loading, words
from ..config.command_line import Words
from ..delimited.layout import Layout
from ..environment.cores import cores
from ..environment.program import command_text
from ..errors import InputError
from ..files import sha256, sha256_of
from ..images.folder import SUFFIXES
from ..images.path_table import PathTable
from ..options import UNREADABLE_ROWS
from ..prediction.classifier import Classifier, parse_form
from ..prediction.label_table import LabelledTable, rejects_path
from ..prediction.labeller import Labeller
from ..prediction.output_columns import OutputColumns
from ..prediction.resumable import checkpoint_path, partial_paths
from ..release.chosen_model import model_folder
from ..stores.remote_file import Location, RemoteFile, locate
from ..tables.block_table import BlockTable
from ..tables.formats import Form, check_output, form_of, open_table
from ..tables.table import Table, named_columns
from ..terminal import say

STANDARD = "-"  # input or output
STANDARD_INPUT = (STANDARD, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
DESCRIPTORS = (Path("/dev/fd"), Path("/proc/self/fd"))
STANDARD_OUTPUT = (STANDARD, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def run(given: Words) -> None:
    if not given[words.INPUT]:
        example = command_text("predict", {"INPUT": "new.csv"})
        raise InputError(f"predict needs the rows to label, as in: {example}")
    # The cheap checks come first: a wrong path is reported before the model is read.
    source = _source(given)
    output = _output(given, source)
    _check_form(given, source, output)
    folder = model_folder("predict", given[words.CORPUS], given[words.MODEL])
    if isinstance(output, Path) and _real(folder) in output.parents:
        raise InputError(f"{output} lies in the model's folder", option="output")
    if output:
        check_output(output)
    with ExitStack() as stack:
        table = _table(given, source, stack, form_of(output) if output else "csv")
        if isinstance(output, RemoteFile):
            output.check_target()
        classifier = Classifier.load(folder, parse_form(given[words.FORM]))
        is_folder = isinstance(source, Path) and source.is_dir()
        if is_folder and classifier.encoder.kind == "text":
            raise InputError(f"{source} is a folder, and the model labels texts: name a CSV")
        if isinstance(source, RemoteFile) and classifier.encoder.kind == "image":
            raise InputError(
                f"{source}: images are read from this machine alone: copy them and their CSV here"
            )
        named = named_columns(given[words.TEXT], table.header) if given[words.TEXT] else classifier.columns
        table.select_columns(named)
        # Paths of images in a CSV are relative to its folder; those of a folder begin with it.
        folder_of_paths = source.parent if isinstance(source, Path) and not is_folder else Path()
        labeller = Labeller(classifier, _output_columns(given), folder_of_paths)
        if taken := [name for name in labeller.names if name in table.header]:
            raise InputError(f"{given[words.INPUT]} already has a column {taken[0]!r}: rename or remove it")
        labelled = LabelledTable(table, labeller, given[words.THREADS] or cores())
        if output is None:
            labelled.to_stream(sys.stdout.buffer)
        else:
            labelled.write(output, _recipe(given, source, classifier.digest))
    # Standard output is for the rows alone if they are written there.
    say(labelled.summary(output), sys.stderr if output is None else sys.stdout)
    allowed = given[words.UNREADABLE]
    labelled.check_rejects(UNREADABLE_ROWS if allowed is None else allowed, output)


def _check_form(given: Words, source: Location | None, output: Location | None) -> None:
    """Raise InputError for words that the form of the input or of the output has no use for."""
    if output and given[words.HARMLESS] and form_of(output) in ("parquet", "jsonl"):
        raise InputError(f"HARMLESS=1 is for what a spreadsheet opens, not {output}: name a .csv or .xlsx")
    if given[words.SHEET] and not (source and form_of(source) == "xlsx"):
        raise InputError(f"SHEET= is for an .xlsx, not {given[words.INPUT]}")


def _table(given: Words, source: Location | None, stack: ExitStack, output: Form) -> Table:
    harmless = given[words.HARMLESS]
    if isinstance(source, Path) and source.is_dir():
        return BlockTable(stack.enter_context(PathTable(source)), harmless)
    layout = Layout(
        given[words.ENCODING] or "utf-8",
        given[words.SEPARATOR],
        given[words.QUOTING] == "csv",
        given[words.SKIP],
        given[words.SHEET],
    )
    return stack.enter_context(open_table(source, layout, harmless, output))


def _output(given: Words, source: Location | None) -> Location | None:
    """Return the file to write, None for standard output.

    Raises InputError if that file, or one of those next to it, must not or cannot be written.
    """
    ending = form_of(source) if source and not (isinstance(source, Path) and source.is_dir()) else "csv"
    # A folder such as `.` has its name in its real path alone.
    named = _real(source) if isinstance(source, Path) and source.name in ("", "..") else source
    target = given[words.OUTPUT] or (f"{named}.predictions.{ending}" if named else STANDARD)
    if target in STANDARD_OUTPUT:
        return None
    output = locate(target)
    if isinstance(output, Path):
        return _local_output(output, source, is_named=bool(given[words.OUTPUT]))
    if isinstance(source, RemoteFile) and source in (output, rejects_path(output)):
        raise InputError(f"{source} is the input itself", option="output")
    return output


def _local_output(target: Path, source: Location | None, is_named: bool) -> Path:
    """Return the path without links; raises InputError as `_output` does."""
    # Such as /dev/fd/3: its real path is that of the file that is open, which is not to be replaced.
    if str(target) == "/dev/stderr" or _real(target.parent) in map(_real, DESCRIPTORS):
        raise InputError(f"{target} is no file of its own; - is standard output", option="output")
    # A link that was not named is replaced, and not what it leads to.
    output = _real(target) if is_named else _real(target.parent) / target.name
    real_source = _real(source) if isinstance(source, Path) else None
    written = [output, rejects_path(output)]
    for path in (*written, *partial_paths(written), checkpoint_path(written)):
        if path == real_source:
            raise InputError(f"{path} is the input itself", option="output")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a file", option="output")
    if real_source in output.parents and output.suffix.lower() in SUFFIXES:
        raise InputError(f"{output} is an image of the input", option="output")
    if not os.access(output.parent, os.W_OK):
        raise InputError(f"{output.parent} does not exist or cannot be written", option="output")
    return output


def _source(given: Words) -> Location | None:
    """Return the file or folder to read, None for standard input."""
    return None if given[words.INPUT] in STANDARD_INPUT else locate(given[words.INPUT])


def _real(path: Path) -> Path:
    """Return the path without links; of links that lead in a circle, as much as there is."""
    return Path(os.path.realpath(path))


def _recipe(given: Words, source: Location | None, model_digest: str) -> dict[str, Any] | None:
    """Return all that the bytes of the output depend on; None for standard input, which is read once."""
    if source is None:
        return None
    options = {name: text for name, text in given.texts.items() if name != words.THREADS.name}
    return {
        "options": options,
        "input": (
            source.identity
            if isinstance(source, RemoteFile)
            else loading.identify(given[words.INPUT]).model_dump()
        ),
        "model": model_digest,
        # Of the files, not of their syntax trees as in `graph.code_digest`: those take a second to parse.
        "code": sha256_of(sha256(path) for path in sorted(Path(__file__).parents[1].rglob("*.py"))),
    }


def _output_columns(given: Words) -> OutputColumns:
    columns = OutputColumns(
        top=given[words.TOP],
        probabilities=given[words.PROBABILITIES],
        evidence=given[words.EVIDENCE],
        shares=given[words.SHARES],
    )
    abstention = given[words.ABSTAIN]
    return columns.model_copy(update={abstention.option: abstention.value})
