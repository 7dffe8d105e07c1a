"""Train the network, or the networks of an ensemble.

Reads the corpus's rows.parquet, sequences.npz, text_encoder.json and ngrams.npz and the run's vectors.npz;
writes model/ (all that a prediction needs), history.json and run.json. Begins the run in MLflow.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import ensemble, trainer
from pipeline.artifacts import (
    RunFolder,
    read_arrays,
    read_json,
    read_sequences,
    read_table,
    whole_folder,
    write_json,
)
from pipeline.backend import keras
from pipeline.batches import Batches, SortedBatches
from pipeline.classifier import Classifier
from pipeline.config import read_stage
from pipeline.models import architecture
from pipeline.ngrams import NgramModel
from pipeline.options import EmbedOptions, PrepareOptions, TokenizeOptions, TrainOptions
from pipeline.text import TextEncoder
from pipeline.tracking import Run, new_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="data/build/<corpus>/<model>")


def run(arguments: argparse.Namespace) -> None:
    folder = RunFolder(arguments.folder)
    options = read_stage(folder.train_options, TrainOptions)
    rows, sequences = read_table(folder.corpus.rows), read_sequences(folder.corpus.sequences)
    encoder = TextEncoder.from_json(read_json(folder.corpus.text_encoder))
    names: list[str] = read_json(folder.corpus.labels)
    vectors = read_arrays(folder.vectors)["vectors"]
    labels = rows["label"].to_numpy(np.int32)
    part = {name: np.flatnonzero(rows["part"] == name) for name in ("train", "validation")}

    training = sequences.select(part["train"]), labels[part["train"]]
    validation = sequences.select(part["validation"]), labels[part["validation"]]
    linear = NgramModel.of(read_arrays(folder.corpus.ngrams)) if options.ensemble.ngrams else None
    print(f"train: {options.model}, {len(part['train']):,} rows", flush=True)

    name = f"{folder.corpus.path.name} {options.model}"
    with new_run(name, _options(folder, vectors.shape[1]), _tags(folder)) as tracked:
        for path in folder.all_options:
            tracked.log(path, "options")
        began = time.perf_counter()
        networks: list[keras.Model] = []
        history: list[trainer.Record] = []
        for member in range(options.ensemble.members):
            seed = (options.seed + member) % 2**32
            trainer.make_repeatable(seed, options.train.precision)
            network = _build(options, vectors, len(names))
            trained = trainer.train(
                network,
                Batches(*training, options.train.batch_size, seed),
                SortedBatches(*validation),
                options.train,
                partial(_report, options.train.criterion, tracked, len(history)),
            )
            history += [{"member": member + 1, **record} for record in trained]
            networks.append(network)
        if linear or len(networks) > 1:
            network, weights = ensemble.pool(networks, linear, *validation)
            print("  weights: " + ", ".join(f"{name} {one:.2f}" for name, one in weights.items()))
        seconds = time.perf_counter() - began
        classifier = Classifier(lambda: network, encoder, names, options.text)
        classifier.calibrate(*validation)
        write_json(folder.history, history)
        write_json(folder.run, {"mlflow_run": tracked.id, "train_seconds": seconds})
        with whole_folder(folder.model) as unfinished:
            classifier.save(unfinished)


def _build(options: TrainOptions, vectors: NDArray[np.float32], classes: int) -> keras.Model:
    module = architecture(options.architecture)
    network: keras.Model = module.build(module.Options(**options.network), vectors, classes)
    return network


def _report(criterion: str, tracked: Run, before: int, record: trainer.Record) -> None:
    """`before` counts the epochs of earlier members."""
    shown = {"accuracy": "validation", "macro_f1": "validation macro-F1"}[criterion]
    print(
        f"  epoch {record['epoch']:2d}   loss {record['loss']:.3f}   accuracy {record['accuracy']:6.1%}"
        f"   {shown} {record[f'validation_{criterion}']:6.1%}   {record['seconds']:5.1f} s",
        flush=True,
    )
    metrics = {key: value for key, value in record.items() if key != "epoch"}
    tracked.log_metrics(metrics, before + int(record["epoch"]))


def _options(folder: RunFolder, dimensions: int) -> dict[str, Any]:
    """The exact configuration, nested as in the YAML files."""
    prepare = read_stage(folder.corpus.prepare_options, PrepareOptions).model_dump()
    tokenize = read_stage(folder.corpus.tokenize_options, TokenizeOptions).model_dump()
    embed = read_stage(folder.embed_options, EmbedOptions).model_dump()
    train = read_stage(folder.train_options, TrainOptions).model_dump()
    inputs = {"inputs": prepare["inputs"] + embed["inputs"]}
    embed["embed"]["dimensions"] = dimensions  # a file of vectors brings its own
    return prepare | tokenize | embed | train | inputs


def _tags(folder: RunFolder) -> dict[str, str]:
    return {"corpus": folder.corpus.path.name, "model": folder.path.name, "folder": str(folder.path)}
