"""Label a CSV or a Parquet file.

Reads the file, or standard input, a block at a time, and a trained model/; writes the same rows with
`predicted_label`, `probability` and what else is wanted, and the rows that cannot be read to
<output>.rejects.csv. A CSV goes on where the same command was interrupted; Parquet, whose end says where all
of it is, starts anew.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..artifacts import RunFolder
from ..config import loading, words
from ..config.command_line import Words
from ..cores import cores
from ..errors import InputError
from ..files import sha256, sha256_of
from ..prediction.classifier import Classifier, parse_form
from ..prediction.formats import BlockTable, ParquetTable
from ..prediction.image_table import ImageTable
from ..prediction.label_table import LabelledTable, Table
from ..prediction.labeller import Labeller, OutputColumns
from ..prediction.resumable import checkpoint_path, partial_paths
from ..program import command_text
from ..release import champions
from ..tables.blocks import CsvBlocks

STANDARD = "-"  # input or output


def run(given: Words) -> None:
    if not given[words.INPUT]:
        example = command_text("predict", {"INPUT": "new.csv"})
        raise InputError(f"predict needs the rows to label, as in: {example}")
    # First what costs nothing: a wrong path is said before the model is read.
    output = _output(given)
    folder = _model_folder(given[words.CORPUS], given[words.MODEL])
    with ExitStack() as stack:
        table = _table(given, stack)
        classifier = Classifier.load(folder, parse_form(given[words.FORM]))
        images = Path(given[words.INPUT]).is_dir()
        if images and classifier.encoder.kind == "text":
            raise InputError(f"{given[words.INPUT]} is a folder, and the model labels texts: name a CSV")
        table.select_column(given[words.TEXT] or classifier.column)
        threads = given[words.THREADS] or cores()
        # A CSV's paths of images are relative to its folder; a folder gives whole ones.
        below = Path() if images or given[words.INPUT] == STANDARD else Path(given[words.INPUT]).parent
        labeller = Labeller(classifier, _wanted(given, classifier), below)
        if taken := [name for name in labeller.names if name in table.header]:
            raise InputError(f"{given[words.INPUT]} already has a column {taken[0]!r}: rename or remove it")
        labelled = LabelledTable(table, labeller, threads)
        if table.harmless and output and output.suffix == ".parquet":
            raise InputError(f"HARMLESS=1 is for what a spreadsheet opens, not {output}: name a .csv")
        if output is None:
            labelled.to_stream(sys.stdout.buffer)
        elif output.suffix == ".parquet":
            labelled.to_parquet(output)
        else:
            labelled.to_csv(output, _recipe(given, folder))
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
        command = command_text("train", {"CORPUS": corpus, "MODEL": model})
        raise InputError(f"there is no trained model in {folder.model}: run `{command}` first")
    return folder.model


def _table(given: Words, stack: ExitStack) -> Table:
    path, harmless = Path(given[words.INPUT]), given[words.HARMLESS]
    if path.name.endswith(".parquet"):
        return ParquetTable(path, harmless)
    if path.is_dir():
        return BlockTable(stack.enter_context(ImageTable(path)), harmless)
    blocks = CsvBlocks(None if given[words.INPUT] == STANDARD else path, given[words.ENCODING] or "utf-8")
    return BlockTable(stack.enter_context(blocks), harmless)


def _output(given: Words) -> Path | None:
    """Where to; None is standard output. Raises InputError where something would be hidden by it."""
    ending = "parquet" if given[words.INPUT].endswith(".parquet") else "csv"
    beside = f"{Path(given[words.INPUT])}.predictions.{ending}"  # without a slash behind a folder
    target = given[words.OUTPUT] or (STANDARD if given[words.INPUT] == STANDARD else beside)
    if target == STANDARD:
        return None
    output = Path(target).resolve()
    written = [output, Path(f"{output}.rejects.csv")]
    for path in (*written, *partial_paths(written), checkpoint_path(written)):
        if given[words.INPUT] != STANDARD and path == Path(given[words.INPUT]).resolve():
            raise InputError(f"{path} is the input itself: name another file with OUTPUT=")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a file: name another with OUTPUT=")
    if not os.access(output.parent, os.W_OK):
        raise InputError(f"{output.parent} does not exist or cannot be written: name another with OUTPUT=")
    return output


def _recipe(given: Words, model: Path) -> dict[str, Any] | None:
    """All that the bytes of the output depend on; None for standard input, which is not read twice."""
    if given[words.INPUT] == STANDARD:
        return None
    options = {name: text for name, text in given.texts.items() if name != words.THREADS.name}
    source = loading.identify(given[words.INPUT]).model_dump()
    code = sha256_of(sha256(path) for path in sorted(Path(__file__).parents[1].rglob("*.py")))
    return {"options": options, "input": source, "model": sha256(model / "manifest.json"), "code": code}


def _wanted(given: Words, classifier: Classifier) -> OutputColumns:
    if given[words.TOP] > (classes := len(classifier.labels)):
        raise InputError(f"TOP={given[words.TOP]}: expected a whole number from 1 to {classes}")
    return OutputColumns(
        top=given[words.TOP],
        probabilities=given[words.PROBABILITIES],
        abstain=given[words.ABSTAIN],
        evidence=given[words.EVIDENCE],
        shares=given[words.SHARES],
    )
