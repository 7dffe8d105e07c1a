"""Train the network, or the members of an ensemble.

Reads the corpus's rows.parquet, labels.json and text_columns.json; for texts also sequences.npz,
text_encoder.json and the run's vectors.npz, for images images.npy. Writes model/ (all that a prediction
needs), history.json and run.json, and while a long training is under way checkpoints/. Begins the run in
MLflow.
"""

from __future__ import annotations

import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..artifacts import CorpusFolder, RunFolder, code_folder, read_inputs, read_start
from ..config.stage_options import (
    EmbedOptions,
    PrepareOptions,
    Request,
    TokenizeOptions,
    TrainOptions,
    read_stage,
)
from ..corpus.folds import Places, choice_splits
from ..encoder import Encoder
from ..environment.memory import note
from ..files import atomic_folder, sha256_of, write_json
from ..images.encoder import ImageEncoder
from ..inputs import Images, LabelledInputs, Sequences, Start
from ..linear.capacity import max_rows
from ..linear.members import Fit
from ..models import architecture
from ..networks import trainer
from ..networks.backend import keras, threads
from ..networks.checkpoint import Checkpoint
from ..options import CRITERIA
from ..prediction.classifier import save
from ..prediction.training import Training
from ..reading import read_json, read_table
from ..terminal import say, wrapped
from ..text.encoder import TextEncoder
from ..tracking.provenance import checkout, data_sets, usage
from ..tracking.run import Run, description, new_run


def run(path: Path) -> None:
    folder = RunFolder(path)
    options = read_stage(folder.train_options, TrainOptions)
    rows, inputs = read_table(folder.corpus.rows), read_inputs(folder.corpus)
    encoder, start = _encoder(folder.corpus, inputs), read_start(folder, inputs)
    names: list[str] = read_json(folder.corpus.labels)
    columns: list[str] = read_json(folder.corpus.text_columns)
    labelled = LabelledInputs(inputs, rows["label"].to_numpy(np.int32))
    parts = Places(*(np.flatnonzero(rows["part"] == part) for part in ("train", "validation")))
    source = read_stage(folder.corpus.prepare_options, PrepareOptions).source
    splits = choice_splits(rows, source.mixes_validation, options.seed) if options.ensemble.ngrams else []
    most = len(rows)
    if options.ensemble.ngrams:
        most = max_rows(inputs.as_sequences(), encoder.words, source.memory)
    say(f"train: {options.model}, {len(parts.fitted):,} rows")
    if told := note(most, len(parts.fitted)):
        say(wrapped(f"linear models: fitted to {told}"))

    request, program = read_stage(folder.request, Request), checkout()
    with new_run(request.title, _options(folder, start), _tags(folder, options)) as tracked:
        _log_request(tracked, folder, request, rows["part"])
        began = time.perf_counter()
        members = Training(
            partial(_build, options, start, len(names)),
            Fit(encoder, len(names), options.train.criterion, options.seed, most),
            options.train,
            options.ensemble,
            options.seed,
            Checkpoint(folder.checkpoints / "network.npz", _key(folder, options)),
        )
        trained = members.fit_classifier(
            names,
            columns,
            labelled,
            parts,
            splits,
            encoder.count_tokens(rows.iloc[parts.held_out]),
            partial(_report, options, tracked),
        )
        if trained.caution:
            say(f"  caution: {trained.caution}")
        if weights := trained.members.named_weights:
            say("  weights: " + ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items()))
        settings = {str(name): chosen._asdict() for name, chosen in trained.members.settings.items()}
        for name, chosen in settings.items():
            say(f"  {name}: C = {chosen['C']:g}, {chosen['naive_bayes']:.0%} naive Bayes")
            tracked.log_metrics({f"{name}.{key}": value for key, value in chosen.items()})
        seconds = time.perf_counter() - began
        if trained.rounding:
            say(f"  {trained.rounding.summary}")
            tracked.log_metrics(trained.rounding.metrics)
        write_json(folder.history, trained.history)
        record = {
            "mlflow_run": tracked.id,
            "train_seconds": seconds,
            "weights": weights,
            "settings": settings,
        }
        write_json(folder.run, record | program)
        with atomic_folder(folder.model) as unfinished:
            save(unfinished, trained.classifier, trained.members.network, trained.members.pool)
        shutil.rmtree(folder.checkpoints, ignore_errors=True)


def _log_request(tracked: Run, folder: RunFolder, request: Request, parts: pd.Series[str]) -> None:
    """Record what the run was asked for."""
    tracked.describe(description(request.command, "Not evaluated yet."))
    tracked.log_data(_data_sets(folder, parts))
    for path in folder.all_options:
        if path.exists():  # images are neither tokenized nor embedded
            tracked.log_file(path, "options")


def _encoder(corpus: CorpusFolder, inputs: Sequences | Images) -> Encoder:
    """Return the encoder that gave the corpus's inputs."""
    if inputs.kind == "image":
        return ImageEncoder(*inputs.shape)
    return TextEncoder.from_json(read_json(corpus.text_encoder))


def _key(folder: RunFolder, options: TrainOptions) -> str:
    """Return what changes with all that the training depends on, as Make would see it."""
    corpus = folder.corpus
    files = (folder.train_options, corpus.rows, corpus.sequences, corpus.images, folder.vectors)
    states = [path.stat() for path in files if path.exists()]
    digests = [f"{state.st_size} {state.st_mtime_ns}" for state in states]
    return sha256_of([*digests, (code_folder() / f"train-{options.architecture}").read_text()])


def _build(options: TrainOptions, start: Start, classes: int) -> keras.Model:
    module = architecture(options.architecture)
    network: keras.Model = module.build(module.Options(**options.network), start, classes)
    return network


def _report(options: TrainOptions, tracked: Run, earlier_epochs: int, record: trainer.Record) -> None:
    """Print and record an epoch; `earlier_epochs` counts those of earlier members."""
    criterion = options.train.criterion
    title = "validation" if criterion == "accuracy" else f"validation {CRITERIA[criterion]}"
    say(
        f"  epoch {record['epoch']:2d}   loss {record['loss']:.3f}   accuracy {record['accuracy']:6.1%}"
        f"   {title} {record[f'validation_{criterion}']:6.1%}   {record['seconds']:5.1f} s"
    )
    metrics = {key: value for key, value in record.items() if key != "epoch"} | usage()
    tracked.log_metrics(metrics, earlier_epochs + int(record["epoch"]))
    tracked.check()  # no further epoch for an unusable store


def _options(folder: RunFolder, start: Start) -> dict[str, Any]:
    """Return the exact configuration, nested as in the YAML files."""
    prepare = read_stage(folder.corpus.prepare_options, PrepareOptions).model_dump()
    train = read_stage(folder.train_options, TrainOptions).model_dump()
    if isinstance(start, tuple):
        return prepare | train | {"shape": start}
    tokenize = read_stage(folder.corpus.tokenize_options, TokenizeOptions).model_dump()
    embed = read_stage(folder.embed_options, EmbedOptions).model_dump()
    inputs = {"inputs": prepare["inputs"] + embed["inputs"]}
    embed["embed"]["dimensions"] = start.shape[1]  # those of a file of vectors are its own
    return prepare | tokenize | embed | train | inputs


def _tags(folder: RunFolder, options: TrainOptions) -> dict[str, str]:
    names = {"corpus": folder.corpus.path.name, "model": folder.path.name, "folder": str(folder.path)}
    numbers = {"seed": str(options.seed), "precision": options.train.precision, "threads": str(threads())}
    return names | numbers


def _data_sets(folder: RunFolder, parts: pd.Series[str]) -> list[dict[str, str]]:
    corpus = folder.corpus
    source = read_stage(corpus.prepare_options, PrepareOptions).source
    files = [path for path in (corpus.rows, corpus.images) if path.exists()]
    counts = {str(part): int(rows) for part, rows in parts.value_counts().items()}
    return data_sets(corpus.path.name, source, files, counts)
