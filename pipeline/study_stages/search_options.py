"""Search a model's options within a time budget, and compare the winner with the start over new seeds.

Reads the corpus's rows.parquet (without its test part), sequences.npz (or images.npy) and labels.json, of
texts text_encoder.json and the run's vectors.npz. Writes the winner as conf/models/<name>.yaml, and
trials.csv, after each trial; each is a run in MLflow below one of the search.

A trial is scored as what would be shipped of it: its best epoch, pooled with the n-grams if the model is. Of
an ensemble's networks it trains one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..arrays import Floats, Labels
from ..artifacts import SearchFolder, read_inputs, read_start
from ..config.stage_options import PrepareOptions, TrainOptions, TuneOptions, read_stage
from ..config.tuned_model import reserved, write_model
from ..corpus.equality import contents, digests
from ..corpus.folds import choice_splits
from ..corpus.split import PARTS
from ..environment.program import PROCESS_START
from ..errors import InputError
from ..files import short_hash, write_csv
from ..graph.search import STORAGE_VARIABLE
from ..inputs import LabelledInputs, Start
from ..linear.capacity import max_rows
from ..linear.members import Fit
from ..measures.comparison import network_title
from ..measures.metrics import scores
from ..measures.stacking import cross_fit
from ..models import architecture
from ..networks import trainer
from ..networks.backend import forget_networks, tf
from ..networks.batches import SortedBatches
from ..networks.keras_network import KerasNetwork
from ..networks.search_space import Space
from ..reading import read_json, read_table
from ..studies.confirmation import BUDGET_SHARE, Confirmation, IsOver
from ..studies.search import OnEpoch, Search, Trial
from ..studies.search_report import caution, heading, trial_line, trials_table, winner_lines
from ..studies.settings import Settings, current_settings, search_space, with_settings
from ..studies.shared_study import SharedStudy
from ..terminal import say
from ..text.encoder import TextEncoder
from ..tracking.run import Run, description, new_run


@dataclass
class Corpus:
    """The data that a search may use: the rows to train on and those to choose by.

    `linear` are the logits of the validation rows by the linear models of the ensemble together, [rows,
    classes]; None if it has none.
    """

    name: str
    labels: list[str]
    start: Start
    training: LabelledInputs
    validation: LabelledInputs
    linear: Floats | None
    digest: str = ""  # of all rows and their parts

    @property
    def truth(self) -> Labels:
        """The labels of the validation rows."""
        return self.validation.labels.astype(np.int64)

    def predict(self, network: KerasNetwork) -> Labels:
        """Return the labels that the validation rows would be given if the network were shipped now."""
        logits: NDArray[Any] = network.logits(self.validation.inputs)
        if self.linear is not None:
            logits = cross_fit([logits, self.linear], self.truth)
        predicted: Labels = logits.argmax(axis=1)
        return predicted


def run(path: Path) -> None:
    folder = SearchFolder(path)
    options = read_stage(folder.options, TuneOptions)
    with reserved(Path(options.output)):
        study = Study(folder, options, _read_corpus(folder, options), os.environ.get(STORAGE_VARIABLE, ""))
        say(heading(study.title, study.corpus.name, study.rows))
        is_interrupted = True
        try:
            study.run(PROCESS_START, options.budget)
            is_interrupted = False
        finally:
            if best := study.search.best:
                verdict = study.verdict()
                say("\n".join(winner_lines(study.search, best, verdict, study.rows, is_interrupted)))
                say(f"  to train it: {options.again}")
                say(options.output)


class Study:
    """A search under way, and the comparison of its winner with the start.

    Where a database is given, at `storage`, it is one of all machines that search the same there.
    """

    def __init__(self, folder: SearchFolder, options: TuneOptions, corpus: Corpus, storage: str = "") -> None:
        self.corpus = corpus
        self._folder, self._options, self._train_options = folder, options, options.train
        space = search_space(options.train, random_vectors=_embed(options).get("vectors") == "random")
        start = current_settings(options.train, space)
        self._shared = SharedStudy(storage, _study_name(options, space, corpus)) if storage else None
        self.search = Search(space, start, options.train.seed, self._shared)
        self._criterion = options.train.train.criterion
        self._confirmation = Confirmation(corpus.truth, self._criterion)
        self._is_searching = True

    @property
    def rows(self) -> int:
        return len(self.corpus.validation.labels)

    @property
    def title(self) -> str:
        """What a trial trains, and of which model."""
        options = self._train_options
        title = f"the {network_title(1, bool(options.ensemble.ngrams))} of {options.model}"
        members = options.ensemble.members
        return title if members == 1 else f"{title} (one network of its {members})"

    def verdict(self) -> str:
        """Return what is known of the best trial, in a sentence without its end."""
        start = self._train_options.model
        if self.search.best is self.search.first:
            if len(self.search.trials) == 1:
                return f"nothing was tried but {start} as it is"
            return f"no trial beats {start} as it is: nothing to change"
        if self._is_searching:
            return f"not yet compared with {start} over new seeds"
        return self._confirmation.verdict(start)

    def run(self, began: float, budget: float) -> None:
        """Run both as a run in MLflow, which has the best trial so far whatever ends the search."""
        tf.get_logger().setLevel("ERROR")  # it warns that functions are retraced, as each network is new
        options = self._options
        parameters = self._train_options.model_dump() | {"embed": _embed(options), "tune": _asked(options)}
        name, tags = f"{self.corpus.name} tune", _tags(self.corpus, self._train_options)
        if self._shared:  # each machine has a parent run, of the trials that are its own
            name, tags = f"{name} on {socket.gethostname()}", tags | {"study": self._shared.name}
        with new_run(name, parameters, tags) as parent:
            parent.wait()  # so that an unusable store is reported before the search, not after it
            try:
                for trial in self._trials(parent, began + (1 - BUDGET_SHARE) * budget):
                    self._write()
                    say(trial_line(trial, self.search.start))
                self._is_searching = False
                for seed in self._confirm(parent, self._agree(began + budget, budget)):
                    say(f"  winner and start trained with seed {seed}")
            finally:
                if self._shared:
                    self._shared.leave()
                if self.search.best:
                    self._write()  # with a trial that was interrupted
                    self._log(parent, self.search.best)

    def _agree(self, deadline: float, budget: float) -> float:
        """Wait until all machines have searched, so that they agree; return the confirmation's deadline."""
        if not self._shared:
            return deadline
        self._shared.leave()
        self._shared.wait_for_others()
        self.search.refresh()
        return time.monotonic() + BUDGET_SHARE * budget

    def _trials(self, parent: Run, deadline: float) -> Iterator[Trial]:
        """Yield the trials as they end, each a run below the parent in MLflow."""
        runs: dict[int, Run] = {}

        def train(trial: Trial, on_epoch: OnEpoch) -> None:
            with self._child(parent, str(trial.number), trial.settings) as tracked:
                runs[trial.number] = tracked
                _train(self.corpus, with_settings(self._train_options, trial.settings), tracked, on_epoch)

        for trial in self.search.run(train, deadline - time.monotonic()):
            if trial.number in runs:
                runs[trial.number].tag("trial", trial.ending)
                runs[trial.number].wait()
            yield trial

    def _confirm(self, parent: Run, deadline: float) -> Iterator[int]:
        """Yield the new seeds with which winner and start were trained, each a run below the parent."""
        best, first = self.search.best, self.search.first
        if best is None or best is first:
            return
        seconds = best.seconds + (first or best).seconds

        def train(title: str, settings: Settings, seed: int, is_over: IsOver) -> Labels:
            options = with_settings(self._train_options, settings)
            options = options.model_copy(update={"seed": seed % 2**32})
            with self._child(parent, f"{title}, seed {options.seed}", settings) as tracked:
                tracked.tag("confirmation", title)
                return _train(self.corpus, options, tracked, lambda score: is_over())

        yield from self._confirmation.run(
            train,
            best.settings,
            self.search.start,
            self._train_options.seed,
            deadline - time.monotonic(),
            seconds,
        )

    @contextmanager
    def _child(self, parent: Run, title: str, settings: Settings) -> Iterator[Run]:
        """Begin a run below the parent in MLflow."""
        parameters = with_settings(self._train_options, settings).model_dump()
        name, tags = f"{self.corpus.name} tune {title}", _tags(self.corpus, self._train_options)
        with new_run(name, parameters, tags) as tracked:
            parent.adopt([tracked.id])
            yield tracked

    def _log(self, parent: Run, best: Trial) -> None:
        found = f"best of {len(self.search.trials)} trials: {self.verdict()}"
        parent.describe(description(self._options.command, f"{found}. {caution(self.rows)}"))
        parent.log_file(Path(self._options.output))
        parent.log_file(self._folder.trials)
        values = {f"validation_{self._criterion}": best.scores[-1]}
        if difference := self._confirmation.difference:
            values |= {"difference": difference.mean, "difference.low": difference.low}
            values |= {"difference.high": difference.high, "new_seeds": self._confirmation.pairs}
        parent.log_metrics(values)

    def _write(self) -> None:
        """Write the trials so far and the best of them, so that an interrupt loses only the current trial."""
        write_csv(self._folder.trials, *trials_table(self.search, self._criterion))
        if self.search.best:
            self._write_winner(self.search.best)

    def _write_winner(self, best: Trial) -> None:
        """Write the best trial as a model, also if it is no better: its header says so."""
        header = [
            self._options.command,
            fill(f"The best of {len(self.search.trials)} trials of {self.title}: {self.verdict()}.", 100),
            fill(f"{caution(self.rows)} A cross-validation of the same corpus is optimistic, too.", 100),
            self._options.again,
        ]
        # The seed is included: it split the parts, so that the test part remains the unseen one.
        settings = with_settings(self._train_options, best.settings).model_dump(exclude={"model"})
        embed = _embed(self._options)
        values = {"seed": settings.pop("seed"), **({"embed": embed} if embed else {}), **settings}
        write_model(Path(self._options.output), values, "\n".join(header))


def _study_name(options: TuneOptions, space: Space, corpus: Corpus) -> str:
    """Return a name that machines share if they try the same options of the same model on the same rows.

    Where their files lie, and when they were written, is each machine's own.
    """
    embed = options.embed
    asked = {
        "rows": corpus.digest,
        "labels": corpus.labels,
        "tokenize": options.tokenize and options.tokenize.model_dump(),
        "embed": _embed(options) | {"seed": embed.seed, "pretrained": [file.bytes for file in embed.inputs]}
        if embed
        else {},
        "train": options.train.model_dump(),
        "space": {key: repr(values) for key, values in space.items()},
    }
    name = re.sub("-[0-9a-f]{8}$", "", corpus.name)
    return f"{name} {options.train.model}{short_hash(json.dumps(asked, sort_keys=True))}"


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
    rows, inputs = read_table(files.rows), read_inputs(files)
    labelled, names = LabelledInputs(inputs, rows["label"].to_numpy(np.int32)), read_json(files.labels)

    def part(name: str) -> LabelledInputs:
        return labelled.select(np.flatnonzero(rows["part"] == name))

    training, validation, linear = part("train"), part("validation"), None
    if options.train.ensemble.ngrams:
        encoder = TextEncoder.from_json(read_json(files.text_encoder))
        source = read_stage(files.prepare_options, PrepareOptions).source
        most = max_rows(inputs.as_sequences(), encoder.words, source.memory)
        fit = Fit(encoder, len(names), options.train.train.criterion, options.train.seed, most)
        splits = choice_splits(rows, source.mixes_validation, options.train.seed)
        pairs = [(labelled.select(places.fitted), labelled.select(places.held_out)) for places in splits]
        choice = fit.choose(options.train.ensemble.ngrams, pairs, training)
        linear = choice.together(validation.inputs.as_sequences())
    start = read_start(folder.run, inputs)
    return Corpus(files.path.name, names, start, training, validation, linear, _digest(rows))


def _digest(rows: pd.DataFrame) -> str:
    """Return a digest of all rows in their order: what they hold, their labels and their parts."""
    arrays = [digests(contents(rows)), rows["label"].to_numpy(np.int32)]
    arrays += [(rows["part"] == part).to_numpy(bool) for part in PARTS]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def _train(corpus: Corpus, options: TrainOptions, tracked: Run, on_epoch: OnEpoch) -> Labels:
    """Train one network exactly as `train` does, so that training the winner gives the same bits.

    Returns the labels that the validation rows are given by what would be shipped: the epoch that is best by
    the network alone, which the trainer keeps, pooled with the n-grams. `on_epoch` takes its score.
    """
    criterion, best, kept = options.train.criterion, -1.0, np.zeros_like(corpus.truth)

    def report(record: trainer.Record) -> None:
        nonlocal best, kept
        if record[f"validation_{criterion}"] > best:
            best, kept = record[f"validation_{criterion}"], corpus.predict(predictor)
        score = scores(corpus.truth, kept, corpus.labels).value(criterion)
        values = {key: value for key, value in record.items() if key != "epoch"}
        tracked.log_metrics(values | {f"shipped_{criterion}": score}, int(record["epoch"]))
        if on_epoch(score):
            network.stop_training = True

    forget_networks()  # frees that of the previous trial
    trainer.make_repeatable(options.seed, options.train.precision)
    module = architecture(options.architecture)
    network = module.build(module.Options(**options.network), corpus.start, len(corpus.labels))
    predictor = KerasNetwork(network)
    training = trainer.batches(corpus.training, options.train, options.seed)
    trainer.train(
        network,
        training,
        SortedBatches(corpus.validation.inputs, corpus.validation.labels),
        options.train,
        report,
    )
    return kept
