"""Rows of texts or images labelled by a classifier: the columns that it adds, and counts of its labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Bytes, Flags, Floats, Labels, Offsets
from ..encoder import TokenCounts
from ..tables.columns import Column, NameColumn, NumberColumn, TextColumn
from ..terminal import shorten, wrapped
from .classifier import Classifier
from .drift import drift_lines, histogram
from .evidence import evidence
from .output_columns import OutputColumns, probability_name

COUNTS_BY = ("classes", "rows_by_unknown")  # arrays of `LabelCounts`
MAX_LABELS, LABEL_CHARACTERS = 10, 20  # that are named, and of each of them


@dataclass
class LabelCounts:
    """Counts of rows and of their tokens; `classes` int64 [classes] by predicted label, shown or not."""

    classes: Labels
    rows_by_unknown: Labels  # see `drift.histogram`
    rows: int = 0
    empty: int = 0  # texts without any token
    without_known_word: int = 0  # these, and texts with no word of the vocabulary or like one
    truncated: int = 0  # texts longer than the network reads
    abstained: int = 0
    tokens: int = 0
    unknown: int = 0  # tokens outside the vocabulary

    @classmethod
    def zero(cls, classes: int) -> LabelCounts:
        """Return the counts of no rows."""
        return cls(np.zeros(classes, np.int64), histogram(TokenCounts.none()))

    def to_json(self) -> dict[str, Any]:
        """Return plain values from which `from_json` makes equal counts."""
        return vars(self) | {name: vars(self)[name].tolist() for name in COUNTS_BY}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> LabelCounts:
        """Make counts of what `to_json` gave."""
        return cls(**values | {name: np.array(values[name], np.int64) for name in COUNTS_BY})

    def add(self, other: LabelCounts) -> None:
        """Add the counts of other rows."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class LabelledRows(NamedTuple):
    """`columns` of the rows that could be read; `problems` as in `EncodedRows`."""

    columns: list[Column]
    counts: LabelCounts
    problems: list[str]


class _Scores(NamedTuple):
    """Logits float32 [rows, classes] and tokens of the rows that could be read; which lack a known word."""

    logits: Floats
    tokens: TokenCounts
    lack_known_words: Flags
    problems: list[str]


class Labeller:
    """Labels texts, or image files, by a classifier; threads may share it."""

    def __init__(self, classifier: Classifier, columns: OutputColumns, folder: Path | None) -> None:
        """Take paths of images as relative to `folder`; if that is None, rows are the files' own bytes.

        Raises InputError for columns that the classifier cannot give.
        """
        columns.check(classifier)
        self.thresholds = columns.thresholds(classifier)
        self.classifier = classifier
        self.columns = columns
        self.names = columns.names(classifier.labels)
        self._folder = folder

    def label(self, data: Bytes, bounds: Offsets) -> LabelledRows:
        """Return the columns that `names` names; row i is `data[bounds[i, 0]:bounds[i, 1]]`.

        A text without any known word has probability 0, which no other has, as how often its label is right
        was never measured; where rows may be left without a label, it is.
        """
        labels, columns = self.classifier.labels, self.columns
        scores = self._score(data, bounds)
        tokens = scores.tokens
        probabilities = self.classifier.softmax(scores.logits)
        # By logits: of two classes whose probabilities round to one number, the better is meant.
        ranking = (-scores.logits).argsort(axis=1, kind="stable")[:, : columns.top]
        best = ranking[:, 0]
        unsure = probabilities[np.arange(len(best)), best] < self.thresholds[best]
        if columns.abstains:
            unsure |= scores.lack_known_words
        added = self._label_columns(ranking, unsure, probabilities, scores.lack_known_words)
        if columns.probabilities:
            for label, column in zip(labels, probabilities.T, strict=True):
                added.append(NumberColumn(probability_name(label), column))
        if columns.shares:
            added.append(NumberColumn("unknown_words", _share(tokens.unknown, tokens.total)))
            added.append(NumberColumn("cut_off", _share(tokens.total - tokens.kept, tokens.total)))
        if columns.evidence:
            added.append(TextColumn("evidence", self._evidence(data, bounds, scores.logits, best)))
        counts = LabelCounts(
            classes=np.bincount(best, minlength=len(labels)),
            rows_by_unknown=histogram(tokens),
            rows=len(best),
            empty=int((tokens.total == 0).sum()),
            without_known_word=int(scores.lack_known_words.sum()),
            truncated=int((tokens.total > tokens.kept).sum()),
            abstained=int(unsure.sum()),
            tokens=int(tokens.total.sum()),
            unknown=int(tokens.unknown.sum()),
        )
        return LabelledRows(added, counts, scores.problems)

    def lines_on_rows(self, counts: LabelCounts) -> list[str]:
        """Return lines on texts that say little, and on the rows that are left without a label."""
        lines = []
        if counts.without_known_word:
            none = f" ({counts.empty:,} without any word)" if counts.empty else ""
            found = f"{counts.without_known_word:,}{none}"
            lines.append(f"  texts without any known word, with probability 0: {found}")
        if counts.truncated:
            lines.append(f"  texts longer than the model reads, cut: {counts.truncated:,}")
        return lines + self._lines_on_abstention(counts)

    def lines_on_drift(self, counts: LabelCounts) -> list[str]:
        """Return lines that compare the rows with the validation part; none for a model that lacks it."""
        reference = self.classifier.reference
        if reference is None:
            return []
        tokens = counts.tokens if self.classifier.encoder.kind == "text" else 0
        names = self.classifier.labels
        return drift_lines(reference, names, counts.classes, tokens, counts.unknown, counts.rows_by_unknown)

    def _lines_on_abstention(self, counts: LabelCounts) -> list[str]:
        """Return lines on the rows without a label, and on what the validation part had expected."""
        columns, outcomes, names = self.columns, self.classifier.validation, self.classifier.labels
        lines = []
        if counts.abstained:
            threshold = columns.abstain or round(float(self.thresholds[0]), 4)
            below = "" if columns.precision_by_class else f", of probability below {threshold}"
            lines.append(f"  rows left without a label{below}: {counts.abstained:,}")
        if (wanted := columns.precision or columns.precision_by_class) and outcomes and counts.rows:
            share = 1 - counts.abstained / counts.rows
            usual = outcomes.labelled(self.thresholds).mean()
            whose = " by class" if columns.precision_by_class else ""
            lines.append(
                f"  labelled at precision {wanted:g}{whose}: {share:.1%} (of the validation part {usual:.1%})"
            )
        if never := [names[place] for place in np.flatnonzero(np.isinf(self.thresholds))]:
            listed = ", ".join(shorten(name, LABEL_CHARACTERS) for name in never[:MAX_LABELS])
            more = f" and {len(never) - MAX_LABELS:,} more" if len(never) > MAX_LABELS else ""
            because = "as the validation part does not show that precision"
            lines.append(wrapped(f"never labelled, {because}: {listed}{more}"))
        return lines

    def _label_columns(
        self, ranking: Labels, unsure: Flags, probabilities: Floats, without: Flags
    ) -> list[Column]:
        """Return a label and a probability for each place of the ranking, int64 [rows, places].

        Rows that are `unsure` have no label, and rows `without` any known word the probability 0.
        """
        labels, rows = self.classifier.labels, np.arange(len(ranking))
        columns: list[Column] = []
        for place, codes in enumerate(ranking.T):
            suffix = f"_{place + 1}" if place else ""
            shown = codes if place else np.where(unsure, len(labels), codes)
            columns.append(NameColumn(f"predicted_label{suffix}", shown, [*labels, ""]))
            known = np.where(without, np.float32(0), probabilities[rows, codes])
            columns.append(NumberColumn(f"probability{suffix}", known))
        return columns

    def _score(self, data: Bytes, bounds: Offsets) -> _Scores:
        logits = [np.empty((0, len(self.classifier.labels)), np.float32)]
        tokens, problems, lacking = [TokenCounts.none()], list[str](), [np.empty(0, np.bool_)]
        for batch in self.classifier.encoder.encode_bytes(data, bounds, self._folder):
            logits.append(self.classifier.logits(batch.inputs))
            tokens.append(batch.tokens)
            problems += batch.problems
            lacking.append(batch.lack_known_words)
        return _Scores(
            np.concatenate(logits),
            TokenCounts(*(np.concatenate(counts) for counts in zip(*tokens, strict=True))),
            np.concatenate(lacking),
            problems if any(problems) else [],
        )

    def _evidence(self, data: Bytes, bounds: Offsets, logits: Floats, labels: Labels) -> list[str]:
        encoder, raw = self.classifier.encoder, data.tobytes()
        texts = [raw[start:end].decode() for start, end in bounds.tolist()]
        pieces = [encoder.pieces(text) for text in texts]
        sequences = encoder.encode(texts).as_sequences()
        return evidence(self.classifier.predictor, sequences, pieces, logits, labels)


def _share(part: Labels, whole: Labels) -> Floats:
    return (part / np.maximum(1, whole)).astype(np.float32)
