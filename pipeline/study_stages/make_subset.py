"""Draw a share of a corpus's labelled rows; the other training and validation rows are in no part.

Reads the corpus's rows.parquet, labels.json, unknown_labels.json and text_columns.json, and the subset's
prepare.json; writes the same four files of the subset, on which the stages then go on as on a corpus.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..artifacts import CorpusFolder
from ..config.stage_options import PrepareOptions, read_stage
from ..corpus.copies import Copies
from ..corpus.split import PARTS
from ..corpus.subset import entry_shares
from ..files import write_json, write_table
from ..reading import read_json, read_table
from ..terminal import say


def run(path: Path) -> None:
    folder = CorpusFolder(path)
    options = read_stage(folder.prepare_options, PrepareOptions)
    subset = options.subset
    assert subset is not None
    rows = read_table(folder.all_rows.rows)
    labels, copies = rows["label"].to_numpy(np.int32), Copies(rows, options.source.memory)
    # A split by time keeps nothing together, but a text that stands twice is one text to learn from.
    units = rows["unit"].to_numpy(np.int64) if "unit" in rows else copies.number
    part = rows["part"].to_numpy(object)
    # The validation rows were labelled, too: a curve that left all of them would show too little of the cost.
    for name in ("train", "validation"):
        places = np.flatnonzero(part == name)
        enters = entry_shares(units[places], labels[places], subset.seed)
        part[places[enters > subset.share]] = None
    rows["part"] = pd.Categorical(part, categories=list(PARTS))
    rows["copied"] = copies.beside_learned(np.isin(part, ["train", "validation"]))
    write_json(folder.labels, read_json(folder.all_rows.labels))
    write_json(folder.unknown_labels, read_json(folder.all_rows.unknown_labels))
    write_json(folder.text_columns, read_json(folder.all_rows.text_columns))
    write_table(folder.rows, rows)
    kept = rows["part"].value_counts()
    say(f"subset: {path.name}, {kept['train']:,} training and {kept['validation']:,} validation rows")
