"""Choose each baseline by a criterion on the validation part, fit it to both parts, and label the test part.

Reads baseline.json, and rows.parquet and sequences.npz (or images.npy) of the corpus. Writes
baseline_<criterion>.parquet (the test rows' numbers, and a column of predicted labels for each baseline) and
baseline_<criterion>.json (the setting of each, and by the criterion its score on the validation part).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..artifacts import CorpusFolder, read_inputs
from ..baselines.candidate import Rows, Texts
from ..baselines.catalogue import BASELINES, Form, fit, refit
from ..config.stage_options import BaselineOptions, read_stage
from ..corpus.split import PARTS
from ..files import write_json, write_table
from ..options import CRITERIA, Criterion
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
    predictions, choices = {"row": part["test"]}, {}
    how = f"chosen on {len(part['validation']):,} rows by {CRITERIA[criterion]}"
    lines = [f"baseline: {how}, fitted on {len(learned):,}"]
    for name in options.baselines:
        inputs = forms[BASELINES[name].takes]
        training, validation, both = (
            (inputs.select(places), labels[places]) for places in (part["train"], part["validation"], learned)
        )
        chosen = fit(name, training, validation, classes, criterion, options.seed)
        fitted = refit(chosen, both, classes, options.seed)
        predictions[name] = fitted.predict(inputs.select(part["test"]))
        choices[name] = {"setting": fitted.setting, "validation_score": chosen.score}
        lines.append(f"  {BASELINES[name].title}: {fitted.setting}")
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
