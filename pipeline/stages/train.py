"""Train the network, or the networks of an ensemble.

Reads the corpus's rows.parquet; for texts also sequences.npz, text_encoder.json, ngrams_<criterion>.npz and
the run's vectors.npz, for images images.npy. Writes model/ (all that a prediction needs), history.json and
run.json. Begins the run in MLflow.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..artifacts import CorpusFolder, RunFolder, read_inputs, read_start
from ..baselines.tfidf import TfidfModel
from ..config.stage_options import (
    EmbedOptions,
    PrepareOptions,
    Request,
    TokenizeOptions,
    TrainOptions,
    read_stage,
)
from ..encoder import Encoder
from ..files import atomic_folder, write_json
from ..images.encoder import ImageEncoder
from ..inputs import Images, Sequences, Start
from ..measures.calibration import divergence
from ..models import architecture
from ..networks import ensemble, trainer
from ..networks.backend import keras, threads
from ..networks.batches import Batches, SortedBatches
from ..networks.keras_network import KerasNetwork
from ..options import CRITERIA, Criterion, derived_seed
from ..prediction.classifier import Classifier, Predictor, save
from ..prediction.fold_network import fold_networks
from ..prediction.folded import measure_rounding
from ..reading import read_arrays, read_json, read_table
from ..terminal import say
from ..text.encoder import TextEncoder
from ..tracking.provenance import checkout, data_sets, usage
from ..tracking.run import Run, description, new_run

Rows = tuple[Sequences | Images, NDArray[np.int32]]  # inputs and labels


def run(path: Path) -> None:
    folder = RunFolder(path)
    options = read_stage(folder.train_options, TrainOptions)
    rows, inputs = read_table(folder.corpus.rows), read_inputs(folder.corpus)
    encoder, start = _encoder(folder.corpus, inputs), read_start(folder, inputs)
    names: list[str] = read_json(folder.corpus.labels)
    labels = rows["label"].to_numpy(np.int32)
    part = {name: np.flatnonzero(rows["part"] == name) for name in ("train", "validation")}
    training = inputs.select(part["train"]), labels[part["train"]]
    validation = inputs.select(part["validation"]), labels[part["validation"]]
    ngrams = folder.corpus.ngrams(options.train.criterion)
    linear = TfidfModel.from_arrays(read_arrays(ngrams)) if options.ensemble.ngrams else None
    say(f"train: {options.model}, {len(part['train']):,} rows")

    request, program = read_stage(folder.request, Request), checkout()
    with new_run(request.title, _options(folder, start), _tags(folder, options)) as tracked:
        _log_request(tracked, folder, request, rows["part"])
        began = time.perf_counter()
        networks, history = _train_members(options, start, len(names), training, validation, tracked)
        network, weights = networks[-1], dict[str, float]()
        if linear or len(networks) > 1:
            network, weights = ensemble.pool(networks, linear, *validation)
            say("  weights: " + ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items()))
        seconds = time.perf_counter() - began
        folded = fold_networks(networks, linear, list(weights.values()))
        predictor: Predictor = folded.rounded() if folded else KerasNetwork(network)
        classifier = Classifier(lambda: predictor, encoder, names, options.text)
        classifier.calibrate(*validation)
        if warning := divergence(classifier.logits(validation[0]), validation[1], classifier.temperature):
            say(f"  caution: {warning}")
        classifier.set_drift_reference(validation[0], encoder.count_tokens(rows.iloc[part["validation"]]))
        classifier.set_validation(*validation)
        if folded:
            error = measure_rounding(folded, validation[0].as_sequences())
            say(f"  {error.summary}")
            tracked.log_metrics(error.metrics)
        write_json(folder.history, history)
        record = {"mlflow_run": tracked.id, "train_seconds": seconds, "weights": weights}
        write_json(folder.run, record | program)
        with atomic_folder(folder.model) as unfinished:
            save(unfinished, classifier, network, folded)


def _log_request(tracked: Run, folder: RunFolder, request: Request, parts: pd.Series[str]) -> None:
    """Record what the run was asked for, and wait for it: an unusable store should fail before training."""
    tracked.describe(description(request.command, "Not evaluated yet."))
    tracked.log_data(_data_sets(folder, parts))
    for path in folder.all_options:
        if path.exists():  # images are neither tokenized nor embedded
            tracked.log_file(path, "options")
    tracked.wait()


def _train_members(
    options: TrainOptions, start: Start, classes: int, training: Rows, validation: Rows, tracked: Run
) -> tuple[list[keras.Model], list[trainer.Record]]:
    """Return a network for each seed of the ensemble, and the records of all their epochs."""
    networks: list[keras.Model] = []
    history: list[trainer.Record] = []
    for member in range(options.ensemble.members):
        seed = derived_seed(options.seed, member)
        trainer.make_repeatable(seed, options.train.precision)
        network = _build(options, start, classes)
        records = trainer.train(
            network,
            Batches(*training, options.train.batch_size, seed),
            SortedBatches(*validation),
            options.train,
            partial(_report, options.train.criterion, tracked, len(history)),
        )
        history += [{"member": member + 1, **record} for record in records]
        networks.append(network)
    return networks, history


def _encoder(corpus: CorpusFolder, inputs: Sequences | Images) -> Encoder:
    """Return the encoder that gave the corpus's inputs."""
    if inputs.kind == "image":
        return ImageEncoder(*inputs.shape)
    return TextEncoder.from_json(read_json(corpus.text_encoder))


def _build(options: TrainOptions, start: Start, classes: int) -> keras.Model:
    module = architecture(options.architecture)
    network: keras.Model = module.build(module.Options(**options.network), start, classes)
    return network


def _report(criterion: Criterion, tracked: Run, earlier_epochs: int, record: trainer.Record) -> None:
    """Print and record an epoch; `earlier_epochs` counts those of earlier members."""
    title = "validation" if criterion == "accuracy" else f"validation {CRITERIA[criterion]}"
    say(
        f"  epoch {record['epoch']:2d}   loss {record['loss']:.3f}   accuracy {record['accuracy']:6.1%}"
        f"   {title} {record[f'validation_{criterion}']:6.1%}   {record['seconds']:5.1f} s"
    )
    metrics = {key: value for key, value in record.items() if key != "epoch"} | usage()
    tracked.log_metrics(metrics, earlier_epochs + int(record["epoch"]))


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
