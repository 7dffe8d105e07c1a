"""Measure the network on the test part, compare it with its opponents, and report on the run.

Reads model/, history.json, run.json, vectors.npz and coverage.json (of texts alone), and the corpus's
rows.parquet, unknown_labels.json, data_report.json, sequences.npz (or images.npy), other_rows.parquet
(out-of-scope rows, if any) and baseline_<criterion>.parquet and .json; writes predictions.parquet,
row_keys.npz, mistakes.csv and metrics.json, and finishes the run in MLflow. Unless the run is one of a
cross-validation or learning curve, it also writes filters.json, suspect_labels.csv, the figures, report.html
and MODEL_CARD.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..arrays import sample
from ..artifacts import RunFolder, read_inputs, tracked_run
from ..baselines.catalogue import BASELINES
from ..config.stage_options import PrepareOptions, Request, TrainOptions, read_stage
from ..corpus.equality import digest_of_all
from ..corpus.split import PARTS
from ..environment.memory import note
from ..files import atomic_write, write_arrays, write_csv, write_json, write_table, write_text
from ..inputs import Images, Sequences
from ..linear.capacity import max_rows
from ..measures import selective, slices
from ..measures.comparison import (
    Opponent,
    Titles,
    headline,
    network_title,
    summary,
    unknown_labels,
)
from ..measures.unseen import LeftOutClasses, Other
from ..options import Criterion
from ..prediction.classifier import Classifier
from ..progress import Bar
from ..reading import read_arrays, read_json, read_table
from ..release.row_keys import row_keys
from ..review import assessment, row_tables
from ..review.assessment import Measures, ScoredRows
from ..review.naive_bayes import leave_classes_out
from ..terminal import say, wrapped
from ..tracking.run import Run, description, resumed_run

MAX_TABLE_ROWS = 500  # of a table in MLflow
STEPS = 5  # of `_evaluate`, for the bar: four are reported, and the last ends with it


def import_review() -> None:
    """Import what takes a second, and a run of a study has no use for."""
    from ..card import model_card  # noqa: F401
    from ..review import page, run_figures  # noqa: F401


def run(path: Path) -> None:
    folder = RunFolder(path)
    trained = read_json(folder.run)
    with resumed_run(tracked_run(folder)) as tracked:
        with Bar("evaluate", STEPS, unit="step") as bar:
            measures = _evaluate(folder, tracked, bar.update)
        entries = measures.to_json() | {
            "train_seconds": trained["train_seconds"],
            "epochs": len(read_json(folder.history)),
        }
        tracked.log_metrics({f"test.{key}": value for key, value in _numbers(entries).items()})
        tracked.log_text(folder.metrics.name, json.dumps(entries, indent=1))
    write_json(folder.metrics, entries)  # last, as Make takes this file for the end of the stage
    _print_summary(folder, measures)


def _evaluate(folder: RunFolder, tracked: Run, on_step: Callable[[], object]) -> Measures:
    """Measure the classifier, write and log the tables of rows, and unless it is of a study, the review."""
    options = read_stage(folder.train_options, TrainOptions)
    criterion, seed = options.train.criterion, options.seed
    rows, inputs = read_table(folder.corpus.rows), read_inputs(folder.corpus)
    classifier = Classifier.load(folder.model)
    unknown = read_json(folder.corpus.unknown_labels)
    test = ScoredRows.from_corpus(classifier, rows, inputs, rows["part"] == "test", unknown)
    on_step()
    beside = ThreadPoolExecutor(1)
    try:
        if not _is_of_study(folder):
            suspects = beside.submit(_suspects, folder, test, rows, inputs)
        opponents = _opponents(folder, criterion)
        measures = assessment.measures(test, opponents, _has_vector(folder), criterion, seed)
        on_step()
        if not _is_of_study(folder):
            measures = replace(measures, unseen=_unseen(folder, test, measures, rows, inputs))
        on_step()
        predictions = row_tables.predictions(test)
        mistakes = row_tables.mistakes(predictions)
        write_table(folder.predictions, predictions)
        write_arrays(folder.row_keys, **row_keys(rows))
        _write_rows(folder.mistakes, mistakes)
        _log(folder, measures, tracked)
        on_step()
        if not _is_of_study(folder):
            _review(folder, test, measures, mistakes, suspects, tracked)
    finally:
        beside.shutdown(wait=False)  # an interrupt does not wait for the suspects
    return measures


def _log(folder: RunFolder, measures: Measures, tracked: Run) -> None:
    command = read_stage(folder.request, Request).command
    tracked.describe(description(command, headline(measures.comparison, _titles(folder))))
    corpus = folder.corpus
    for path in (folder.history, folder.coverage, folder.mistakes, corpus.report, folder.predictions):
        if path.exists():  # images have no vectors, and no coverage of them
            tracked.log_file(path)


def _suspects(
    folder: RunFolder, test: ScoredRows, rows: pd.DataFrame, inputs: Sequences | Images
) -> pd.DataFrame:
    """Return the rows of all parts whose label is probably wrong."""
    options = read_stage(folder.train_options, TrainOptions)
    # Linear members have learned the validation rows, too.
    is_held_out = rows["part"] == "test" if options.ensemble.ngrams else rows["part"] != "train"
    held_out = ScoredRows.from_corpus(test.classifier, rows, inputs, is_held_out, test.unknown)
    judged = np.flatnonzero(~is_held_out)
    if inputs.kind == "text":
        judged = sample(judged, _max_rows(folder, test.classifier, inputs), options.seed)
    return row_tables.suspect_labels(held_out, rows, inputs, judged, options.seed)


def _max_rows(folder: RunFolder, classifier: Classifier, inputs: Sequences) -> int:
    """Return how many rows linear models can learn, as `baseline` and `train` have it."""
    source = read_stage(folder.corpus.prepare_options, PrepareOptions).source
    return max_rows(inputs, classifier.encoder.words, source.memory)


def _sampled(folder: RunFolder) -> str:
    """Return a sentence on the rows that linear models were fitted to, if they are a sample; else ""."""
    criterion = read_stage(folder.train_options, TrainOptions).train.criterion
    choices = read_json(folder.corpus.baseline_choices(criterion))
    fitted = max(choice["rows"] for choice in choices.values())
    parts = read_table(folder.corpus.rows, ["part"])["part"]
    told = note(fitted, int(parts.isin(["train", "validation"]).sum()))
    return f"Linear models, the opponents among them, were fitted to {told}." if told else ""


def _is_of_study(folder: RunFolder) -> bool:
    """Return whether the run is one of many of a study, which is neither reviewed nor released."""
    return read_stage(folder.corpus.prepare_options, PrepareOptions).is_of_study


def _unseen(
    folder: RunFolder, test: ScoredRows, measures: Measures, rows: pd.DataFrame, inputs: Sequences | Images
) -> Other | LeftOutClasses | None:
    """Measure how out-of-scope rows stand out: those that the corpus gives, or of texts classes left out."""
    if label := read_stage(folder.corpus.prepare_options, PrepareOptions).source.other:
        texts = read_table(folder.corpus.other_rows)["text"].tolist()
        return assessment.other_rows(test, measures.selective, label, texts)
    if inputs.kind == "image":
        return None
    places = np.flatnonzero(rows["part"] == "train")
    labels = rows["label"].to_numpy(np.int64)[places]
    training, known = inputs.select(places), np.flatnonzero(test.is_known)
    tested, truth = test.inputs.select(known).as_sequences(), test.truth[known]
    return leave_classes_out(training.as_sequences(), labels, tested, truth, test.classifier.labels)


def _review(
    folder: RunFolder,
    test: ScoredRows,
    measures: Measures,
    mistakes: pd.DataFrame,
    suspects: Future[pd.DataFrame],
    tracked: Run,
) -> None:
    """Write what people read of the run, and log it and the model, in which the model card is."""
    from ..card.model_card import ModelCard  # imported late: it takes seconds, and a study does not need it
    from ..review.page import Report

    wrong = row_tables.with_evidence(mistakes.head(MAX_TABLE_ROWS), test)
    tracked.log_table("confidently_wrong", wrong)
    page = Report(
        title=_title(folder),
        titles=_titles(folder),
        members=read_stage(folder.train_options, TrainOptions).ensemble.members,
        labels=test.names,
        measures=measures,
        epochs=len(read_json(folder.history)),
        figures={},
        wrong=wrong,
        suspects=pd.DataFrame(),  # with the figures; the model card needs neither
        data=read_json(folder.corpus.report),
        vectors=read_json(folder.coverage) if folder.coverage.exists() else {},
        sampled=_sampled(folder),
        options=_options(folder),
        run=read_json(folder.run) | read_json(folder.request),
    )
    classifier = test.classifier
    inputs = read_stage(folder.corpus.prepare_options, PrepareOptions).inputs
    card = ModelCard(
        page,
        test.inputs.kind,
        [(Path(file.path).name, file.bytes) for file in inputs],
        classifier.columns,
        classifier.reference,
        _digests(folder, test),
    )
    write_text(folder.model_card, card.markdown())
    tracked.log_model(folder.path)  # the writer process packs it while the figures are drawn
    figures = _write_figures(folder, test, measures, mistakes)
    page = replace(
        page,
        figures={name: folder.figure(name).read_bytes() for name in figures},
        suspects=suspects.result(),
    )
    tracked.log_table("suspect_labels", page.suspects.head(MAX_TABLE_ROWS))
    _write_rows(folder.suspect_labels, page.suspects)
    write_text(folder.report, page.html())
    written = (folder.filters, folder.suspect_labels, folder.report, folder.model_card)
    for path in (*map(folder.figure, figures), *written):
        tracked.log_file(path)


def _digests(folder: RunFolder, test: ScoredRows) -> dict[str, str]:
    """Return the digests of the model's files, and of the rows of each part, as `register` counts them."""
    keys = read_arrays(folder.row_keys)
    return {"model": test.classifier.digest} | {f"{part} rows": digest_of_all(keys[part]) for part in PARTS}


def _write_figures(
    folder: RunFolder, test: ScoredRows, measures: Measures, mistakes: pd.DataFrame
) -> list[str]:
    """Write the figures and filters.json; return the figures' names."""
    from ..review import run_figures

    title, criterion = _title(folder), read_stage(folder.train_options, TrainOptions).train.criterion
    report = run_figures.filter_report(test, title)
    write_json(folder.filters, report.values)
    history = read_json(folder.history)
    figures = run_figures.measure_figures(test, measures, history, criterion, _titles(folder), title)
    figures |= report.figures | run_figures.wrong_picture_figures(test, mistakes, title)
    for name, figure in figures.items():
        with atomic_write(folder.figure(name)) as partial:
            figure.write_png(partial)
    return list(figures)


def _title(folder: RunFolder) -> str:
    return f"{folder.corpus.path.name}, {folder.path.name}"


def _titles(folder: RunFolder) -> Titles:
    ensemble = read_stage(folder.train_options, TrainOptions).ensemble
    return Titles(
        network_title(ensemble.members, bool(ensemble.ngrams)),
        {name: baseline.title for name, baseline in BASELINES.items()},
    )


def _opponents(folder: RunFolder, criterion: Criterion) -> dict[str, Opponent]:
    """Return the opponents that were fitted, in the order of BASELINES."""
    table = read_table(folder.corpus.baseline(criterion))
    choices = read_json(folder.corpus.baseline_choices(criterion))
    return {
        name: Opponent(table[name].to_numpy(np.int64), choices[name]["validation_score"])
        for name in BASELINES
        if name in table
    }


def _has_vector(folder: RunFolder) -> NDArray[np.bool_] | None:
    """Return which words have a pretrained vector, bool [words + 2] by id; None if there are none."""
    if not folder.coverage.exists() or not read_json(folder.coverage):
        return None
    return read_arrays(folder.vectors)["found"]


def _options(folder: RunFolder) -> dict[str, Any]:
    """Return the options of all stages, and of the files that they read the sizes."""
    options: dict[str, Any] = {}
    files: dict[str, str] = {}
    for path in folder.all_options:
        if path.exists():  # images are neither tokenized nor embedded
            options |= read_json(path)
            files |= {file["path"]: f"{file['bytes']:,} bytes" for file in options.pop("inputs", [])}
    return options | {"inputs": files}


def _numbers(entries: dict[str, Any]) -> dict[str, float]:
    """Return the numbers of metrics.json as MLflow plots them, ends of intervals as `.low` and `.high`."""
    numbers = {key: value for key, value in entries.items() if isinstance(value, (int, float))}
    for key, value in entries.items():
        if key.endswith("_interval"):
            name = key.removesuffix("_interval")
            numbers[f"{name}.low"], numbers[f"{name}.high"] = value
    return {key: round(value, 5) for key, value in numbers.items()}


def _write_rows(path: Path, table: pd.DataFrame) -> None:
    write_csv(path, table.columns.tolist(), table.itertuples(index=False))


def _print_summary(folder: RunFolder, measures: Measures) -> None:
    comparison, titles = measures.comparison, _titles(folder)
    say(f"evaluate: {_title(folder)}, {comparison.test_rows:,} test rows")
    say(summary(comparison, titles))
    if sampled := _sampled(folder):
        say(wrapped(sampled))
    if rows := measures.unknown_label_rows:
        say(wrapped(unknown_labels(rows, comparison.test_rows)))
    if measures.without_copies:
        strongest = titles.opponents[comparison.strongest]
        say(wrapped(measures.without_copies.sentence(comparison.criterion, strongest)))
    say(
        f"  calibration error {measures.calibration_error:.1%} at temperature {measures.temperature:.2f},"
        f" {measures.calibration_error_before:.1%} at temperature 1"
    )
    low, high = measures.calibration_error_by_chance
    say(f"  (by chance, a perfectly calibrated classifier has {low:.1%} to {high:.1%})")
    if target := measures.selective.headline:
        say(selective.summary(target))
    if isinstance(measures.unseen, Other):
        low, high = measures.unseen.separation.interval
        area, others = measures.unseen.separation.auroc, measures.unseen.separation.rows
        say(f"  {others:,} out-of-scope rows stand out with an AUROC of {area:.1%} [{low:.1%}, {high:.1%}]")
    if table := measures.slices.get("uncovered_words"):
        say(slices.summary(slices.TITLES["uncovered_words"], table))
    if not _is_of_study(folder):
        say(f"  {folder.report.name} has figures, mistakes and suspect labels")
