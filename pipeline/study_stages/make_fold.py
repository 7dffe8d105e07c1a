"""Make one fold of a corpus, or draw its validation part by another seed.

Reads the corpus's rows.parquet, labels.json and which rows each fold tests, and the fold's prepare.json;
writes the fold's own rows.parquet, labels.json and data_report.json, on which the stages then go on as on
a corpus.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..artifacts import CorpusFolder
from ..config.stage_options import PrepareOptions, read_stage
from ..corpus import folds
from ..corpus.data_report import data_report
from ..corpus.equality import contents
from ..corpus.split import PARTS, TEST
from ..files import write_json, write_table
from ..reading import read_arrays, read_json, read_table
from ..terminal import say


def run(path: Path) -> None:
    folder = CorpusFolder(path)
    corpus = folder.all_rows
    options = read_stage(folder.prepare_options, PrepareOptions)
    fold = options.fold
    assert fold is not None
    rows, names = read_table(corpus.rows), read_json(corpus.labels)
    texts, labels = list(contents(rows)), rows["label"].to_numpy(np.int32)
    part = np.array([PARTS.index(name) for name in rows["part"]], np.int8)
    if fold.count > 1:
        tested = read_arrays(corpus.fold_assignment(fold.count, options.seed).folds)["fold"] == fold.number
        part = folds.parts(texts, labels, tested, options.seed)
    elif "validation" not in options.source.official:
        part = folds.parts(texts, labels, part == TEST, options.seed)
    rows["part"] = pd.Categorical(np.array(PARTS, object)[part], categories=list(PARTS))
    named = rows.assign(label=pd.Categorical(np.array(names, object)[labels], categories=names))
    write_json(folder.report, data_report(named))
    write_json(folder.labels, names)
    write_table(folder.rows, rows)
    say(f"fold: {folder.path.name}, {(part == TEST).sum():,} test rows")
