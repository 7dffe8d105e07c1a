"""Read the corpus, check it and split it.

Reads the corpus's files (downloaded once into data/raw/) or a built-in corpus; writes rows.parquet (file,
line, text, label, part), labels.json, data_report.json, and rejects.csv: the rows set aside. Of images,
images.npy (uint8 [rows, height, width, channels]), and in rows.parquet content, width and height, no text.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import indent

import numpy as np
import pandas as pd

from ..artifacts import CorpusFolder, data_folder
from ..config.loading import read_stage
from ..corpus import sources
from ..corpus.data_report import data_report, equal_by, summary
from ..corpus.docstrings import docstring_corpus
from ..corpus.download import fetch
from ..corpus.sources import Example, Rejected
from ..corpus.split import PARTS, split
from ..files import images_writer, write_csv, write_json, write_table
from ..images import sources as image_sources
from ..images.sources import ImageExample
from ..options import PrepareOptions, Source

Read = tuple[Mapping[str, Sequence[Example | ImageExample]], Mapping[str, Sequence[Rejected]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="data/build/<corpus>")


def run(arguments: argparse.Namespace) -> None:
    folder = CorpusFolder(arguments.folder)
    options = read_stage(folder.prepare_options, PrepareOptions)
    source = options.source
    print(f"prepare: {options.title or options.corpus}", flush=True)
    examples, rejected = _read_images(folder, source) if source.input == "images" else _read(folder, source)
    set_aside = [reject for part in rejected.values() for reject in part]
    names = sources.label_names((example.label for part in examples.values() for example in part), source)

    rows = pd.concat([_table(part, found) for part, found in examples.items()], ignore_index=True)
    codes = rows["label"].map({name: code for code, name in enumerate(names)}).to_numpy(np.int32)
    rows["part"] = _parts(rows, codes, options)
    empty = sum(reject.empty for reject in set_aside)
    report = data_report(rows.astype({"label": pd.CategoricalDtype(names)}), len(set_aside), empty)
    write_json(folder.report, report)
    write_json(folder.labels, names)
    write_table(folder.rows, rows.assign(label=codes))
    print(indent(summary(report, parts=not folder.is_fold), "  "))  # folds have parts of their own
    if set_aside:
        print(f"  rows set aside, with line and reason: {folder.rejects}")


def _read(folder: CorpusFolder, source: Source) -> Read:
    """Part -> its rows as the files give them, checked, and part -> the rows set aside."""
    folder.images.unlink(missing_ok=True)  # of a corpus that had images once
    if source.format == "docstrings":
        found = [Example(one.file, one.line, one.text, one.label) for one in docstring_corpus()]
        examples, rejected = {"train": found}, dict[str, list[Rejected]](train=[])
    else:
        examples, rejected = {}, {}
        for part, file in source.files.items():
            path = fetch(source.address, file, data_folder() / "raw") if source.address else Path(file.path)
            examples[part], rejected[part] = sources.read_part(path, source)
    _list(folder, rejected)
    for part, rows in examples.items():
        total = len(rows) + len(rejected[part])
        sources.check_blank_rows(rejected[part], total, source, folder.rejects)
    _check(examples)
    return examples, rejected


def _read_images(folder: CorpusFolder, source: Source) -> Read:
    """The same for images, whose pixels are written on the way: all of them may be more than memory holds."""
    parts = image_sources.parts(source)
    with images_writer(folder.images, image_sources.shape_of(parts, source)) as write:
        examples, rejected = image_sources.read_images(parts, source, write)
        _list(folder, rejected)
        _check(examples)
    return examples, rejected


def _list(folder: CorpusFolder, rejected: Mapping[str, Sequence[Rejected]]) -> None:
    write_csv(folder.rejects, Rejected._fields, [reject for part in rejected.values() for reject in part])


def _check(examples: Mapping[str, Sequence[sources.Labelled]]) -> None:
    for found in examples.values():
        sources.check_known(found, examples["train"])
    sources.check_classes(examples["train"])


def _table(part: str, examples: Sequence[Example | ImageExample]) -> pd.DataFrame:
    return pd.DataFrame(list(examples)).assign(part=part)


def _parts(rows: pd.DataFrame, codes: np.ndarray, options: PrepareOptions) -> pd.Series:
    """The official parts; what the corpus brings no file for is taken from the training rows."""
    shares = {
        part: 0.0 if part in options.source.official else getattr(options.split, part) for part in PARTS[1:]
    }
    part = rows["part"].to_numpy(object)
    if any(shares.values()):
        training = np.flatnonzero(part == "train")
        drawn = split(list(equal_by(rows).iloc[training]), codes[training], options.seed, **shares)
        part[training] = np.array(PARTS, object)[drawn]
    return pd.Series(part, dtype=pd.CategoricalDtype(list(PARTS)))
