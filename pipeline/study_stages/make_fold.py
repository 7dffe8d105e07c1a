"""Make one fold of a corpus, or draw its validation part by another seed.

Reads the corpus's rows.parquet, labels.json, unknown_labels.json, text_columns.json and which rows each fold
tests, and the fold's prepare.json; writes the fold's own rows.parquet, labels.json, unknown_labels.json,
text_columns.json and data_report.json, on which the stages then go on as on a corpus.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..artifacts import CorpusFolder, read_all_labels
from ..config.stage_options import PrepareOptions, read_stage
from ..corpus.copies import Copies
from ..corpus.data_report import data_report
from ..corpus.parts import fold_rows
from ..files import write_json, write_table
from ..reading import read_arrays, read_json, read_table
from ..terminal import say


def run(path: Path) -> None:
    folder = CorpusFolder(path)
    corpus = folder.all_rows
    options = read_stage(folder.prepare_options, PrepareOptions)
    fold = options.fold
    assert fold is not None
    rows, names = read_table(corpus.rows), read_all_labels(corpus)
    split = read_json(corpus.report)["split"]
    rows["label"] = pd.Categorical.from_codes(rows["label"].to_numpy(np.int32), pd.Index(names))
    if fold.count > 1:
        folds = read_arrays(corpus.fold_assignment(fold.count, options.seed).folds)["fold"]
    else:
        folds = (rows["part"] == "test").to_numpy(np.int32)
    if fold.count > 1 or "validation" not in options.source.official:
        rows, copies, told = fold_rows(rows, options.source, options.seed, folds, fold.number)
        split |= told
    else:
        copies = Copies(rows, options.source.memory)
    write_json(folder.report, data_report(rows, copies, split))
    write_json(folder.labels, read_json(corpus.labels))
    write_json(folder.unknown_labels, read_json(corpus.unknown_labels))
    write_json(folder.text_columns, read_json(corpus.text_columns))
    write_table(folder.rows, rows.assign(label=rows["label"].cat.codes.astype(np.int32)))
    say(f"fold: {folder.path.name}, {(rows['part'] == 'test').sum():,} test rows")
