"""Search a model's options within a time budget.

Reads the corpus's rows.parquet (without its test part), sequences.npz (or images.npy) and labels.json and
of texts the run's vectors.npz; writes the winner as conf/models/<name>.yaml, and trials.csv. Each trial is
a run in MLflow below one of the search.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import config, trainer
from pipeline.artifacts import RunFolder, read_arrays, read_inputs, read_json, read_table, write_csv
from pipeline.backend import forget_networks, tf
from pipeline.batches import Batches, SortedBatches
from pipeline.config import read_stage
from pipeline.images import Images
from pipeline.models import Start, architecture
from pipeline.options import EmbedOptions, TrainOptions, TuneOptions
from pipeline.search import Ended, Search, Settings, Trial, settings_of, space_of, with_settings
from pipeline.sequences import Sequences
from pipeline.tracking import Run, description, new_run

SHOWN = {"accuracy": "validation accuracy", "macro_f1": "validation macro-F1"}
WIDTH = 79


@dataclass
class Corpus:
    """All that a search may see: the rows to train on and those to choose by."""

    name: str
    classes: int
    start: Start
    training: tuple[Sequences | Images, NDArray[np.int32]]
    validation: tuple[Sequences | Images, NDArray[np.int32]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="data/build/<corpus>/<model>")


def run(arguments: argparse.Namespace) -> None:
    folder = RunFolder(arguments.folder)
    options = read_stage(folder.tune_options, TuneOptions)
    start = read_stage(folder.train_options, TrainOptions)
    embed = _embed(folder, start)
    config.check_replaceable(Path(options.output))
    corpus = _read_corpus(folder)
    rows, criterion = len(corpus.validation[1]), start.train.criterion
    space = space_of(start, random_vectors=embed.get("vectors") == "random")
    search = Search(space, settings_of(start, space), start.seed)
    print(f"tune: the network of {start.model} on {corpus.name}, {rows:,} rows to choose by")
    print(f"  trial  {SHOWN[criterion].partition(' ')[0]}  epochs  seconds", flush=True)
    parameters = start.model_dump() | {"embed": embed, "tune": options.model_dump()}
    with new_run(f"{corpus.name} tune", parameters, _tags(corpus, start)) as parent:
        interrupted = False
        try:
            _search(search, corpus, start, options.budget, parent)
        except KeyboardInterrupt:
            interrupted = True
        if search.best:
            _write_winner(search, search.best, options, start, embed, rows)
            write_csv(folder.trials, *_table(search, criterion))
            found = (
                f"{SHOWN[criterion]} {max(search.best.scores):.1%}, the best of {len(search.trials)} trials"
            )
            parent.describe(description(options.command, found))
            parent.log(Path(options.output))
            parent.log(folder.trials)
            parent.log_metrics({f"validation_{criterion}": max(search.best.scores)})
            _print_winner(search, search.best, options, interrupted)
        if interrupted:
            raise KeyboardInterrupt


def _search(search: Search, corpus: Corpus, start: TrainOptions, budget: int, parent: Run) -> None:
    """Each trial as a run below the parent, and as a line."""
    tf.get_logger().setLevel("ERROR")  # it warns of functions traced anew: each trial's network is another
    runs: dict[int, Run] = {}

    def train(trial: Trial, on_epoch: Callable[[float], None]) -> None:
        tried = with_settings(start, trial.settings)
        name = f"{corpus.name} tune {trial.number}"
        with new_run(name, tried.model_dump(), _tags(corpus, start)) as tracked:
            runs[trial.number] = tracked
            parent.adopt([tracked.id])
            _train(corpus, tried, tracked, on_epoch)

    for trial in search.run(train, budget):
        print(_line(trial, search.start), flush=True)
        if trial.number in runs:
            runs[trial.number].tag("trial", trial.ending)
            runs[trial.number].wait()


def _tags(corpus: Corpus, start: TrainOptions) -> dict[str, str]:
    return {"corpus": corpus.name, "model": start.model, "mlflow.source.name": "make tune"}


def _embed(folder: RunFolder, start: TrainOptions) -> dict[str, Any]:
    """The options of the vectors; images have none."""
    if architecture(start.architecture).INPUT == "images":
        return {}
    return read_stage(folder.embed_options, EmbedOptions).embed.model_dump()


def _read_corpus(folder: RunFolder) -> Corpus:
    rows, inputs = read_table(folder.corpus.rows), read_inputs(folder.corpus)

    def part(name: str) -> tuple[Sequences | Images, NDArray[np.int32]]:
        chosen = np.flatnonzero(rows["part"] == name)
        return inputs.select(chosen), rows["label"].to_numpy(np.int32)[chosen]

    return Corpus(
        folder.corpus.path.name,
        len(read_json(folder.corpus.labels)),
        inputs.shape if isinstance(inputs, Images) else read_arrays(folder.vectors)["vectors"],
        part("train"),
        part("validation"),
    )


def _train(corpus: Corpus, options: TrainOptions, tracked: Run, on_epoch: Callable[[float], None]) -> None:
    """As `train` does it, so that the winner's training comes to the same bits."""

    def report(record: trainer.Record) -> None:
        tracked.log_metrics({key: one for key, one in record.items() if key != "epoch"}, int(record["epoch"]))
        on_epoch(record[f"validation_{options.train.criterion}"])

    forget_networks()  # that of the trial before
    trainer.make_repeatable(options.seed, options.train.precision)
    module = architecture(options.architecture)
    network = module.build(module.Options(**options.network), corpus.start, corpus.classes)
    training = Batches(*corpus.training, options.train.batch_size, options.seed)
    with suppress(Ended):
        trainer.train(network, training, SortedBatches(*corpus.validation), options.train, report)


def _line(trial: Trial, start: Settings) -> str:
    """A trial on one line; what there is no room for is in trials.csv."""
    score = "-" if trial.score is None else f"{trial.score:.2%}"
    line = f"  {trial.number:5}  {score:>10}  {len(trial.scores):6}  {trial.seconds:7.1f}  "
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
    header = ["trial", f"validation_{criterion}", "epochs", "seconds", "ending", *search.start]
    rows: list[list[str | int | float]] = []
    for trial in search.trials:
        score = "" if trial.score is None else trial.score
        values = [_short(value) for value in trial.settings.values()]
        rows.append([trial.number, score, len(trial.scores), round(trial.seconds, 1), trial.ending, *values])
    return header, rows


def _write_winner(
    search: Search, best: Trial, options: TuneOptions, start: TrainOptions, embed: dict[str, Any], rows: int
) -> None:
    found = f"{SHOWN[start.train.criterion]} {max(best.scores):.2%}"
    first = max(search.trials[0].scores)
    header = f"""{options.command}
The best of {len(search.trials)} trials: {found} on {rows:,} rows; {start.model} has {first:.2%}.
These figures are of one network, without the rest of an ensemble; and it was chosen by these rows, which
flatters it: what to expect, the test part says. A cross-validation of the same corpus flatters it, too.
{options.again}"""
    # The seed is among them: it split the parts, so the test part stays the one that was not seen.
    won = with_settings(start, best.settings).model_dump(exclude={"model", "text"})
    values = {"seed": won.pop("seed"), **({"embed": embed} if embed else {}), **won}
    config.write_model(Path(options.output), values, header)


def _print_winner(search: Search, best: Trial, options: TuneOptions, interrupted: bool) -> None:
    first, score = max(search.trials[0].scores), max(best.scores)
    count = len(search.trials)
    said = f"{'interrupted; ' if interrupted else ''}best of {count}: trial {best.number}, {score:.2%}"
    said += f", where the model as it is has {first:.2%}"
    changes = ", ".join(_changes(best.settings, search.start))
    print(fill(said, WIDTH, initial_indent="  ", subsequent_indent="  "))
    if changes:
        print(fill(changes, WIDTH, initial_indent="  ", subsequent_indent="  "))
    print(f"  to train it: {options.again}")
    print(options.output, flush=True)
