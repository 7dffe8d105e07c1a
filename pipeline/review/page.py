"""The report page of a run, in the order of a reviewer's questions."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from ..corpus.data_report import split_sentences
from ..measures.comparison import Performance, Titles, capitalized, cautions
from ..measures.metrics import confused_pairs, confusion_order
from ..measures.paired import format_p
from ..options import CRITERIA, Ngrams
from ..prediction.pool import NETWORKS
from ..terminal import shorten
from ..tracking import provenance
from .assessment import Measures, MemberScores
from .style import FIGURE_DPI, LEGIBLE_CLASSES

TEMPLATE = Path(__file__).with_name("report.html.j2")
MAX_ROWS = 25  # of a table of texts
MAX_PAIRS = 10  # of confused classes
MAX_TEXT_CHARACTERS = 400
MAX_PHONE_INCHES = 6  # a wider figure is unreadable at the width of a phone
NBSP = "\N{NO-BREAK SPACE}"
LINEAR_TITLES: dict[str, str] = {name: f"n-grams of {name}" for name in get_args(Ngrams)}
PNG_WIDTH = slice(16, 20)  # bytes of the header that hold the width in pixels


@dataclass(frozen=True)
class Report:
    """The content of the page. Nothing in it is trusted: whatever comes from the data is escaped.

    `figures` are PNG files by name; the page leaves out those that are missing. `wrong` and `suspects` are
    the tables of `assessment`, `members` is the number of networks, `data` the data report, `options` those
    of all stages, `run` what `train` noted about the run, and `vectors` what `embed` noted of the pretrained
    ones. `sampled` is a sentence on the rows that linear models were fitted to, if not all.
    """

    title: str
    titles: Titles
    members: int
    labels: Sequence[str]
    measures: Measures
    epochs: int
    figures: Mapping[str, bytes]
    wrong: pd.DataFrame
    suspects: pd.DataFrame
    data: Mapping[str, Any]
    options: Mapping[str, Any]
    run: Mapping[str, Any]
    vectors: Mapping[str, Any] = field(default_factory=dict)
    sampled: str = ""

    def html(self) -> str:
        """Return the page, which is self-contained: no script, font or image from elsewhere."""
        environment = Environment(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        environment.filters |= {
            "inline": inline,
            "percent": percent,
            "points": points,
            "thousands": "{:,}".format,
        }
        comparison = self.measures.comparison
        return environment.from_string(TEMPLATE.read_text("utf-8")).render(
            page=self,
            measures=self.measures,
            comparison=comparison,
            criterion=capitalized(CRITERIA[comparison.criterion]),
            data=self.data,
            vectors=self.vectors.get("files", {}),
            split_sentences=split_sentences(self.data),
            verdict=self.verdict,
            contestants=self.contestants,
            cautions=[*cautions(comparison, self.titles), *filter(None, [self.sampled])],
            members=self.member_rows,
            pairs=confused_pairs(comparison.confusion)[:MAX_PAIRS],
            numbers=self.class_numbers,
            wrong=_records(self.wrong),
            suspects=_records(self.suspects),
            options=flatten(self.options),
            versions=provenance.versions(),
        )

    @property
    def verdict(self) -> str:
        """A sentence on whether the network is significantly better than its strongest opponent."""
        comparison, network = self.measures.comparison, self.titles.network
        lead, opponent = comparison.lead, self.titles.opponents[comparison.strongest]
        reason = "by macro-F1" if lead.p is None else f"(p {format_p(lead.p)})".replace(" ", NBSP)
        if not lead.is_significant:
            return f"No significant difference between the {network} and {opponent} {reason}."
        direction = "better" if lead.difference > 0 else "worse"
        return f"The {network} is significantly {direction} than {opponent} {reason}."

    @property
    def member_rows(self) -> list[tuple[str, MemberScores]]:
        """The members of the classifier by their titles, if there are several."""
        networks = "network" if self.members == 1 else f"mean of {self.members} networks"
        titles = {NETWORKS: networks, **LINEAR_TITLES}
        return [(titles[member.name], member) for member in self.measures.members]

    @property
    def linear_settings(self) -> str:
        """A sentence on how the linear members were fitted; "" if there are none."""
        settings: dict[str, dict[str, float]] = self.run["settings"]
        each = [
            f"{LINEAR_TITLES[name]} {100 * chosen['naive_bayes']:.0f}{NBSP}% (C{NBSP}={NBSP}{chosen['C']:g})"
            for name, chosen in settings.items()
        ]
        head = "Linear members are support vector machines with a share of naive Bayes"
        return f"{head}: {', '.join(each)}." if each else ""

    @property
    def contestants(self) -> list[tuple[str, Performance]]:
        """The titles and performances of the classifiers that are compared."""
        comparison, alone = self.measures.comparison, self.measures.network_alone
        title = "network alone" if self.members == 1 else "networks alone"
        return [
            (self.titles.network, comparison.network),
            *([(title, alone)] if alone else []),
            *((self.titles.opponents[key], found) for key, found in comparison.opponents.items()),
        ]

    @property
    def class_numbers(self) -> dict[str, int]:
        """The numbers of the classes in the confusion matrix, if that has no room for their names."""
        if len(self.labels) <= LEGIBLE_CLASSES:
            return {}
        order = confusion_order(self.measures.comparison.confusion).tolist()
        return {self.labels[place]: number for number, place in enumerate(order, 1)}

    def inches(self, name: str) -> float:
        """Return the width of a figure, from the header of its PNG file."""
        return int.from_bytes(self.figures[name][PNG_WIDTH]) / FIGURE_DPI

    def is_wide(self, name: str) -> bool:
        """Return whether a figure has to be scrolled on a phone."""
        return self.inches(name) > MAX_PHONE_INCHES

    def image(self, name: str) -> str:
        """Return a figure as a data URL."""
        return "data:image/png;base64," + base64.b64encode(self.figures[name]).decode()


def inline(text: object, columns: int = MAX_TEXT_CHARACTERS) -> Markup:
    """Return text from the data as HTML on one line of at most `columns` characters.

    It is escaped, without control characters, and cannot change the writing direction around it.
    """
    printable = (
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in ("Cc", "Cs") else char
        for char in " ".join(str(text).split())
    )
    breakable = escape(shorten("".join(printable), columns)).replace("_", Markup("_<wbr>"))
    return Markup('<bdi dir="auto">{}</bdi>').format(breakable)


def percent(share: float | None) -> str:
    """Return a share in 0..1 as "12.3 %", or "" for None."""
    return "" if share is None else f"{share:.1%}".replace("%", f"{NBSP}%")


def points(share: float) -> str:
    """Return a difference of shares in 0..1 in points, with its sign."""
    return f"{100 * share:+.1f}".replace("-", "−")


def flatten(options: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested options by dotted keys, without those that are empty."""
    flat: dict[str, str] = {}
    for key, value in options.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        elif value not in (None, "", []):
            flat[prefix + key] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return flat


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the first rows of a table, with evidence as pairs of n-gram and value instead of JSON."""
    records = table.head(MAX_ROWS).to_dict("records")
    return [
        {str(name): json.loads(value) if name == "evidence" else value for name, value in record.items()}
        for record in records
    ]
