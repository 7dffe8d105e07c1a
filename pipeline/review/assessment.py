"""What is said of a classifier from the rows that it was not trained on: measures, slices, tables of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..inputs import Images, Sequences
from ..measures import slices
from ..measures.calibration import Reliability, error_by_chance, reliability
from ..measures.comparison import Comparison, Performance, compare
from ..measures.metrics import Interval
from ..measures.slices import SliceAccuracy
from ..measures.softmax import softmax
from ..prediction.classifier import Classifier
from ..prediction.evidence import evidence
from ..prediction.folded import FoldedModel
from . import label_errors
from .label_errors import Suspects

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Scored:
    """Rows of a corpus, and what a classifier says of them.

    `rows` have columns file, line, label (a code) and, of texts, text; `inputs` are what the classifier took.
    `logits` and `probabilities` are float32 [rows, classes].
    """

    classifier: Classifier
    rows: pd.DataFrame
    inputs: Sequences | Images
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float32]

    @classmethod
    def of(
        cls, classifier: Classifier, rows: pd.DataFrame, inputs: Sequences | Images, chosen: pd.Series[bool]
    ) -> Scored:
        """The `chosen` ones of a corpus's rows."""
        inputs = inputs.select(np.flatnonzero(chosen))
        logits = classifier.logits(inputs)
        return cls(classifier, rows[chosen], inputs, logits, classifier.softmax(logits))

    @property
    def truth(self) -> Labels:
        return self.rows["label"].to_numpy(np.int64)

    @property
    def predicted(self) -> Labels:
        predicted: Labels = self.logits.argmax(axis=1)
        return predicted

    @property
    def reliability(self) -> tuple[Reliability, Reliability]:
        """Without the temperature, and with it."""
        return reliability(softmax(self.logits), self.truth), reliability(self.probabilities, self.truth)


@dataclass(frozen=True)
class Measures:
    """All numbers of a run's test part."""

    comparison: Comparison
    network_alone: Performance | None  # without the n-grams, if any are pooled with the network
    slices: dict[str, list[SliceAccuracy]]
    temperature: float
    calibration_error_before: float  # without the temperature
    calibration_error: float
    calibration_error_by_chance: Interval

    def to_json(self) -> dict[str, Any]:
        """Return their entries in metrics.json."""
        alone = self.network_alone.to_json("network_alone_") if self.network_alone else {}
        return {
            **self.comparison.to_json(),
            **alone,
            "slices": {name: [entry.to_json() for entry in table] for name, table in self.slices.items()},
            "temperature": self.temperature,
            "calibration_error_before": self.calibration_error_before,
            "calibration_error": self.calibration_error,
            "calibration_error_by_chance_interval": self.calibration_error_by_chance,
        }


def measures(
    test: Scored, baseline: Labels, majority: Labels, found: NDArray[np.bool_] | None, seed: int
) -> Measures:
    """Measure a run's test part; `baseline` and `majority` int64 [rows] are its opponents' labels."""
    before, after = test.reliability
    names = test.classifier.labels
    return Measures(
        comparison=compare(test.truth, test.predicted, baseline, majority, names, seed),
        network_alone=_network_alone(test),
        slices=_slices(test, found),
        temperature=test.classifier.temperature,
        calibration_error_before=before.error,
        calibration_error=after.error,
        calibration_error_by_chance=error_by_chance(test.probabilities, seed),
    )


def _network_alone(test: Scored) -> Performance | None:
    """The n-grams are the baseline's: whether the network is worth its cost, its own scores tell."""
    model = test.classifier.predictor
    if not isinstance(model, FoldedModel) or model.ngrams is None:
        return None
    predicted: Labels = replace(model, ngrams=None).logits(test.inputs.as_sequences()).argmax(axis=1)
    return Performance.from_predictions(test.truth, predicted, test.classifier.labels)


def _slices(test: Scored, found: NDArray[np.bool_] | None) -> dict[str, list[SliceAccuracy]]:
    """Accuracy by class; of texts also by length and strange words. `found` as in `slices.uncovered`, or None
    where no file of vectors was read."""
    correct = test.predicted == test.truth
    bins = {"class": slices.by_class(test.truth, test.classifier.labels)}
    if tokens := test.classifier.encoder.count_tokens(test.rows):
        bins["length"] = slices.by_length(tokens.total)
        bins["unknown_words"] = slices.by_share(tokens.unknown, tokens.total)
        if found is not None:
            lacking = slices.uncovered(test.inputs.as_sequences(), found)
            bins["uncovered_words"] = slices.by_share(lacking, test.inputs.lengths)
    return {name: one.accuracy(correct) for name, one in bins.items()}


def predictions(test: Scored) -> pd.DataFrame:
    """The rows with what was predicted, in their order."""
    names = np.array(test.classifier.labels, object)
    return _shown(test.rows).assign(
        label=names[test.truth],
        predicted_label=names[test.predicted],
        probability=test.probabilities.max(axis=1).astype(float).round(4),
    )


def mistakes(labelled: pd.DataFrame) -> pd.DataFrame:
    """Of `predictions`, the wrong ones, the most confident first; the index is that of the rows."""
    wrong = labelled[labelled["label"] != labelled["predicted_label"]]
    return wrong.sort_values("probability", ascending=False, kind="stable")


def with_evidence(wrong: pd.DataFrame, test: Scored) -> pd.DataFrame:
    """Some of `mistakes` with the n-grams behind each label, as `evidence` gives them; images, and what a
    network that is not folded said, stand without."""
    classifier = test.classifier
    encoder, model = classifier.encoder, classifier.predictor
    if not isinstance(model, FoldedModel):
        return wrong
    places = test.rows.index.get_indexer(wrong.index)
    sequences = encoder.encode(wrong["text"]).as_sequences()
    tokens = [encoder.tokens(text) for text in wrong["text"]]
    shown = evidence(model, sequences, tokens, test.logits[places], test.predicted[places])
    return wrong.assign(evidence=shown)


def suspect_labels(
    held_out: Scored, rows: pd.DataFrame, inputs: Sequences | Images, seed: int
) -> pd.DataFrame:
    """The rows whose label is probably wrong, with the label that fits better: the most suspicious first,
    and those of the test part behind all others, as they are not to be corrected by what the classifier says.

    `held_out` are validation and test rows, of which the classifier itself is asked. `rows` and `inputs` are
    the whole corpus's: training rows of texts are judged out of fold (see `label_errors`), those of images
    not at all. What two judges say cannot be compared, so that a row's place is the share of its judge's rows
    that are at least as suspicious.
    """
    names = held_out.classifier.labels
    found = [_named(held_out.rows, label_errors.suspects(held_out.probabilities, held_out.truth), names)]
    if inputs.kind == "text":
        rows = rows[training := rows["part"] == "train"]
        labels = rows["label"].to_numpy(np.int64)
        learned_from = inputs.select(np.flatnonzero(training))
        probabilities = label_errors.out_of_fold(learned_from, labels, len(names), seed)
        found.append(_named(rows, label_errors.suspects(probabilities, labels), names))
    ranked = pd.concat(found).sort_values("share", kind="stable")
    of_test = ranked["part"] == "test"
    return pd.concat([ranked[~of_test], ranked[of_test]]).drop(columns="share")


def _named(rows: pd.DataFrame, suspects: Suspects, names: Sequence[str]) -> pd.DataFrame:
    labels, chosen = np.array(names, object), rows.iloc[suspects.rows]
    return _shown(chosen).assign(
        part=chosen["part"],
        label=labels[chosen["label"]],
        suggested_label=labels[suspects.suggested],
        probability=suspects.probability.astype(float).round(4),
        share=np.arange(1, len(chosen) + 1) / max(1, len(rows)),
    )


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[[name for name in ("file", "line", "text") if name in rows]]
