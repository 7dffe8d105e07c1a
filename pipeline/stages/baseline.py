"""Choose each baseline's setting by a criterion, fit it to training and validation part, label the test part.

Reads baseline.json, and rows.parquet, text_encoder.json and sequences.npz (or images.npy) of the corpus.
Writes baseline_<criterion>.parquet (the test rows' numbers, and a column of predicted labels for each
baseline) and baseline_<criterion>.json (the setting of each, and by the criterion its score on held-out
rows; how many rows it was fitted to).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ..arrays import sample
from ..artifacts import CorpusFolder, read_inputs
from ..baselines.candidate import Rows, Texts
from ..baselines.catalogue import BASELINES, Form, choose, fit, fit_count
from ..config.stage_options import BaselineOptions, PrepareOptions, read_stage
from ..corpus.folds import choice_splits
from ..corpus.split import PARTS
from ..environment.cores import let_others_first
from ..environment.memory import note
from ..files import write_json, write_table
from ..inputs import Images, Sequences
from ..linear.capacity import max_rows
from ..options import CRITERIA, Criterion, Source
from ..progress import Bar
from ..reading import read_json, read_table
from ..terminal import say, wrapped

BLOCK = 50_000  # rows that are labelled at a time


def run(path: Path, criterion: Criterion = "accuracy") -> None:
    folder = CorpusFolder(path)
    options = read_stage(folder.baseline_options, BaselineOptions)
    rows = read_table(folder.rows)
    inputs = read_inputs(folder)
    labels, forms = rows["label"].to_numpy(np.int64), _forms(inputs, rows)
    part = {name: np.flatnonzero(rows["part"] == name) for name in PARTS}
    both = np.concatenate([part["train"], part["validation"]])
    classes = len(read_json(folder.labels))
    source = read_stage(folder.prepare_options, PrepareOptions).source
    most = _max_rows(folder, inputs, source)
    splits = [
        places._replace(fitted=sample(places.fitted, most, options.seed))
        for places in choice_splits(rows, source.mixes_validation, options.seed)
    ]
    where = f"{len(splits[0].held_out):,} rows" if len(splits) == 1 else f"{len(splits)} folds"
    learned = sample(both, most, options.seed)
    lines = [f"baseline: chosen on {where} by {CRITERIA[criterion]}, fitted on {len(learned):,}"]
    if told := note(len(learned), len(both)):
        lines.append(wrapped(told))
    predictions, choices = {"row": part["test"]}, {}
    total = sum(fit_count(name, len(splits), criterion) + 1 for name in options.baselines)
    # A network is trained at the same time. One thread is as fast, and leaves it a core.
    let_others_first()
    with threadpool_limits(1), Bar("baseline", total, unit="fit") as bar:
        for name in options.baselines:
            taken = forms[BASELINES[name].takes]
            pairs = [places.of(taken, labels) for places in splits]
            chosen = choose(name, pairs, classes, criterion, options.seed, bar.update)
            candidate = fit(chosen, (taken.select(learned), labels[learned]), classes, options.seed)
            blocks = np.split(part["test"], range(BLOCK, len(part["test"]), BLOCK))
            predictions[name] = np.concatenate([candidate.predict(taken.select(block)) for block in blocks])
            bar.update()
            choices[name] = {
                "setting": candidate.setting,
                "validation_score": chosen.score,
                "rows": len(learned),
            }
            lines.append(f"  {BASELINES[name].title}: {candidate.setting}")
    say("\n".join(lines))  # in one piece: train prints at the same time
    write_json(folder.baseline_choices(criterion), choices)
    write_table(folder.baseline(criterion), pd.DataFrame(predictions))  # last, as Make takes it for the end


def _forms(inputs: Sequences | Images, rows: pd.DataFrame) -> dict[Form, Rows]:
    """Return all rows in each form that a baseline of this corpus may take."""
    if inputs.kind == "image":
        return {"any": inputs, "images": inputs}
    tokens = inputs.as_sequences()
    return {"any": tokens, "tokens": tokens, "texts": Texts(rows["text"], tokens)}


def _max_rows(folder: CorpusFolder, rows: Sequences | Images, source: Source) -> int:
    """Return how many rows the memory has room for; of images, a baseline takes its own sample."""
    if rows.kind == "image":
        return len(rows)
    return max_rows(rows, read_json(folder.text_encoder)["words"], source.memory)
