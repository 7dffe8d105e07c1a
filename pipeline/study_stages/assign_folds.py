"""Cut a corpus into folds, all of one number and seed at once: it takes rows times folds.

Reads the corpus's rows.parquet and the options beside it; writes which fold tests each row.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..artifacts import FoldAssignmentFiles
from ..config.stage_options import FoldAssignmentOptions, PrepareOptions, read_stage
from ..corpus import folds, times
from ..corpus.parts import unit_name
from ..files import write_arrays
from ..options import Source
from ..reading import read_table
from ..terminal import say


def run(path: Path) -> None:
    files = FoldAssignmentFiles(path)
    options = read_stage(files.options, FoldAssignmentOptions)
    rows = read_table(files.corpus.rows)
    say(f"cut: {len(rows):,} rows into {options.count} folds, by seed {options.seed}")
    fold = _assign(rows, read_stage(files.corpus.prepare_options, PrepareOptions).source, options)
    write_arrays(files.folds, fold=fold)


def _assign(rows: pd.DataFrame, source: Source, options: FoldAssignmentOptions) -> NDArray[np.int32]:
    """Return the fold that tests each row; in time order the oldest rows have fold 0, which there is not."""
    if source.time:
        return times.assign_blocks(rows["order"].to_numpy(np.float64), options.count, source.time)
    units, labels = rows["unit"].to_numpy(np.int64), rows["label"].to_numpy(np.int32)
    return folds.assign_folds(units, labels, options.count, options.seed, unit_name(source))
