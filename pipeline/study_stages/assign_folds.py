"""Cut a corpus into folds, all of one number and seed at once: it takes rows times folds.

Reads the corpus's rows.parquet and the options beside it; writes which fold tests each row.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..artifacts import FoldAssignmentFiles
from ..config.stage_options import FoldAssignmentOptions, read_stage
from ..corpus import folds
from ..corpus.equality import contents
from ..files import write_arrays
from ..reading import read_table
from ..terminal import say


def run(path: Path) -> None:
    files = FoldAssignmentFiles(path)
    options = read_stage(files.options, FoldAssignmentOptions)
    rows = read_table(files.corpus.rows)
    say(f"cut: {len(rows):,} rows into {options.count} folds, by seed {options.seed}")
    fold = folds.assign_folds(
        list(contents(rows)), rows["label"].to_numpy(np.int32), options.count, options.seed
    )
    write_arrays(files.folds, fold=fold)
