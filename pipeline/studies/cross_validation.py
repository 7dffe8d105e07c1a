"""Classifiers compared over folds or seeds: means, spreads, and whether a difference is real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..measures.metrics import scores
from ..options import Criterion, Section

Numbers = NDArray[np.float64]
Labels = Sequence[NDArray[np.int64]]
Scores = dict[Criterion, Numbers]  # float64 [folds], in 0..1
ELSEWHERE = "†"
LONGEST_NAME = 29  # columns: as long as an opponent's longest title
REAL = 0.05  # a difference of a smaller p is one
MEASURES: dict[Criterion, str] = {"accuracy": "Accuracy", "macro_f1": "Macro-F1"}


@dataclass(frozen=True)
class Difference:
    """Of two accuracies in 0..1: its mean, 95 % interval, and two-sided p."""

    mean: float
    low: float
    high: float
    p: float

    @property
    def is_real(self) -> bool:
        return self.p < REAL

    def __str__(self) -> str:
        return f"{100 * self.mean:+.1f} [{_points(self.low)}, {_points(self.high)}]"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}" if abs(share) < 1 else f"{100 * share:+.0f}"


def scored(truth: Labels, predicted: Labels, names: list[str]) -> Scores:
    """Of one contestant: `truth` and `predicted` hold int64 [test rows] for each fold or seed."""
    each = [scores(*one, names) for one in zip(truth, predicted, strict=True)]
    return {kind: np.array([one.value(kind) for one in each]) for kind in MEASURES}


def compared(truth: Labels, network: Labels, other: Labels, folds: int) -> Difference:
    """The network's accuracy minus the other's; `folds` is 1 where seeds were run on one test part."""
    gained = [
        (one == true).astype(float) - (another == true)
        for true, one, another in zip(truth, network, other, strict=True)
    ]
    if folds > 1:
        return over_folds(np.array([one.mean() for one in gained]), folds)
    return over_rows(np.array(gained))


def over_folds(differences: Numbers, folds: int) -> Difference:
    """The corrected resampled t-test (Nadeau & Bengio 2003; for repeats, Bouckaert & Frank 2004).

    `differences` float64 [repeats * folds]: the network's accuracy minus the other's on each fold. Two
    folds share most of their training rows, so the variance of the mean is not s^2/n but
    (1/n + n_test/n_train) s^2, with n_test/n_train = 1/(folds - 1); n - 1 degrees of freedom.
    """
    n = len(differences)
    return _student(differences, (1 / n + 1 / (folds - 1)) * _variance(differences), n - 1)


def over_rows(differences: Numbers) -> Difference:
    """The paired t-test over the rows of one test part, with the spread over seeds added.

    `differences` float64 [seeds, rows]: 1 where the network alone was right, -1 where the other alone was.
    The variance of the mean is that of the rows' means over seeds by the rows, and that of the seeds' means
    over rows by the seeds. The degrees of freedom are Satterthwaite's (1946; as in Welch's test), which come
    near seeds - 1 where the seeds differ more than the rows: a variance of three numbers is itself uncertain.

    By simulation of two equally good classifiers, with 3 seeds and a tenth of the rows changed: where the
    accuracies of seeds have a standard deviation of 0.3 points, 2 % to 5 % are falsely called different, on
    500 to 10,000 rows; at 1.5 points 4 % to 5 % on 500 rows, 6 % to 7 % on 3,000, 7 % to 8 % on 10,000. With
    rows - 1 degrees of freedom, the last were 14 % to 15 %.

    Where rows are few, chance makes them alike, and t believes in their small spread: four rows of ten seeds
    had p = 5e-10. But each of n rows gains or loses as a coin falls where the two are equally good, so that
    all n go one way in 2 * 0.5^n of the cases: no p is less, and where that is not below 0.05, of five rows
    or fewer, the interval holds 0. By simulation of 4, 6, 8 and 20 rows and 10 seeds, with a tenth to 0.6 of
    the rows changed: at most 0 %, 6 %, 7 % and 6 % falsely called different; without the bound 4 % of four.
    """
    by_row, by_seed = differences.mean(axis=0), differences.mean(axis=1)
    if len(by_row) == 1:
        return Difference(float(by_row[0]), -1.0, 1.0, 1.0)
    parts = [(_variance(one) / len(one), len(one) - 1) for one in (by_row, by_seed) if len(one) > 1]
    variance = sum(part for part, _ in parts)
    uncertain = sum(part**2 / freedom for part, freedom in parts)
    one = _student(by_row, variance, variance**2 / uncertain if uncertain else 0.0)
    return _no_surer_than_signs(one, len(by_row))


def _variance(values: Numbers) -> float:
    """None where all are equal, though rounding leaves one."""
    return float(values.var(ddof=1)) if np.ptp(values) else 0.0


def _student(differences: Numbers, variance: float, freedom: float) -> Difference:
    """`variance` is that of the mean. Differences without any are tested by their signs alone. No interval
    leaves [-1, 1], as no accuracy leaves [0, 1]."""
    n, mean = len(differences), float(differences.mean())
    if variance == 0:
        return _no_surer_than_signs(Difference(mean, mean, mean, 0.0 if mean else 1.0), n)
    error = float(np.sqrt(variance))
    reach = float(stats.t.ppf(0.975, freedom)) * error
    p = 2 * float(stats.t.sf(abs(mean) / error, freedom))
    return Difference(mean, max(-1.0, mean - reach), min(1.0, mean + reach), p)


def _no_surer_than_signs(one: Difference, count: int) -> Difference:
    """That of `count` differences which all go one way, at its surest; its interval agrees with its p."""
    p = max(one.p, float(2 * 0.5**count))
    low, high = (one.low, one.high) if p < REAL else (min(one.low, 0.0), max(one.high, 0.0))
    return Difference(one.mean, low, high, p)


def verdict(scores: dict[str, Scores], difference: dict[str, Difference], criterion: Criterion) -> str:
    """Which to ship, and whether the difference is real.

    `scores` names every contestant, the network first; `difference` is the network minus each other.
    Where the difference to the strongest opponent is not real, the opponent is shipped: it costs less.
    It is by accuracy; of those that were chosen by macro-F1, that is said beside it.
    """
    network = next(iter(scores))
    opponent = max(difference, key=lambda name: float(scores[name]["accuracy"].mean()))
    one = difference[opponent]
    p = f"p = {one.p:.2g}" if one.p >= 1e-4 else "p < 0.0001"
    by = f"{abs(100 * one.mean):.1f} points, {p}"
    if not one.is_real:
        said = f"Ship {opponent}: {shown(network)} is not really different from it ({by}) and costs more."
    elif one.mean > 0:
        said = f"Ship {shown(network)}: it is really better than {opponent} ({by})."
    else:
        said = f"Ship {opponent}: it is really better than {shown(network)} ({by})."
    if criterion == "macro_f1":
        found = {name: 100 * float(each["macro_f1"].mean()) for name, each in scores.items()}
        best = max(difference, key=lambda name: found[name])
        said += f" By macro-F1, which chose them, it is {found[network]:.1f} to {found[best]:.1f} of {best}."
    return said


def shown(name: str) -> str:
    """A contestant's name as a line has room for: that of a model goes on with what SET made of it."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def table(scores: dict[str, Scores], difference: dict[str, Difference]) -> str:
    """Contestants as lines of at most 79 columns: mean and standard deviation."""
    wide = max(len(shown(name)) for name in scores)
    lines = [f"  {'':<{wide}}{'accuracy, %':>13}{'macro-F1, %':>13}  network - it, %"]
    for name, one in scores.items():
        cells = [f"{100 * one[key].mean():5.1f} ± {100 * one[key].std(ddof=1):4.1f}" for key in MEASURES]
        against = str(difference[name]) if name in difference else ""
        lines.append(f"  {shown(name):<{wide}}{cells[0]:>13}{cells[1]:>13}  {against}".rstrip())
    return "\n".join(lines)


class Contestant(Section):
    """Its accuracy and macro-F1 on each fold, and the network's accuracy minus its own."""

    accuracy: list[float]
    macro_f1: list[float]
    difference: dict[str, float] | None


class Result(Section):
    """What a cross-validation found; shares are in 0..1. `model`, with what SET made of it, names one of
    `contestants`."""

    corpus: str
    model: str
    folds: int
    runs: int
    test_rows: int
    rows: str  # a digest of what the opponents saw
    criterion: Criterion  # by which the opponents were chosen, too
    published: float | None
    contestants: dict[str, Contestant]
    calibration_error_before: list[float]  # the model's on each fold, without the temperature
    calibration_error: list[float]  # and with it
    verdict: str


def contestants(scores: dict[str, Scores], difference: dict[str, Difference]) -> dict[str, Contestant]:
    """The same as plain values."""
    return {
        name: Contestant(
            accuracy=one["accuracy"].tolist(),
            macro_f1=one["macro_f1"].tolist(),
            difference=vars(difference[name]) if name in difference else None,
        )
        for name, one in scores.items()
    }


@dataclass(frozen=True)
class Cell:
    """A contestant on a corpus, in %: mean and standard deviation over folds or seeds. `elsewhere` if on
    other rows than the opponents that are shown."""

    mean: float
    deviation: float
    runs: int
    published: float | None = None
    elsewhere: bool = False

    def __str__(self) -> str:
        published = f" ({self.published:.1f})" if self.published is not None else ""
        return f"{self.mean:.1f} ± {self.deviation:.1f}{published}{f' {ELSEWHERE}' if self.elsewhere else ''}"


Cells = dict[str, dict[str, Cell]]  # contestant -> corpus -> cell


def shared_rows(results: Sequence[Result]) -> dict[str, str]:
    """Corpus -> the rows, by their digest, of most models, then of most folds, then of most runs."""
    models = Counter(
        (corpus, rows) for corpus, rows, _ in {(one.corpus, one.rows, one.model) for one in results}
    )
    ordered = sorted(results, key=lambda one: (models[one.corpus, one.rows], one.folds, one.runs, one.rows))
    return {one.corpus: one.rows for one in ordered}


def fullest(results: Sequence[Result]) -> list[Result]:
    """Of several cross-validations of one model on one corpus, the one on the rows that most share, else the
    one of most folds, then of most runs."""
    shared = shared_rows(results)
    ordered = sorted(results, key=lambda one: (one.rows == shared[one.corpus], one.folds, one.runs))
    return sorted(
        {(one.corpus, one.model): one for one in ordered}.values(), key=lambda one: (one.model, one.corpus)
    )


def cells(results: Sequence[Result], measure: Criterion) -> Cells:
    """From the `fullest` results; models first, then the opponents, all of a corpus on its `shared_rows`."""
    shared = shared_rows(results)
    found: Cells = {one.model: {} for one in results}
    for result in results:
        elsewhere = result.rows != shared[result.corpus]
        names = [result.model] if elsewhere else result.contestants
        for name in names:
            one = result.contestants[name]
            values = 100 * np.array(getattr(one, measure))
            published = result.published if name == result.model and measure == "accuracy" else None
            cell = Cell(float(values.mean()), float(values.std(ddof=1)), len(values), published, elsewhere)
            found.setdefault(_contestant(result, name), {})[result.corpus] = cell
    return found


def _contestant(result: Result, name: str) -> str:
    """Opponents that another criterion chose are others; of a majority class nothing is chosen."""
    others = result.criterion == "macro_f1" and name != result.model and not name.startswith("majority")
    return f"{name}, by macro-F1" if others else name


def markdown(results: Sequence[Result]) -> str:
    """Tables of accuracy, macro-F1 and calibration error, the best of each corpus in bold."""
    shared = shared_rows(results)
    alike = all(one.rows == shared[one.corpus] for one in results)
    but = "" if alike else f" but those with {ELSEWHERE}"
    parts = [
        "In %, mean ± standard deviation over folds (over seeds where the test part is official), "
        f"all on the same rows{but}; in brackets what the model's paper gives."
    ]
    for measure, title in MEASURES.items():
        found = cells(results, measure)
        best = {corpus: _best(found, corpus) for corpus in shared}
        marked = {
            name: {
                corpus: f"**{cell}**" if best[corpus] == name else str(cell) for corpus, cell in row.items()
            }
            for name, row in found.items()
        }
        parts.append(_grid(title, results, marked))
    errors: dict[str, dict[str, str]] = {}
    for one in results:
        before, after = (
            100 * np.mean(each) for each in (one.calibration_error_before, one.calibration_error)
        )
        errors.setdefault(one.model, {})[one.corpus] = f"{before:.1f} → {after:.1f}"
    parts.append(_grid("Calibration error, without → with temperature", results, errors))
    if not alike:
        parts.append(
            f"{ELSEWHERE} other folds, or another seed, tokenization or file: "
            "not to be compared with the rest of its column."
        )
    return "\n\n".join(parts)


def _best(found: Cells, corpus: str) -> str:
    means = {
        name: row[corpus].mean for name, row in found.items() if corpus in row and not row[corpus].elsewhere
    }
    return max(means, key=lambda name: (means[name], name))


def _corpora(results: Sequence[Result]) -> list[str]:
    return sorted({one.corpus for one in results})


def _grid(title: str, results: Sequence[Result], rows: dict[str, dict[str, str]]) -> str:
    shared = shared_rows(results)
    heads = [title]
    for corpus in _corpora(results):
        runs = next(one.runs for one in results if (one.corpus, one.rows) == (corpus, shared[corpus]))
        heads.append(f"{corpus}, {runs} runs")
    lines = [heads, ["---"] * len(heads)]
    lines += [[name, *(row.get(corpus, "") for corpus in _corpora(results))] for name, row in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
