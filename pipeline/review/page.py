"""One page that tells a run's story, in the order in which a reviewer asks."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from ..measures.comparison import Performance, Titles, cautions
from ..measures.metrics import confused_pairs, confusion_order
from ..tracking import provenance
from .assessment import Measures
from .figures import FIGURE_DPI, LEGIBLE_CLASSES

TEMPLATE = Path(__file__).with_name("report.html.j2")
ROWS = 25  # of a table of texts
PAIRS = 10
LONGEST = 400  # characters of a text
PHONE = 6  # inches: a wider figure cannot be read where it is as narrow as a phone


@dataclass(frozen=True)
class Report:
    """What the page shows. Nothing in it is trusted: whatever comes from the data is escaped.

    `data` is the data report, `run` what `train` noted of the run,
    `options` those of all stages. `figures` are PNG files by name; the page leaves out those that are
    missing. `wrong` and `suspects` are the tables of `assessment`, and `members` counts the networks.
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

    def html(self) -> str:
        """The page, which needs nothing outside it: no script, no font, no picture."""
        environment = Environment(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        environment.filters |= {
            "shown": shown,
            "percent": percent,
            "points": points,
            "thousands": "{:,}".format,
        }
        confusion = self.measures.comparison.confusion
        order = confusion_order(confusion).tolist() if len(self.labels) > LEGIBLE_CLASSES else []
        return environment.from_string(TEMPLATE.read_text("utf-8")).render(
            page=self,
            measures=self.measures,
            comparison=self.measures.comparison,
            data=self.data,
            verdict=self.verdict,
            contestants=self.rows,
            cautions=cautions(self.measures.comparison, self.titles),
            pooled=self.pooled,
            pairs=confused_pairs(confusion)[:PAIRS],
            numbers={self.labels[place]: number for number, place in enumerate(order, 1)},
            wrong=_records(self.wrong),
            suspects=_records(self.suspects),
            options=flat(self.options),
            versions=provenance.versions(),
        )

    @property
    def verdict(self) -> str:
        """Whether the network is better than the baseline, in a sentence."""
        low, high = self.measures.comparison.difference_interval
        network, baseline = f"the {self.titles.network}", self.titles.baseline
        if low <= 0 <= high:
            return f"No clear difference between {network} and {baseline}."
        better, other = (network, baseline) if low > 0 else (baseline, network)
        return f"{better[0].upper()}{better[1:]} is better than {other}."

    @property
    def pooled(self) -> str:
        """Of what the classifier's log-probabilities are the sum; nothing of one network alone."""
        weights = self.run["weights"]
        if not weights:
            return ""
        whose = "the network's" if self.members == 1 else f"the mean of the {self.members} networks'"
        parts = [f"{weights['networks']:.2f} of {whose} log-probabilities"]
        if "n-grams" in weights:
            baseline = self.titles.baseline
            parts.append(f"{weights['n-grams']:.2f} of those of the n-grams, which are {baseline} itself")
        name = self.titles.network
        return f"{name[0].upper()}{name[1:]}: {' plus '.join(parts)}, as the validation part weighs them."

    @property
    def rows(self) -> list[tuple[str, Performance]]:
        """The table of contestants: their titles and performances."""
        alone = "network alone" if self.members == 1 else "networks alone"
        return [
            (self.titles.network, self.measures.comparison.network),
            *([(alone, self.measures.network_alone)] if self.measures.network_alone else []),
            (self.titles.baseline, self.measures.comparison.baseline),
            (self.titles.majority, self.measures.comparison.majority),
        ]

    def inches(self, name: str) -> float:
        """How wide a figure was drawn: PNG keeps its pixels here, and Matplotlib draws as many an inch."""
        return int.from_bytes(self.figures[name][16:20]) / FIGURE_DPI

    def is_wide(self, name: str) -> bool:
        """Whether a phone has to scroll it."""
        return self.inches(name) > PHONE

    def image(self, name: str) -> str:
        """A figure as an address that holds it."""
        return "data:image/png;base64," + base64.b64encode(self.figures[name]).decode()


def shown(text: object, most: int = LONGEST) -> Markup:
    """Text from the data, for HTML: escaped, cut, without control characters, and kept from turning the
    direction of what stands around it."""
    line = " ".join(str(text).split())
    line = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in ("Cc", "Cs") else char for char in line
    )
    line = line if len(line) <= most else line[: most - 1] + "…"
    breakable = escape(line).replace("_", Markup("_<wbr>"))
    return Markup('<bdi dir="auto">{}</bdi>').format(breakable)


def percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}".replace("%", "\N{NO-BREAK SPACE}%")


def points(share: float) -> str:
    """A difference of shares, with its sign."""
    return f"{100 * share:+.1f}".replace("-", "−")


def flat(options: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested options by their names in SET; what was not given is left out."""
    found: dict[str, str] = {}
    for key, value in options.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        elif value not in (None, "", []):
            found[prefix + key] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return found


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The first ROWS; evidence as [n-gram, what it adds] instead of JSON."""
    records = table.head(ROWS).to_dict("records")
    return [
        {str(name): json.loads(value) if name == "evidence" else value for name, value in record.items()}
        for record in records
    ]
