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
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from tqdm import tqdm

from pipeline import cells, champions, config, drift
from pipeline.artifacts import RunFolder, sha256, whole
from pipeline.classifier import Classifier, form_named
from pipeline.csv_blocks import CsvBlocks, Place
from pipeline.csv_faults import BadRow
from pipeline.errors import InputError
from pipeline.image_paths import ImageFolder
from pipeline.labelling import Labeller, Tally, Wanted
from pipeline.resumable import Resumable, journal, partials
from pipeline.tables import Batch, BlockTable, ParquetTable, packed
from pipeline.text import TextEncoder

STANDARD = "-"  # input or output
Table = BlockTable | ParquetTable


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
        classifier = Classifier.load(folder, form_named(arguments.form))
        images = Path(arguments.input).is_dir()
        if images and isinstance(classifier.encoder, TextEncoder):
            raise InputError(f"{arguments.input} is a folder, and the model labels texts: name a CSV")
        wanted = _wanted(arguments, classifier)
        table.choose(arguments.text or classifier.column)
        added = wanted.names(classifier.labels)
        if taken := [name for name in added if name in table.header]:
            raise InputError(f"{arguments.input} already has a column {taken[0]!r}: rename or remove it")
        threads = _number("THREADS", arguments.threads or str(os.cpu_count() or 1), 1, 1024)
        # A CSV's paths of images are relative to its folder; a folder gives whole ones.
        below = Path() if images or arguments.input == STANDARD else Path(arguments.input).parent
        work = _Work(table, classifier, lambda: Labeller(classifier, wanted, below), threads)
        if table.harmless and output and output.suffix == ".parquet":
            raise InputError(f"HARMLESS=1 is for what a spreadsheet opens, not {output}: name a .csv")
        if output is None:
            work.to_stream(sys.stdout.buffer, added)
        elif output.suffix == ".parquet":
            work.to_parquet(output)
        else:
            work.to_csv(output, added, _recipe(arguments, folder))
    work.summarize(output)


class _Done(NamedTuple):
    batch: Batch
    result: Any  # bytes of CSV, or a pyarrow table
    tally: Tally


class _Work:
    """The rows of a table, labelled by several threads and written in their order."""

    def __init__(
        self, table: Table, classifier: Classifier, new_labeller: Callable[[], Labeller], threads: int
    ) -> None:
        self._table = table
        self._classifier = classifier
        self._threads = threads
        self._local = threading.local()
        self._new_labeller = new_labeller
        self._tally = Tally(np.zeros(len(classifier.labels), np.int64))
        self._before = 0  # rows that an interrupted run had labelled
        self._seconds = 0.0
        self._rejects: Path | None = None

    def to_csv(self, output: Path, added: list[str], recipe: dict[str, Any] | None) -> None:
        pack = packed if output.suffix == ".gz" else bytes
        rejects = Path(f"{output}.rejects.csv")
        with Resumable([output, rejects], recipe) as files:
            place = None
            if files.state:
                place = Place(*files.state["place"])
                self._tally = Tally.of(files.state["tally"])
                self._before = self._tally.rows
                print(f"predict: going on behind row {self._before:,}", file=sys.stderr)
            else:
                files.write([pack(self._head(added)), cells.line(BadRow._fields, ",")], None)
            for done in self._label(lambda batch, columns: pack(self._table.lines(batch, columns)), place):
                files.write([done.result, self._rejected(done.batch.bad)], self._state(done.batch))
            files.finish([True, self._tally.rejected > 0])
        self._rejects = rejects if self._tally.rejected else None

    def to_parquet(self, output: Path) -> None:
        import pyarrow.parquet as pq

        rejects = Path(f"{output}.rejects.csv")
        bad: list[BadRow] = []
        with ExitStack() as stack:
            partial, writer = stack.enter_context(whole(output)), None
            for done in self._label(self._table.arrow, None):
                bad += done.batch.bad
                if writer is None:
                    writer = stack.enter_context(pq.ParquetWriter(partial, done.result.schema))
                writer.write_table(done.result)
            if writer is None:
                raise InputError("there are no rows to write as Parquet: name a .csv with OUTPUT=")
        rejects.unlink(missing_ok=True)
        if bad:
            with whole(rejects) as partial:
                partial.write_bytes(cells.line(BadRow._fields, ",") + self._rejected(bad))
            self._rejects = rejects

    def to_stream(self, stream: IO[bytes], added: list[str]) -> None:
        """What cannot be read is told at once, as there is no file beside the stream."""
        try:
            self._stream(stream, added)
        except BaseException as error:
            error.add_note("standard output ends where it was")
            raise

    def _stream(self, stream: IO[bytes], added: list[str]) -> None:
        stream.write(self._head(added))
        for done in self._label(self._table.lines, None):
            stream.write(done.result)
            for row in done.batch.bad:
                print(f"convtext: line {row.first_line} was left out: {row.reason}", file=sys.stderr)
        stream.flush()

    def _label(self, written: Any, place: Place | None) -> Iterator[_Done]:
        """`written` gives of a batch and its columns what is to be written; it runs in the threads too."""

        def label(batch: Batch) -> _Done:
            if not hasattr(self._local, "labeller"):
                self._local.labeller = self._new_labeller()
            columns, tally, refused = self._local.labeller.label(batch.data, batch.texts)
            if refused:
                batch = self._table.without(batch, refused)
            tally.rejected = len(batch.bad)
            return _Done(batch, written(batch, columns), tally)

        waiting: deque[Future[_Done]] = deque()
        batches = self._table.batches(place)
        _ = self._classifier.predictor  # loaded before the clock starts, and by one thread
        began = time.perf_counter()
        with _bar(self._table.bytes_total) as bar, ThreadPoolExecutor(self._threads) as threads:
            try:
                for batch in batches:
                    waiting.append(threads.submit(label, batch))
                    if len(waiting) > 2 * self._threads:
                        yield self._counted(waiting.popleft(), bar, began)
                while waiting:
                    yield self._counted(waiting.popleft(), bar, began)
            finally:
                for future in waiting:
                    future.cancel()
        self._seconds = time.perf_counter() - began

    def _counted(self, future: Future[_Done], bar: Any, began: float) -> _Done:
        done = future.result()
        self._tally.add(done.tally)
        rate = (self._tally.rows - self._before) / (time.perf_counter() - began)
        bar.set_postfix_str(f"{rate:,.0f} rows/s", refresh=False)
        bar.update(done.batch.read - bar.n)
        return done

    def _head(self, added: list[str]) -> bytes:
        return cells.line(self._shown(self._table.header + added), self._table.delimiter)

    def _rejected(self, bad: list[BadRow]) -> bytes:
        return b"".join(cells.line(self._shown([str(value) for value in row]), ",") for row in bad)

    def _shown(self, values: list[str]) -> list[str]:
        return cells.escaped(values) if self._table.harmless else values

    def _state(self, batch: Batch) -> dict[str, Any]:
        return {"place": batch.place, "tally": self._tally.as_json()}

    def summarize(self, output: Path | None) -> None:
        """To the terminal; where standard output has the rows, beside it."""
        tally, stream = self._tally, sys.stderr if output is None else sys.stdout
        rate = (tally.rows - self._before) / self._seconds if self._seconds else 0
        said = [f"predict: {tally.rows:,} rows labelled, {rate:,.0f} a second: {output or 'standard output'}"]
        if tally.empty:
            said.append(f"  texts without any token, labelled as such: {tally.empty:,}")
        if tally.cut:
            said.append(f"  texts longer than the model reads, cut: {tally.cut:,}")
        if tally.abstained:
            said.append(f"  rows left without a label (ABSTAIN): {tally.abstained:,}")
        if tally.rejected:
            said.append(f"  rows that could not be read: {tally.rejected:,}")
            said += [f"  they are listed in {self._rejects}"] if self._rejects else []
        if reference := self._classifier.reference:
            said += drift.note(reference, self._classifier.labels, tally.classes, tally.tokens, tally.outside)
        print("\n".join(said), file=stream)


def _bar(total: int) -> Any:
    form = "{desc} {percentage:3.0f}% |{bar}| {postfix}, {remaining} left" if total else "{desc} {postfix}"
    return tqdm(total=total or None, disable=None, ncols=79, desc="predict", bar_format=form, leave=False)


def _model_folder(corpus: str, model: str) -> Path:
    """The champion's, if no model is named and there is one."""
    named = bool(model)
    corpus, model = config.resolved(corpus, model)
    folder = RunFolder(config.run_folder(corpus, model))
    if not named and (champion := champions.current(folder.corpus.path.name)):
        print(f"predict: by the champion, version {champion.version} ({champion.title})", file=sys.stderr)
        return champion.files.classifier
    if not folder.model.exists():
        config.check_corpus(corpus)
        config.check_model(model)
        command = f"make train CORPUS={shlex.quote(corpus)} MODEL={model}"
        raise InputError(f"there is no trained model in {folder.model}: run `{command}` first")
    return folder.model


def _table(arguments: argparse.Namespace, stack: ExitStack) -> Table:
    harmless = _flag("HARMLESS", arguments.harmless)
    if arguments.input.endswith(".parquet"):
        return ParquetTable(Path(arguments.input), harmless)
    path = Path(arguments.input)
    if path.is_dir():
        return BlockTable(stack.enter_context(ImageFolder(path)), harmless)
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
    for path in (*written, *partials(written), journal(written)):
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
    source = config.identify(arguments.input).model_dump()
    return {"options": options, "input": source, "model": sha256(model / "manifest.json")}


def _wanted(arguments: argparse.Namespace, classifier: Classifier) -> Wanted:
    try:
        abstain = float(arguments.abstain)
    except ValueError:
        abstain = -1
    if not 0 <= abstain <= 1:
        raise InputError(f"ABSTAIN={arguments.abstain}: expected a probability from 0 to 1, such as 0.8")
    return Wanted(
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
