"""Tables of several cross-validations: contestants by corpora, as cells and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..measures.comparison import capitalized
from ..options import CRITERIA, Criterion
from .cross_validation import CrossValidation

OTHER_ROWS = "†"


@dataclass(frozen=True)
class Cell:
    """A contestant's score on a corpus, in %: mean and standard deviation over folds or seeds.

    `published` is the accuracy in the model's paper, in %. `on_other_rows` marks a model that was not run
    on the same rows as the opponents that are shown.
    """

    mean: float
    deviation: float
    runs: int
    published: float | None = None
    on_other_rows: bool = False

    def __str__(self) -> str:
        published = f" ({self.published:.1f})" if self.published is not None else ""
        mark = f" {OTHER_ROWS}" if self.on_other_rows else ""
        return f"{self.mean:.1f} ± {self.deviation:.1f}{published}{mark}"


Cells = dict[str, dict[str, Cell]]  # contestant -> corpus -> cell


def shared_rows(results: Sequence[CrossValidation]) -> dict[str, str]:
    """Return for each corpus the digest of the rows that most models share, then of most folds, then runs."""
    models = Counter(
        (corpus, rows)
        for corpus, rows, _ in {(result.corpus, result.rows, result.model) for result in results}
    )
    ordered = sorted(
        results,
        key=lambda result: (models[result.corpus, result.rows], result.folds, result.runs, result.rows),
    )
    return {result.corpus: result.rows for result in ordered}


def fullest(results: Sequence[CrossValidation]) -> list[CrossValidation]:
    """Return one cross-validation for each model and corpus, by model, then corpus.

    Of several, it is the one on the rows that most models share, else of most folds, then of most runs.
    """
    shared = shared_rows(results)
    ordered = sorted(
        results, key=lambda result: (result.rows == shared[result.corpus], result.folds, result.runs)
    )
    last = {(result.corpus, result.model): result for result in ordered}
    return sorted(last.values(), key=lambda result: (result.model, result.corpus))


def cells(results: Sequence[CrossValidation], measure: Criterion) -> Cells:
    """Return the cells of the `fullest` results: models first, then the opponents.

    All opponents of a corpus are those of its `shared_rows`.
    """
    shared = shared_rows(results)
    rows: Cells = {result.model: {} for result in results}
    for result in results:
        on_other_rows = result.rows != shared[result.corpus]
        for title in [result.model] if on_other_rows else result.contestants:
            values = 100 * np.array(getattr(result.contestants[title], measure))
            published = result.published if title == result.model and measure == "accuracy" else None
            mean, deviation = float(values.mean()), float(values.std(ddof=1))
            cell = Cell(mean, deviation, len(values), published, on_other_rows)
            rows.setdefault(_row_title(result, title), {})[result.corpus] = cell
    return rows


def _row_title(result: CrossValidation, title: str) -> str:
    """Return a title that tells opponents chosen by macro-F1 from those chosen by accuracy.

    The majority class is the same by either.
    """
    is_opponent = title != result.model and not title.startswith("majority")
    return f"{title}, by macro-F1" if result.criterion == "macro_f1" and is_opponent else title


def markdown(results: Sequence[CrossValidation]) -> str:
    """Return tables of accuracy, macro-F1 and calibration error, the best of each corpus in bold."""
    shared = shared_rows(results)
    same_rows = all(result.rows == shared[result.corpus] for result in results)
    exception = "" if same_rows else f", except where marked {OTHER_ROWS}"
    parts = [
        "In %, mean ± standard deviation over folds (over seeds where the test part is official), "
        f"all on the same rows{exception}; in brackets the accuracy in the model's paper."
    ]
    parts += [_score_table(results, measure) for measure in CRITERIA]
    parts.append(_calibration_table(results))
    if not same_rows:
        parts.append(
            f"{OTHER_ROWS} other folds, seed, tokenization or file: "
            "not comparable with the other rows of its column."
        )
    return "\n\n".join(parts)


def _score_table(results: Sequence[CrossValidation], measure: Criterion) -> str:
    rows = cells(results, measure)
    best = {corpus: _best(rows, corpus) for corpus in _corpora(results)}
    shown = {
        title: {corpus: f"**{cell}**" if best[corpus] == title else str(cell) for corpus, cell in row.items()}
        for title, row in rows.items()
    }
    return _grid(capitalized(CRITERIA[measure]), results, shown)


def _calibration_table(results: Sequence[CrossValidation]) -> str:
    rows: dict[str, dict[str, str]] = {}
    for result in results:
        before, after = (
            100 * np.mean(errors) for errors in (result.calibration_error_before, result.calibration_error)
        )
        rows.setdefault(result.model, {})[result.corpus] = f"{before:.1f} → {after:.1f}"
    return _grid("Calibration error, without → with temperature", results, rows)


def _best(rows: Cells, corpus: str) -> str:
    means = {
        title: row[corpus].mean
        for title, row in rows.items()
        if corpus in row and not row[corpus].on_other_rows
    }
    return max(means, key=lambda title: (means[title], title))


def _corpora(results: Sequence[CrossValidation]) -> list[str]:
    return sorted({result.corpus for result in results})


def _grid(title: str, results: Sequence[CrossValidation], rows: dict[str, dict[str, str]]) -> str:
    shared, corpora = shared_rows(results), _corpora(results)
    header = [title]
    for corpus in corpora:
        rows_shown = corpus, shared[corpus]
        runs = next(result.runs for result in results if (result.corpus, result.rows) == rows_shown)
        header.append(f"{corpus}, {runs} runs")
    lines = [header, ["---"] * len(header)]
    lines += [[name, *(row.get(corpus, "") for corpus in corpora)] for name, row in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
