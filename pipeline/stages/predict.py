"""Label a CSV or a Parquet file.

Reads the file, or standard input, a block at a time, and a trained model/; writes the same rows with
`predicted_label`, `probability` and what else is wanted, and the rows that cannot be read to
<output>.rejects.csv. A CSV goes on where the same command was interrupted; Parquet, whose end says where all
of it is, starts anew.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..artifacts import RunFolder
from ..config import loading
from ..cores import cores
from ..errors import InputError
from ..files import sha256, sha256_of
from ..prediction.classifier import Classifier, parse_form
from ..prediction.formats import BlockTable, ParquetTable
from ..prediction.image_table import ImageTable
from ..prediction.label_table import LabelledTable, Table
from ..prediction.labeller import Labeller, OutputColumns
from ..prediction.resumable import checkpoint_path, partial_paths
from ..release import champions
from ..tables.blocks import CsvBlocks

STANDARD = "-"  # input or output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--input", required=True, help="CSV (plain or gzip) or Parquet; - is standard input")
    parser.add_argument("--output", default="", help="CSV, .csv.gz or .parquet; - is standard output")
    parser.add_argument("--corpus", required=True, help="what the model was trained on")
    parser.add_argument("--model", required=True, help="a name in conf/models")
    parser.add_argument("--text", default="", help="the column of the text; default: as in training")
    parser.add_argument("--encoding", default="utf-8", help="of the CSV, such as windows-1252")
    parser.add_argument("--top", default="1", help="so many labels, each with its probability")
    parser.add_argument("--probabilities", default="", help="1: a column for each class")
    parser.add_argument("--abstain", default="0", help="no label where its probability is lower")
    parser.add_argument("--evidence", default="", help="1: the n-grams and what each adds to the logit")
    parser.add_argument("--shares", default="", help="1: columns unknown_words and cut_off, in 0..1")
    parser.add_argument("--harmless", default="", help="1: no cell begins as a spreadsheet's formula")
    parser.add_argument("--form", default="int16", help="of the folded table: int16 or float32; or keras")
    parser.add_argument("--threads", default="", help="default: one a core")


def run(arguments: argparse.Namespace) -> None:
    if not arguments.input:
        raise InputError("predict needs the rows to label, as in: make predict INPUT=new.csv")
    # First what costs nothing: a wrong path is said before the model is read.
    output = _output(arguments)
    folder = _model_folder(arguments.corpus, arguments.model)
    with ExitStack() as stack:
        table = _table(arguments, stack)
        classifier = Classifier.load(folder, parse_form(arguments.form))
        images = Path(arguments.input).is_dir()
        if images and classifier.encoder.kind == "text":
            raise InputError(f"{arguments.input} is a folder, and the model labels texts: name a CSV")
        table.select_column(arguments.text or classifier.column)
        threads = _number("THREADS", arguments.threads or str(cores()), 1, 1024)
        # A CSV's paths of images are relative to its folder; a folder gives whole ones.
        below = Path() if images or arguments.input == STANDARD else Path(arguments.input).parent
        labeller = Labeller(classifier, _wanted(arguments, classifier), below)
        if taken := [name for name in labeller.names if name in table.header]:
            raise InputError(f"{arguments.input} already has a column {taken[0]!r}: rename or remove it")
        labelled = LabelledTable(table, labeller, threads)
        if table.harmless and output and output.suffix == ".parquet":
            raise InputError(f"HARMLESS=1 is for what a spreadsheet opens, not {output}: name a .csv")
        if output is None:
            labelled.to_stream(sys.stdout.buffer)
        elif output.suffix == ".parquet":
            labelled.to_parquet(output)
        else:
            labelled.to_csv(output, _recipe(arguments, folder))
    # Beside the rows, where standard output has them.
    print(labelled.summary(output), file=sys.stderr if output is None else sys.stdout)


def _model_folder(corpus: str, model: str) -> Path:
    """The champion's, if no model is named and there is one."""
    named = bool(model)
    corpus, model = loading.resolved(corpus, model)
    folder = RunFolder(loading.run_folder(corpus, model))
    if not named and (champion := champions.current(folder.corpus.path.name)):
        print(f"predict: by the champion, version {champion.version} ({champion.title})", file=sys.stderr)
        return champion.files.classifier
    if not folder.model.exists():
        loading.check_corpus(corpus)
        loading.check_model(model)
        command = f"make train CORPUS={shlex.quote(corpus)} MODEL={model}"
        raise InputError(f"there is no trained model in {folder.model}: run `{command}` first")
    return folder.model


def _table(arguments: argparse.Namespace, stack: ExitStack) -> Table:
    harmless = _flag("HARMLESS", arguments.harmless)
    if arguments.input.endswith(".parquet"):
        return ParquetTable(Path(arguments.input), harmless)
    path = Path(arguments.input)
    if path.is_dir():
        return BlockTable(stack.enter_context(ImageTable(path)), harmless)
    blocks = CsvBlocks(None if arguments.input == STANDARD else path, arguments.encoding)
    return BlockTable(stack.enter_context(blocks), harmless)


def _output(arguments: argparse.Namespace) -> Path | None:
    """Where to; None is standard output. Raises InputError where something would be hidden by it."""
    ending = "parquet" if arguments.input.endswith(".parquet") else "csv"
    beside = f"{Path(arguments.input)}.predictions.{ending}"  # without a slash behind a folder
    given = arguments.output or (STANDARD if arguments.input == STANDARD else beside)
    if given == STANDARD:
        return None
    output = Path(given).resolve()
    written = [output, Path(f"{output}.rejects.csv")]
    for path in (*written, *partial_paths(written), checkpoint_path(written)):
        if arguments.input != STANDARD and path == Path(arguments.input).resolve():
            raise InputError(f"{path} is the input itself: name another file with OUTPUT=")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a file: name another with OUTPUT=")
    if not os.access(output.parent, os.W_OK):
        raise InputError(f"{output.parent} does not exist or cannot be written: name another with OUTPUT=")
    return output


def _recipe(arguments: argparse.Namespace, model: Path) -> dict[str, Any] | None:
    """All that the bytes of the output depend on; None for standard input, which is not read twice."""
    if arguments.input == STANDARD:
        return None
    options = {key: value for key, value in vars(arguments).items() if key != "threads"}
    source = loading.identify(arguments.input).model_dump()
    code = sha256_of(sha256(path) for path in sorted(Path(__file__).parents[1].rglob("*.py")))
    return {"options": options, "input": source, "model": sha256(model / "manifest.json"), "code": code}


def _wanted(arguments: argparse.Namespace, classifier: Classifier) -> OutputColumns:
    try:
        abstain = float(arguments.abstain)
    except ValueError:
        abstain = -1
    if not 0 <= abstain <= 1:
        raise InputError(f"ABSTAIN={arguments.abstain}: expected a probability from 0 to 1, such as 0.8")
    return OutputColumns(
        top=_number("TOP", arguments.top, 1, len(classifier.labels)),
        probabilities=_flag("PROBABILITIES", arguments.probabilities),
        abstain=abstain,
        evidence=_flag("EVIDENCE", arguments.evidence),
        shares=_flag("SHARES", arguments.shares),
    )


def _flag(name: str, value: str) -> bool:
    if value not in ("", "0", "1"):
        raise InputError(f"{name}={value}: expected 1, or nothing")
    return value == "1"


def _number(name: str, value: str, least: int, most: int) -> int:
    if not (value.isascii() and value.isdigit() and least <= int(value[:9]) <= most):
        raise InputError(f"{name}={value}: expected a whole number from {least} to {most}")
    return int(value)
