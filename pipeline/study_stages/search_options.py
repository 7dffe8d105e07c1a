"""Search a model's options within a time budget.

Reads the corpus's rows.parquet (without its test part), sequences.npz (or images.npy) and labels.json and
of texts the run's vectors.npz; writes the winner as conf/models/<name>.yaml, and trials.csv, after each
trial, which is a run in MLflow below one of the search.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill, shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artifacts import SearchFolder, read_inputs, read_start
from ..config.loading import read_stage
from ..config.tuned_model import reserved, write_model
from ..errors import InputError
from ..files import read_json, read_table, write_csv
from ..inputs import Images, Sequences, Start
from ..models import architecture
from ..networks import trainer
from ..networks.backend import forget_networks, tf
from ..networks.batches import Batches, SortedBatches
from ..options import CRITERIA
from ..program import PROCESS_START
from ..studies.search import (
    OnEpoch,
    Search,
    Settings,
    Trial,
    current_settings,
    search_space,
    with_settings,
)
from ..tracking.run import Run, description, new_run
from ..verb_options import TrainOptions, TuneOptions

FEW = 1000  # rows: one of them shows in a percentage of one decimal
WIDTH = 79


@dataclass
class Corpus:
    """All that a search may see: the rows to train on and those to choose by."""

    name: str
    classes: int
    start: Start
    training: tuple[Sequences | Images, NDArray[np.int32]]
    validation: tuple[Sequences | Images, NDArray[np.int32]]


def run(path: Path) -> None:
    folder = SearchFolder(path)
    options = read_stage(folder.options, TuneOptions)
    with reserved(Path(options.output)):
        corpus = _read_corpus(folder, options)
        space = search_space(options.train, random_vectors=_embed(options).get("vectors") == "random")
        search = Search(space, current_settings(options.train, space), options.train.seed)
        rows = len(corpus.validation[1])
        print(f"tune: the network of {options.train.model} on {corpus.name}, {rows:,} rows to choose by")
        print("  trial  validation  epochs  seconds", flush=True)
        ended = "interrupted; "
        try:
            _run(folder, options, corpus, search, PROCESS_START + options.budget)
            ended = ""
        finally:
            if search.best:
                _print_winner(search, search.best, options, rows, ended)


def _run(folder: SearchFolder, options: TuneOptions, corpus: Corpus, search: Search, deadline: float) -> None:
    """The search as a run in MLflow, which has the best so far whatever ends it."""
    rows, criterion = len(corpus.validation[1]), options.train.train.criterion
    parameters = options.train.model_dump() | {"embed": _embed(options), "tune": _asked(options)}
    with new_run(f"{corpus.name} tune", parameters, _tags(corpus, options.train)) as parent:
        parent.wait()  # a store that cannot be used is better known before the search than after it
        try:
            for trial in _trials(search, corpus, options.train, deadline, parent):
                _write(folder, search, options, rows)
                print(_line(trial, search.start), flush=True)
        finally:
            if search.best:
                _write(folder, search, options, rows)  # with a trial that was interrupted
                score = max(search.best.scores)
                found = (
                    f"validation {CRITERIA[criterion]} {score:.1%}, the best of {len(search.trials)} trials"
                )
                parent.describe(description(options.command, f"{found}. {_caution(rows)}"))
                parent.log_file(Path(options.output))
                parent.log_file(folder.trials)
                parent.log_metrics({f"validation_{criterion}": score})


def _trials(
    search: Search, corpus: Corpus, start: TrainOptions, deadline: float, parent: Run
) -> Iterator[Trial]:
    """Each as a run below the parent."""
    tf.get_logger().setLevel("ERROR")  # it warns of functions traced anew: each trial's network is another
    runs: dict[int, Run] = {}

    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        tried = with_settings(start, trial.settings)
        name = f"{corpus.name} tune {trial.number}"
        with new_run(name, tried.model_dump(), _tags(corpus, start)) as tracked:
            runs[trial.number] = tracked
            parent.adopt([tracked.id])
            _train(corpus, tried, tracked, on_epoch)

    for trial in search.run(train, deadline - time.monotonic()):
        if trial.number in runs:
            runs[trial.number].tag("trial", trial.ending)
            runs[trial.number].wait()
        yield trial


def _tags(corpus: Corpus, start: TrainOptions) -> dict[str, str]:
    return {"corpus": corpus.name, "model": start.model, "mlflow.source.name": "make tune"}


def _embed(options: TuneOptions) -> dict[str, Any]:
    """The options of the vectors; images have none."""
    return options.embed.embed.model_dump() if options.embed else {}


def _asked(options: TuneOptions) -> dict[str, Any]:
    """What was asked of the search itself."""
    return options.model_dump(include={"budget", "output", "command", "again"})


def _read_corpus(folder: SearchFolder, options: TuneOptions) -> Corpus:
    of_corpus = folder.run.corpus
    rows, inputs = read_table(of_corpus.rows), read_inputs(of_corpus)

    def part(name: str) -> tuple[Sequences | Images, NDArray[np.int32]]:
        chosen = np.flatnonzero(rows["part"] == name)
        return inputs.select(chosen), rows["label"].to_numpy(np.int32)[chosen]

    corpus = Corpus(
        of_corpus.path.name,
        len(read_json(of_corpus.labels)),
        read_start(folder.run, inputs),
        part("train"),
        part("validation"),
    )
    made_by = {
        of_corpus.prepare_options: options.prepare,
        of_corpus.tokenize_options: options.tokenize,
        folder.run.embed_options: options.embed,
    }
    for path, asked in made_by.items():
        if asked and read_stage(path, type(asked)) != asked:
            raise InputError(
                f"{path} is not as this search was asked for: another `make` has changed it meanwhile; "
                "ask again when that one has ended"
            )
    return corpus


def _train(corpus: Corpus, options: TrainOptions, tracked: Run, on_epoch: OnEpoch) -> None:
    """Train one network exactly as `train` does, so that training the winner gives the same bits."""

    def report(record: trainer.Record) -> None:
        values = {key: value for key, value in record.items() if key != "epoch"}
        tracked.log_metrics(values, int(record["epoch"]))
        if on_epoch(record[f"validation_{options.train.criterion}"]):
            network.stop_training = True

    forget_networks()  # that of the trial before
    trainer.make_repeatable(options.seed, options.train.precision)
    module = architecture(options.architecture)
    network = module.build(module.Options(**options.network), corpus.start, corpus.classes)
    training = Batches(*corpus.training, options.train.batch_size, options.seed)
    trainer.train(network, training, SortedBatches(*corpus.validation), options.train, report)


def _line(trial: Trial, start: Settings) -> str:
    """A trial on one line; what there is no room for is in trials.csv."""
    score = "-" if trial.score is None else f"{trial.score:.2%}"
    line = f"  {trial.number:5}  {score:>10}  {len(trial.scores):6}  {trial.seconds:7.1f}  "
    if trial.ending == "failed":
        return line + shorten(f"failed: {trial.fault}", WIDTH - len(line), placeholder="…")
    words: list[str] = [trial.ending] if trial.ending != "finished" else []
    words += _changes(trial.settings, start) if trial.number else ["as it is"]
    shown, left = len(words), ""
    while len(line + ", ".join(words[:shown]) + left) > WIDTH:
        shown -= 1
        left = f", +{len(words) - shown}"
    return line + ", ".join(words[:shown]) + left


def _changes(settings: Settings, start: Settings) -> list[str]:
    return [
        f"{key.partition('.')[2]} {_short(value)}" for key, value in settings.items() if value != start[key]
    ]


def _short(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, list) else json.dumps(value).strip('"')


def _table(search: Search, criterion: str) -> tuple[list[str], list[list[str | int | float]]]:
    """trials.csv: its header and rows."""
    header = ["trial", f"validation_{criterion}", "epochs", "seconds", "ending", *search.start, "fault"]
    rows: list[list[str | int | float]] = []
    for trial in search.trials:
        score = "" if trial.score is None else trial.score
        values = [_short(value) for value in trial.settings.values()]
        took = round(trial.seconds, 1)
        rows.append([trial.number, score, len(trial.scores), took, trial.ending, *values, trial.fault])
    return header, rows


def _write(folder: SearchFolder, search: Search, options: TuneOptions, rows: int) -> None:
    """What was tried, and the best of it: whatever ends the search loses nothing but the trial under way."""
    write_csv(folder.trials, *_table(search, options.train.train.criterion))
    if search.best:
        _write_winner(search, search.best, options, rows)


def _write_winner(search: Search, best: Trial, options: TuneOptions, rows: int) -> None:
    start, embed = options.train, _embed(options)
    found = f"validation {CRITERIA[start.train.criterion]} {max(best.scores):.2%}"
    first = max(search.trials[0].scores)
    warning = f"""These figures are of one network, without the rest of an ensemble. {_caution(rows)} A
cross-validation of the same corpus flatters it, too."""
    header = f"""{options.command}
The best of {len(search.trials)} trials: {found} on {rows:,} rows; {start.model} has {first:.2%}.
{fill(warning, 100)}
{options.again}"""
    # The seed is among them: it split the parts, so the test part stays the one that was not seen.
    won = with_settings(start, best.settings).model_dump(exclude={"model", "text"})
    values = {"seed": won.pop("seed"), **({"embed": embed} if embed else {}), **won}
    write_model(Path(options.output), values, header)


def _caution(rows: int) -> str:
    """What a score on the rows that chose it is worth."""
    worth = f", one of which is {100 / rows:.1f} points of accuracy" if rows < FEW else ""
    return f"Chosen by {rows:,} rows{worth}, which flatters it: what to expect, the test part says."


def _print_winner(search: Search, best: Trial, options: TuneOptions, rows: int, ended: str) -> None:
    first, score = max(search.trials[0].scores), max(best.scores)
    count = len(search.trials)
    said = f"{ended}best of {count}: trial {best.number}, {score:.2%}"
    said += f", where the model as it is has {first:.2%}"
    for line in (said, ", ".join(_changes(best.settings, search.start)), _caution(rows)):
        if line:
            print(fill(line, WIDTH, initial_indent="  ", subsequent_indent="  "))
    print(f"  to train it: {options.again}")
    print(options.output, flush=True)
