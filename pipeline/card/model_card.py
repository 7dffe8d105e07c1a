"""The model card of a run (Mitchell et al. 2019), in Markdown as Hugging Face's hub has it.

It says nothing that the report does not show; what nobody told, such as a licence, is "not stated".
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jinja2 import Environment, StrictUndefined

from ..artifacts import MODEL_CARD
from ..corpus.data_report import split_sentences
from ..environment.program import command_text
from ..inputs import Kind
from ..measures.comparison import capitalized, cautions
from ..measures.metrics import ClassScores, Interval
from ..measures.slices import TITLES
from ..options import CRITERIA
from ..prediction.drift import WARNING_DISTANCE, Reference
from ..review.page import Report
from ..tracking import provenance
from .markdown import fenced, inline, quoted
from .weaknesses import Weakness, weaknesses

TEMPLATE = Path(__file__).with_name(f"{MODEL_CARD.lower()}.j2")
MAX_LABELS = 30  # that are named
MAX_CLASSES = 10  # of the table of the weakest
USUAL_LABELS = 5  # whose share is told
FEW_ROWS = 10  # of a class in the test part, which say little of it
TASKS: dict[Kind, str] = {"text": "text-classification", "image": "image-classification"}


class ClassResult(NamedTuple):
    """A class of the test part: its scores, the 95 % interval of its recall, and whether that is weak."""

    scores: ClassScores
    training_rows: int
    interval: Interval | None
    is_weak: bool


@dataclass(frozen=True)
class ModelCard:
    """The content of the card: that of the report, and what only the classifier knows.

    `files` are the names and bytes of those that the rows came from, `columns` those of the texts or paths;
    `reference` is what `predict` compares new rows with, `digests` are those of the model's files and of the
    rows of each part.
    """

    report: Report
    kind: Kind
    files: Sequence[tuple[str, int]]
    columns: Sequence[str]
    reference: Reference | None
    digests: Mapping[str, str]

    def markdown(self) -> str:
        """Return the card. Whatever comes from the data is escaped."""
        environment = Environment(
            autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        environment.filters |= {
            "inline": inline,
            "fenced": fenced,
            "quoted": quoted,
            "capitalized": capitalized,
            "percent": percent,
            "interval": interval,
            "points": points,
            "thousands": "{:,}".format,
        }
        report = self.report
        comparison = report.measures.comparison
        return environment.from_string(TEMPLATE.read_text("utf-8")).render(
            card=self,
            report=report,
            measures=report.measures,
            comparison=comparison,
            data=report.data,
            options=report.options,
            run=report.run,
            task=TASKS[self.kind],
            criterion=CRITERIA[comparison.criterion],
            strongest=report.titles.opponents[comparison.strongest],
            cautions=[*cautions(comparison, report.titles), *filter(None, [report.sampled])],
            split_sentences=split_sentences(report.data),
            slice_titles=TITLES,
            versions=provenance.versions(),
            machine=provenance.machine(),
            evaluated=f"{datetime.now(UTC):%Y-%m-%d}",
            named_labels=self.labels[:MAX_LABELS],
            weakest_classes=self.classes[:MAX_CLASSES],
            few_rows=FEW_ROWS,
            warning_points=100 * WARNING_DISTANCE,
        )

    @property
    def labels(self) -> list[str]:
        """The classes, without labels that only test rows have."""
        return [name for name, rows in self.report.data["classes"].items() if rows["train"]]

    @cached_property
    def weak_slices(self) -> list[Weakness]:
        return weaknesses(self.report.measures.slices)

    @cached_property
    def classes(self) -> list[ClassResult]:
        """The classes that have test rows, those of the lowest F1 first."""
        measures, data = self.report.measures, self.report.data
        weak = {found.slice.name for found in self.weak_slices if found.kind == "class"}
        recalls = {entry.name: entry.interval for entry in measures.slices["class"]}
        return [
            ClassResult(
                entry, data["classes"][entry.label]["train"], recalls[entry.label], entry.label in weak
            )
            for entry in sorted(measures.comparison.network.scores.classes, key=lambda entry: entry.f1)
            if entry.rows
        ]

    @property
    def rare_classes(self) -> int:
        """How many classes have so few test rows, or none, that little is known of them."""
        return sum(entry.rows < FEW_ROWS for entry in self.report.measures.comparison.network.scores.classes)

    @property
    def usual_labels(self) -> list[tuple[str, float]]:
        """The labels that were predicted most often for the validation part, with their shares."""
        shares = np.array(self.reference.classes if self.reference else [])
        order = np.argsort(-shares, kind="stable")[:USUAL_LABELS].tolist()
        return [(self.report.labels[place], float(shares[place])) for place in order]

    @property
    def predict_command(self) -> str:
        """The command that labels new rows by this run, which `train`'s words name."""
        given = [word.partition("=") for word in shlex.split(self.report.run.get("command", ""))]
        named = {name: value for name, _, value in given if name in ("CORPUS", "MODEL")}
        return command_text("predict", {"INPUT": "new.csv" if self.kind == "text" else "new/"} | named)


def percent(share: float) -> str:
    """Return a share in 0..1 as "12.3 %"."""
    return f"{100 * share:.1f} %"


def interval(ends: Interval) -> str:
    """Return an interval of shares in 0..1 as "12.3 to 14.5 %"."""
    return f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f} %"


def points(difference: float) -> str:
    """Return a difference of shares in 0..1 in points, with its sign."""
    return f"{100 * difference:+.1f}"
