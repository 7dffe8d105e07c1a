"""Tables of rows for a reviewer: predictions, mistakes with their evidence, and suspect labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..arrays import Sizes
from ..corpus.equality import contents, group_numbers
from ..inputs import Images, Sequences, shown
from ..prediction.evidence import evidence
from . import label_errors, naive_bayes
from .assessment import ScoredRows
from .label_errors import SuspectRows


def predictions(test: ScoredRows) -> pd.DataFrame:
    """Return the rows with their true and predicted labels and the probability, in the corpus's order."""
    names = np.array(test.names, object)
    return identified(test.rows).assign(
        label=names[test.truth],
        predicted_label=names[test.predicted],
        probability=test.probabilities.max(axis=1).astype(float).round(4),
    )


def mistakes(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the wrong `predictions`, the most confident first, with the index that they have there."""
    wrong = predictions[predictions["label"] != predictions["predicted_label"]]
    return wrong.sort_values("probability", ascending=False, kind="stable")


def with_evidence(wrong: pd.DataFrame, test: ScoredRows) -> pd.DataFrame:
    """Return some of the `mistakes` with a column of the n-grams behind each prediction (see `evidence`).

    Images, and predictions of a network that cannot be folded, get no such column.
    """
    classifier = test.classifier
    if not classifier.is_folded:
        return wrong
    encoder = classifier.encoder
    places = test.rows.index.get_indexer(wrong.index)
    texts = test.rows["text"].iloc[places].tolist()
    sequences = encoder.encode(texts).as_sequences()
    pieces = [encoder.pieces(text) for text in texts]
    column = evidence(classifier.predictor, sequences, pieces, test.logits[places], test.predicted[places])
    return wrong.assign(evidence=column)


def suspect_labels(
    held_out: ScoredRows, rows: pd.DataFrame, inputs: Sequences | Images, judged: Sizes, seed: int
) -> pd.DataFrame:
    """Return the rows whose label is probably wrong, the most suspicious first, with a suggested label.

    The `held_out` rows, which no member has learned, are judged by the classifier itself. `rows` and `inputs`
    are those of the whole corpus. Texts at the places `judged`, int64 [judged], are judged by an out-of-fold
    model (see `naive_bayes`); images are not. The probabilities of two judges are not comparable, so a row is
    ranked by the share of its judge's rows that are at least as suspicious. Test rows come last, as they must
    not be corrected by the classifier's suggestion.
    """
    names = held_out.names
    # Of a label that is no class the classifier is never sure.
    probabilities = np.pad(held_out.probabilities, ((0, 0), (0, len(held_out.unknown))))
    held_out_suspects = label_errors.suspect_rows(probabilities, held_out.truth)
    suspects = [_named(held_out.rows, held_out_suspects, names)]
    if inputs.kind == "text":
        learned = rows.iloc[judged]
        labels = learned["label"].to_numpy(np.int64)
        sequences = inputs.select(judged)
        groups = group_numbers(contents(learned))
        probabilities = naive_bayes.out_of_fold_probabilities(sequences, labels, groups, len(names), seed)
        suspects.append(_named(learned, label_errors.suspect_rows(probabilities, labels), names))
    ranked = pd.concat(suspects).sort_values("share", kind="stable")
    is_test = ranked["part"] == "test"
    return pd.concat([ranked[~is_test], ranked[is_test]]).drop(columns="share")


def _named(rows: pd.DataFrame, suspects: SuspectRows, names: Sequence[str]) -> pd.DataFrame:
    """Return the suspect rows with their labels' names, and the share of `rows` as suspicious as each."""
    labels, selected = np.array(names, object), rows.iloc[suspects.rows]
    return identified(selected).assign(
        part=selected["part"],
        label=labels[selected["label"]],
        suggested_label=labels[suspects.suggested],
        probability=suspects.probability.astype(float).round(4),
        share=np.arange(1, len(selected) + 1) / max(1, len(rows)),
    )


def identified(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns by which a reader recognizes a row, several columns of texts in one."""
    columns = rows[[name for name in ("file", "line", "text") if name in rows]]
    return columns.assign(text=columns["text"].map(shown)) if "text" in columns else columns
