"""Choose each baseline's setting by a criterion, fit it to training and validation part, label the test part.

Reads baseline.json, and rows.parquet and sequences.npz (or images.npy) of the corpus. Writes
baseline_<criterion>.parquet (the test rows' numbers, and a column of predicted labels for each baseline) and
baseline_<criterion>.json (the setting of each, and by the criterion its score on held-out rows).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..artifacts import CorpusFolder, read_inputs
from ..baselines.candidate import Rows, Texts
from ..baselines.catalogue import BASELINES, Form, choose, fit, fits
from ..config.stage_options import BaselineOptions, PrepareOptions, read_stage
from ..corpus.folds import choice_splits
from ..corpus.split import PARTS
from ..files import write_json, write_table
from ..options import CRITERIA, Criterion
from ..progress import Bar
from ..reading import read_json, read_table
from ..terminal import say


def run(path: Path, criterion: Criterion = "accuracy") -> None:
    folder = CorpusFolder(path)
    options = read_stage(folder.baseline_options, BaselineOptions)
    rows = read_table(folder.rows)
    labels, forms = rows["label"].to_numpy(np.int64), _forms(folder, rows)
    part = {name: np.flatnonzero(rows["part"] == name) for name in PARTS}
    learned = np.concatenate([part["train"], part["validation"]])
    classes = len(read_json(folder.labels))
    source = read_stage(folder.prepare_options, PrepareOptions).source
    splits = choice_splits(rows, source, options.seed)
    where = f"{len(part['validation']):,} rows" if len(splits) == 1 else f"{len(splits)} folds"
    lines = [f"baseline: chosen on {where} by {CRITERIA[criterion]}, fitted on {len(learned):,}"]
    predictions, choices = {"row": part["test"]}, {}
    total = sum(fits(name, len(splits), criterion) + 1 for name in options.baselines)
    with Bar("baseline", total, unit="fit") as bar:
        for name in options.baselines:
            inputs = forms[BASELINES[name].takes]
            pairs = [places.of(inputs, labels) for places in splits]
            chosen = choose(name, pairs, classes, criterion, options.seed, bar.update)
            candidate = fit(chosen, (inputs.select(learned), labels[learned]), classes, options.seed)
            predictions[name] = candidate.predict(inputs.select(part["test"]))
            bar.update()
            choices[name] = {"setting": candidate.setting, "validation_score": chosen.score}
            lines.append(f"  {BASELINES[name].title}: {candidate.setting}")
    say("\n".join(lines))  # in one piece: embed prints at the same time
    write_json(folder.baseline_choices(criterion), choices)
    write_table(folder.baseline(criterion), pd.DataFrame(predictions))  # last, as Make takes it for the end


def _forms(folder: CorpusFolder, rows: pd.DataFrame) -> dict[Form, Rows]:
    """Return all rows in each form that a baseline of this corpus may take."""
    inputs = read_inputs(folder)
    if inputs.kind == "image":
        return {"any": inputs, "images": inputs}
    tokens = inputs.as_sequences()
    return {"any": tokens, "tokens": tokens, "texts": Texts(list(rows["text"]), tokens)}
