"""Label a table: delimited text, JSON lines, Parquet or a sheet of an Excel workbook.

Reads the file, or standard input, a block at a time, and a trained model/; writes the same rows with
`predicted_label`, `probability` and the other columns asked for, in the input's form or the one that OUTPUT's
name says, and the rows that cannot be read to <output>.rejects.csv. The same command continues interrupted
lines, of CSV or JSON; Parquet and workbooks, which are complete at their end alone, start anew.
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
    output = _output(given)
    _check_form(given, output)
    folder = model_folder("predict", given[words.CORPUS], given[words.MODEL])
    if output and _real(folder) in output.parents:
        raise InputError(f"{output} lies in the model's folder", option="output")
    if output:
        check_output(output)
    with ExitStack() as stack:
        table = _table(given, stack, form_of(output) if output else "csv")
        classifier = Classifier.load(folder, parse_form(given[words.FORM]))
        is_folder = Path(given[words.INPUT]).is_dir()
        if is_folder and classifier.encoder.kind == "text":
            raise InputError(f"{given[words.INPUT]} is a folder, and the model labels texts: name a CSV")
        named = named_columns(given[words.TEXT], table.header) if given[words.TEXT] else classifier.columns
        table.select_columns(named)
        # Paths of images in a CSV are relative to its folder; those of a folder begin with it.
        is_relative = not is_folder and _source(given) is not None
        folder_of_paths = Path(given[words.INPUT]).parent if is_relative else Path()
        labeller = Labeller(classifier, _output_columns(given), folder_of_paths)
        if taken := [name for name in labeller.names if name in table.header]:
            raise InputError(f"{given[words.INPUT]} already has a column {taken[0]!r}: rename or remove it")
        labelled = LabelledTable(table, labeller, given[words.THREADS] or cores())
        if output is None:
            labelled.to_stream(sys.stdout.buffer)
        else:
            labelled.write(output, _recipe(given, classifier.digest))
    # Standard output is for the rows alone if they are written there.
    say(labelled.summary(output), sys.stderr if output is None else sys.stdout)
    allowed = given[words.UNREADABLE]
    labelled.check_rejects(UNREADABLE_ROWS if allowed is None else allowed)


def _check_form(given: Words, output: Path | None) -> None:
    """Raise InputError for words that the form of the input or of the output has no use for."""
    source = _source(given)
    if output and given[words.HARMLESS] and form_of(output) in ("parquet", "jsonl"):
        raise InputError(f"HARMLESS=1 is for what a spreadsheet opens, not {output}: name a .csv or .xlsx")
    if given[words.SHEET] and not (source and form_of(source) == "xlsx"):
        raise InputError(f"SHEET= is for an .xlsx, not {given[words.INPUT]}")


def _table(given: Words, stack: ExitStack, output: Form) -> Table:
    path, harmless = _source(given), given[words.HARMLESS]
    if path and path.is_dir():
        return BlockTable(stack.enter_context(PathTable(path)), harmless)
    layout = Layout(
        given[words.ENCODING] or "utf-8",
        given[words.SEPARATOR],
        given[words.QUOTING] == "csv",
        given[words.SKIP],
        given[words.SHEET],
    )
    return stack.enter_context(open_table(path, layout, harmless, output))


def _output(given: Words) -> Path | None:
    """Return the file to write, None for standard output.

    Raises InputError if that file, or one of those next to it, must not or cannot be written.
    """
    source = _source(given)
    ending = form_of(source) if source and not source.is_dir() else "csv"
    # A folder such as `.` has its name in its real path alone.
    named = _real(source) if source and source.name in ("", "..") else source
    target = given[words.OUTPUT] or (f"{named}.predictions.{ending}" if named else STANDARD)
    if target in STANDARD_OUTPUT:
        return None
    # Such as /dev/fd/3: its real path is that of the file that is open, which is not to be replaced.
    if target == "/dev/stderr" or _real(Path(target).parent) in map(_real, DESCRIPTORS):
        raise InputError(f"{target} is no file of its own; - is standard output", option="output")
    # A link that was not named is replaced, and not what it leads to.
    output = _real(Path(target)) if given[words.OUTPUT] else _real(Path(target).parent) / Path(target).name
    written = [output, rejects_path(output)]
    for path in (*written, *partial_paths(written), checkpoint_path(written)):
        if source and path == _real(source):
            raise InputError(f"{path} is the input itself", option="output")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a file", option="output")
    if source and _real(source) in output.parents and output.suffix.lower() in SUFFIXES:
        raise InputError(f"{output} is an image of the input", option="output")
    if not os.access(output.parent, os.W_OK):
        raise InputError(f"{output.parent} does not exist or cannot be written", option="output")
    return output


def _source(given: Words) -> Path | None:
    """Return the file or folder to read, None for standard input."""
    return None if given[words.INPUT] in STANDARD_INPUT else Path(given[words.INPUT])


def _real(path: Path) -> Path:
    """Return the path without links; of links that lead in a circle, as much as there is."""
    return Path(os.path.realpath(path))


def _recipe(given: Words, model_digest: str) -> dict[str, Any] | None:
    """Return all that the bytes of the output depend on; None for standard input, which is read once."""
    if _source(given) is None:
        return None
    options = {name: text for name, text in given.texts.items() if name != words.THREADS.name}
    return {
        "options": options,
        "input": loading.identify(given[words.INPUT]).model_dump(),
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
