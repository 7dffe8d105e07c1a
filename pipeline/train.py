"""Train the network.

Reads the corpus's rows.parquet, sequences.npz and text_encoder.json and the run's vectors.npz; writes
model/ (all that a prediction needs), history.json and run.json. Begins the run in MLflow.
"""

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import trainer
from pipeline.artifacts import (
    RunFolder,
    read_arrays,
    read_json,
    read_sequences,
    read_table,
    whole_folder,
    write_json,
)
from pipeline.batches import Batches, SortedBatches
from pipeline.classifier import Classifier
from pipeline.config import read_stage
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

    trainer.make_repeatable(options.seed, options.train.precision)
    architecture = importlib.import_module(f"pipeline.models.{options.architecture}")
    network = architecture.build(architecture.Options(**options.network), vectors, len(names))
    training = Batches(
        sequences.select(part["train"]), labels[part["train"]], options.train.batch_size, options.seed
    )
    validation = SortedBatches(sequences.select(part["validation"]), labels[part["validation"]])
    print(
        f"train: {options.model}, {network.count_params():,} weights, {len(part['train']):,} rows", flush=True
    )

    name = f"{folder.corpus.path.name} {options.model}"
    with new_run(name, _options(folder, vectors.shape[1]), _tags(folder)) as tracked:
        for path in folder.all_options:
            tracked.log(path, "options")
        began = time.perf_counter()
        history = trainer.train(
            network, training, validation, options.train, lambda record: _report(record, tracked)
        )
        seconds = time.perf_counter() - began
        classifier = Classifier(lambda: network, encoder, names, options.text)
        write_json(folder.history, history)
        write_json(folder.run, {"mlflow_run": tracked.id, "train_seconds": seconds})
        with whole_folder(folder.model) as partial:
            classifier.save(partial)


def _report(record: trainer.Record, tracked: Run) -> None:
    print(
        f"  epoch {record['epoch']:2d}   loss {record['loss']:.3f}   accuracy {record['accuracy']:6.1%}"
        f"   validation {record['validation_accuracy']:6.1%}   {record['seconds']:5.1f} s",
        flush=True,
    )
    metrics = {key: value for key, value in record.items() if key != "epoch"}
    tracked.log_metrics(metrics, int(record["epoch"]))


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
