"""Search a model's options within a time budget.

Reads the corpus's rows.parquet (without its test part), sequences.npz (or images.npy) and labels.json and
of texts the run's vectors.npz; writes the winner as conf/models/<name>.yaml, and trials.csv, after each
trial, which is a run in MLflow below one of the search.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artifacts import SearchFolder, read_inputs, read_start
from ..config.stage_options import TrainOptions, TuneOptions, read_stage
from ..config.tuned_model import reserved, write_model
from ..environment.program import PROCESS_START
from ..errors import InputError
from ..files import write_csv
from ..inputs import Images, Sequences, Start
from ..models import architecture
from ..networks import trainer
from ..networks.backend import forget_networks, tf
from ..networks.batches import Batches, SortedBatches
from ..options import CRITERIA
from ..reading import read_json, read_table
from ..studies.search import OnEpoch, Search, Trial
from ..studies.search_report import TABLE_HEADING, caution, trial_line, trials_table, winner_lines
from ..studies.settings import current_settings, search_space, with_settings
from ..terminal import say
from ..tracking.run import Run, description, new_run


@dataclass
class Corpus:
    """The data that a search may use: the rows to train on and those to choose by."""

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
        say(f"tune: the network of {options.train.model} on {corpus.name}, {rows:,} rows to choose by")
        say(TABLE_HEADING)
        is_interrupted = True
        try:
            _run(folder, options, corpus, search, PROCESS_START + options.budget)
            is_interrupted = False
        finally:
            if search.best:
                say("\n".join(winner_lines(search, search.best, rows, is_interrupted)))
                say(f"  to train it: {options.again}")
                say(options.output)


def _run(folder: SearchFolder, options: TuneOptions, corpus: Corpus, search: Search, deadline: float) -> None:
    """Run the search as a run in MLflow, which has the best trial so far whatever ends the search."""
    rows, criterion = len(corpus.validation[1]), options.train.train.criterion
    parameters = options.train.model_dump() | {"embed": _embed(options), "tune": _asked(options)}
    with new_run(f"{corpus.name} tune", parameters, _tags(corpus, options.train)) as parent:
        parent.wait()  # so that an unusable store is reported before the search, not after it
        try:
            for trial in _trials(search, corpus, options.train, deadline, parent):
                _write(folder, search, options, rows)
                say(trial_line(trial, search.start))
        finally:
            if search.best:
                _write(folder, search, options, rows)  # with a trial that was interrupted
                score = max(search.best.scores)
                count = len(search.trials)
                result = f"validation {CRITERIA[criterion]} {score:.1%}, the best of {count} trials"
                parent.describe(description(options.command, f"{result}. {caution(rows)}"))
                parent.log_file(Path(options.output))
                parent.log_file(folder.trials)
                parent.log_metrics({f"validation_{criterion}": score})


def _trials(
    search: Search, corpus: Corpus, start: TrainOptions, deadline: float, parent: Run
) -> Iterator[Trial]:
    """Yield the trials as they end, each a run below the parent in MLflow."""
    tf.get_logger().setLevel("ERROR")  # it warns that functions are retraced, as each network is new
    runs: dict[int, Run] = {}

    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        options = with_settings(start, trial.settings)
        name = f"{corpus.name} tune {trial.number}"
        with new_run(name, options.model_dump(), _tags(corpus, start)) as tracked:
            runs[trial.number] = tracked
            parent.adopt([tracked.id])
            _train(corpus, options, tracked, on_epoch)

    for trial in search.run(train, deadline - time.monotonic()):
        if trial.number in runs:
            runs[trial.number].tag("trial", trial.ending)
            runs[trial.number].wait()
        yield trial


def _tags(corpus: Corpus, start: TrainOptions) -> dict[str, str]:
    return {"corpus": corpus.name, "model": start.model, "mlflow.source.name": "make tune"}


def _embed(options: TuneOptions) -> dict[str, Any]:
    """Return the options of the vectors; images have none."""
    return options.embed.embed.model_dump() if options.embed else {}


def _asked(options: TuneOptions) -> dict[str, Any]:
    """Return the options of the search itself."""
    return options.model_dump(include={"budget", "output", "command", "again"})


def _read_corpus(folder: SearchFolder, options: TuneOptions) -> Corpus:
    files = folder.run.corpus
    rows, inputs = read_table(files.rows), read_inputs(files)

    def part(name: str) -> tuple[Sequences | Images, NDArray[np.int32]]:
        places = np.flatnonzero(rows["part"] == name)
        return inputs.select(places), rows["label"].to_numpy(np.int32)[places]

    corpus = Corpus(
        files.path.name,
        len(read_json(files.labels)),
        read_start(folder.run, inputs),
        part("train"),
        part("validation"),
    )
    requested = {
        files.prepare_options: options.prepare,
        files.tokenize_options: options.tokenize,
        folder.run.embed_options: options.embed,
    }
    for path, stage in requested.items():
        if stage and read_stage(path, type(stage)) != stage:
            raise InputError(
                f"{path} does not have the options of this search: another `make` has changed it meanwhile; "
                "start the search again when that one has ended"
            )
    return corpus


def _train(corpus: Corpus, options: TrainOptions, tracked: Run, on_epoch: OnEpoch) -> None:
    """Train one network exactly as `train` does, so that training the winner gives the same bits."""

    def report(record: trainer.Record) -> None:
        values = {key: value for key, value in record.items() if key != "epoch"}
        tracked.log_metrics(values, int(record["epoch"]))
        if on_epoch(record[f"validation_{options.train.criterion}"]):
            network.stop_training = True

    forget_networks()  # frees that of the previous trial
    trainer.make_repeatable(options.seed, options.train.precision)
    module = architecture(options.architecture)
    network = module.build(module.Options(**options.network), corpus.start, corpus.classes)
    training = Batches(*corpus.training, options.train.batch_size, options.seed)
    trainer.train(network, training, SortedBatches(*corpus.validation), options.train, report)


def _write(folder: SearchFolder, search: Search, options: TuneOptions, rows: int) -> None:
    """Write the trials so far and the best of them, so that an interrupt loses only the current trial."""
    write_csv(folder.trials, *trials_table(search, options.train.train.criterion))
    if search.best:
        _write_winner(search, search.best, options, rows)


def _write_winner(search: Search, best: Trial, options: TuneOptions, rows: int) -> None:
    start, embed = options.train, _embed(options)
    score = f"validation {CRITERIA[start.train.criterion]} {max(best.scores):.2%}"
    first = max(search.trials[0].scores)
    warning = (
        f"These scores are of one network, without the rest of an ensemble. {caution(rows)} A "
        "cross-validation of the same corpus is optimistic, too."
    )
    header = [
        options.command,
        f"The best of {len(search.trials)} trials: {score} on {rows:,} rows; {start.model} has {first:.2%}.",
        fill(warning, 100),
        options.again,
    ]
    # The seed is included: it split the parts, so that the test part remains the unseen one.
    settings = with_settings(start, best.settings).model_dump(exclude={"model", "text"})
    values = {"seed": settings.pop("seed"), **({"embed": embed} if embed else {}), **settings}
    write_model(Path(options.output), values, "\n".join(header))
