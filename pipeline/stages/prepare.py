"""Read the corpus, check it and split it.

Reads the corpus's files (downloaded once into data/raw/) or a built-in corpus; writes rows.parquet (file,
line, text, label, part, unit, copied, and by the options group, or time and order), labels.json (the
classes), unknown_labels.json (labels that only test rows have; their codes follow those of the classes),
text_columns.json (whose texts are joined to one), data_report.json, rejects.csv (the rows set aside), and
where `source.other` names a label, other_rows.parquet (file, line and text of its rows). For images it writes
images.npy (uint8 [rows, height, width, channels]), and rows.parquet has content, width and height instead of
text.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..artifacts import CorpusFolder, data_folder
from ..config.stage_options import PrepareOptions, read_stage
from ..corpus import sources
from ..corpus.copies import Copies
from ..corpus.data_report import data_report, summary
from ..corpus.docstring_corpus import docstring_corpus
from ..corpus.download import fetch
from ..corpus.parts import split_rows
from ..corpus.sources import Example, Rejected
from ..files import images_writer, write_csv, write_json, write_table
from ..images import sources as image_sources
from ..images.sources import ImageExample
from ..labels.cautions import Caution, listed
from ..labels.classes import Classes, check_classes
from ..options import Source
from ..reading import read_table
from ..tables.rejects import Rejects
from ..terminal import TERMINAL_WIDTH, say, shorten, wrapped

Examples = Mapping[str, Sequence[Example | ImageExample]]


class Read(NamedTuple):
    """The checked rows of each part as its file gives them, the rows set aside, and what there is to say."""

    examples: Examples
    rejected: Mapping[str, Sequence[Rejected]]
    cautions: Sequence[Caution]
    text_columns: list[str]


def run(path: Path) -> None:
    folder = CorpusFolder(path)
    options = read_stage(folder.prepare_options, PrepareOptions)
    source = options.source
    say(f"prepare: {options.title or options.corpus}")
    read = _read_images(folder, source) if source.input == "images" else _read(folder, source)
    examples, rejected, cautions, columns = read
    told = [_told(caution) for caution in cautions]
    for caution in told:  # before the split, as they may say why the rows are too few for it
        say(wrapped(f"caution: {caution}"))
    set_aside = [row for part in rejected.values() for row in part]
    classes, unknown = _label_names(examples, source)
    names = classes + unknown
    rows = _table(examples, source)
    del read, examples  # millions of objects
    codes = rows["label"].map({name: code for code, name in enumerate(names)}).to_numpy(np.int32)
    rows["label"] = rows["label"].astype(pd.CategoricalDtype(names))
    copies = Copies(rows, source.memory)
    rows, split = split_rows(rows, copies, source, options.split, options.seed)
    without_text, reasons = sum(row.has_no_text for row in set_aside), Rejects()
    for row in set_aside:
        reasons.add(row.reason, row.line, row.rows)
    report = data_report(rows, copies, split, reasons.total, without_text) | {"cautions": told}
    write_json(folder.report, report)
    write_json(folder.labels, classes)
    write_json(folder.unknown_labels, unknown)
    write_json(folder.text_columns, columns)
    write_table(folder.rows, rows.assign(label=codes))
    # Of a corpus that is cut into folds, each fold has its own parts.
    say(indent(summary(report, parts=not folder.is_fold), "  "))
    if source.other:
        compared = len(read_table(folder.other_rows))
        line = f"out-of-scope rows, compared with the test part: {compared:,}, labelled {source.other}"
        say(f"  {shorten(line, TERMINAL_WIDTH - 2)}")
    if set_aside:
        say("\n".join([f"  rows set aside, with line and reason: {folder.rejects}", *reasons.lines()]))


def _table(examples: Examples, source: Source) -> pd.DataFrame:
    """Return the rows of all parts with the columns that are needed, and their part."""
    tables = [pd.DataFrame(list(rows)).assign(part=part) for part, rows in examples.items()]
    return pd.concat(tables, ignore_index=True).drop(columns=_unused_columns(source), errors="ignore")


def _told(caution: Caution) -> str:
    """Return a caution with what to type: these options have words of their names.

    The words themselves are code of no stage, so that a new one redoes nothing.
    """
    word = caution.option.rpartition(".")[2].upper()
    return caution.sentence + (f"; {word}={caution.value} {caution.effect}" if word else "")


def _label_names(examples: Examples, source: Source) -> tuple[list[str], list[str]]:
    """Return the names of the classes, and of the labels that only test rows have."""
    labels = {part: {example.label for example in rows} for part, rows in examples.items()}
    known = set().union(*(of_part for part, of_part in labels.items() if part != "test"))
    unknown = labels.get("test", set()) - known
    return sources.label_names(known, source), sources.label_names(unknown, source)


def _unused_columns(source: Source) -> list[str]:
    return [*([] if source.group else ["group"]), *([] if source.time else ["time", "order"])]


def _read(folder: CorpusFolder, source: Source) -> Read:
    """Return the rows of texts, once they are checked."""
    folder.images.unlink(missing_ok=True)  # left by a corpus of the same name that had images
    columns = {"train": [source.text]}
    if source.format == "docstrings":
        docstrings = [Example(row.file, row.line, row.text, row.label) for row in docstring_corpus()]
        examples, rejected = {"train": docstrings}, dict[str, list[Rejected]](train=[])
    else:
        examples, rejected = {}, {}
        for part, file in source.files.items():
            path = Path(file.path)
            if source.address:
                path = fetch(source.address, file, data_folder() / "raw", os.environ.get("MIRROR", ""))
            read = sources.read_part(path, source, part != "train")
            examples[part], rejected[part], columns[part] = read
    _write_rejects(folder, rejected)
    for part, rows in examples.items():
        sources.check_rejected(rejected[part], len(rows), source, folder.rejects)
    folder.other_rows.unlink(missing_ok=True)
    if source.other:
        examples, others = sources.without_other(examples, source)
        write_table(folder.other_rows, pd.DataFrame(others)[["file", "line", "text"]])
    labels = {part: (row.label for row in rows) for part, rows in examples.items()}
    classes = Classes.of_labels(labels, source)
    sorted_rows = {part: sources.sort_into_classes(rows, classes, part) for part, rows in examples.items()}
    rejected = {part: sorted([*rejected[part], *set_aside]) for part, (_, set_aside) in sorted_rows.items()}
    _write_rejects(folder, rejected)
    check_classes(sorted_rows["train"][0], classes, source)
    of_classes = {part: rows for part, (rows, _) in sorted_rows.items()}
    return Read(of_classes, rejected, classes.cautions, columns["train"])


def _read_images(folder: CorpusFolder, source: Source) -> Read:
    """Do the same for images, and write their pixels one by one: memory may not hold all of them."""
    parts = image_sources.parts(source)
    folder.other_rows.unlink(missing_ok=True)  # likewise of one that had texts
    classes = Classes.of_labels(image_sources.labels_of(parts, source), source)
    with images_writer(folder.images, image_sources.shape_of(parts, source)) as write:
        examples, rejected = image_sources.read_images(parts, source, classes, write)
        _write_rejects(folder, rejected)
        check_classes(examples["train"], classes, source)
    cautions = [*classes.cautions, *_of_empty_folders(parts)]
    return Read(examples, rejected, cautions, [source.text])


def _of_empty_folders(parts: Mapping[str, image_sources.Part]) -> list[Caution]:
    names = [name for part in parts.values() for name in part.empty_folders]
    return [Caution(f"folders without an image, which are no class: {listed(names)}")] if names else []


def _write_rejects(folder: CorpusFolder, rejected: Mapping[str, Sequence[Rejected]]) -> None:
    write_csv(folder.rejects, Rejected._fields, [row for part in rejected.values() for row in part])
