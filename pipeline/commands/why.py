"""Show by measurement what convolutions are good for.

Reads the corpus's rows.parquet, and of texts sequences.npz and the run's vectors.npz, of images images.npy.
Trains the run's network, and two dense ones: of as many parameters, and with layers as large. Writes why.md
and why.png, and logs both to one run in MLflow.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..artifacts import RunFolder, read_inputs, read_start
from ..config.loading import read_stage
from ..corpus.split import PARTS
from ..errors import InputError
from ..files import atomic_write, read_json, read_table
from ..inputs import Images, Sequences, Start
from ..models import architecture
from ..networks import trainer
from ..networks.backend import forget_networks, keras, tf
from ..networks.batches import Batches, SortedBatches
from ..review.figures import Figure
from ..studies import connections as sharing
from ..studies import figures, shifted
from ..studies.connections import Contestant
from ..tracking.run import Run, description, new_run
from ..verb_options import Request, TrainOptions

ROWS = {"train": 12_000, "validation": 2_000, "test": 2_000}  # at most, drawn by the seed
EXAMPLES = 72_000  # that each network sees: who is ahead is asked, not by how much in the end
LARGEST = 50_000_000  # parameters that are trained; of a larger network they are counted
COVERED, LONGEST = 0.95, 200  # of the texts, and tokens, that the dense network's positions hold


@dataclass(frozen=True)
class Plan:
    """A network to be measured: its key in MLflow, its numbers, and what builds it."""

    key: str
    title: str
    parameters: int
    connections: int
    build: Callable[[], keras.Model]


@dataclass(frozen=True)
class Corpus:
    """The rows that are used of each part, what networks are built on, and how long a text is taken to be."""

    parts: dict[str, tuple[Sequences | Images, NDArray[np.int32]]]
    start: Start
    classes: int
    tokens: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="data/build/<corpus>/<model>")


def run(arguments: argparse.Namespace) -> None:
    folder = RunFolder(arguments.folder)
    options = read_stage(folder.train_options, TrainOptions)
    corpus = _read(folder, options.seed)
    rows = {part: len(inputs) for part, (inputs, _) in corpus.parts.items()}
    epochs = min(options.train.epochs, math.ceil(EXAMPLES / rows["train"]))
    options = options.model_copy(update={"train": options.train.model_copy(update={"epochs": epochs})})
    counted, plans = _plans(corpus, options)
    unit = "pixels" if isinstance(corpus.start, tuple) else "unknown words at the front"
    name = folder.corpus.path.name
    print(f"why: {options.model} on {name}, {rows['test']:,} test rows", flush=True)
    print(f"  trained on {rows['train']:,} rows, at most {epochs} epochs", flush=True)
    tf.get_logger().setLevel("ERROR")  # it warns of functions traced anew: each network is another
    tags = {"corpus": name, "model": options.model, "mlflow.source.name": "make why"}
    with new_run(f"{name} why", options.model_dump() | {"rows": rows}, tags) as tracked:
        found = [_measured(plan, corpus, options, tracked) for plan in plans]
        table = sharing.markdown(found, counted, unit)
        command = read_stage(folder.request, Request).command.replace("make train", "make why", 1)
        tracked.describe(description(command, table))
        with atomic_write(folder.why) as partial:
            partial.write_text(table + "\n", "utf-8")
        with atomic_write(folder.why_figure) as partial:
            _figure(found, unit, f"{name}, {rows['test']:,} test rows").savefig(partial)
        tracked.log_file(folder.why)
        tracked.log_file(folder.why_figure)
    print(f"\n{table}\n\n{folder.why} and {folder.why_figure.name}")


def _read(folder: RunFolder, seed: int) -> Corpus:
    rows, inputs = read_table(folder.corpus.rows), read_inputs(folder.corpus)
    labels, parts = rows["label"].to_numpy(np.int32), {}
    for part in PARTS:
        chosen = np.random.default_rng(seed).permutation(np.flatnonzero(rows["part"] == part))
        chosen = np.sort(chosen[: ROWS[part]])
        parts[part] = inputs.select(chosen), labels[chosen]
    classes = len(read_json(folder.corpus.labels))
    start = read_start(folder, inputs)
    if inputs.kind == "image":
        return Corpus(parts, start, classes, tokens=0)
    covered = int(np.quantile(parts["train"][0].lengths, COVERED))
    tokens = min(LONGEST, covered + shifted.MOST)  # so that what is moved does not fall off the end
    return Corpus(parts, start, classes, tokens)


def _plans(corpus: Corpus, options: TrainOptions) -> tuple[list[sharing.Layer], list[Plan]]:
    """The network's layers in numbers; and the network, a dense one of as many parameters and hidden layers,
    all of one width, and a dense one whose layers are as large.

    Raises InputError for a network without a convolution.
    """
    module, start = architecture(options.architecture), corpus.start

    def build() -> keras.Model:
        return module.build(module.Options(**options.network), start, corpus.classes)

    network = build()
    counted, parameters = sharing.layers(network, corpus.tokens), sharing.parameters(network)
    if all(layer.sharing == 1 for layer in counted):
        raise InputError(
            f"MODEL={options.model} has no convolution to compare: name another, as MODEL=image_cnn"
        )
    sizes = sharing.hidden_sizes(counted)
    inputs = math.prod(start) if isinstance(start, tuple) else corpus.tokens * start.shape[1]
    width = sharing.equal_width(inputs, len(sizes), corpus.classes, parameters)
    connections = sum(layer.connections for layer in counted)
    plans = [Plan("convolution", options.model, parameters, connections, build)]
    for key, title, hidden in (
        ("equal_parameters", "dense, equal budget", [width] * len(sizes)),
        ("equal_sizes", "dense, equal sizes", sizes),
    ):
        all_sizes = [inputs, *hidden, corpus.classes]
        parameters, connections = sharing.dense_parameters(all_sizes), sharing.dense_connections(all_sizes)
        plans.append(Plan(key, title, parameters, connections, partial(_dense, corpus, hidden)))
    return counted, plans


def _dense(corpus: Corpus, hidden: list[int]) -> keras.Model:
    if isinstance(corpus.start, tuple):
        module = architecture("dense")
        options = module.Options(hidden=hidden)
    else:
        module = architecture("dense_tokens")
        options = module.Options(hidden=hidden, length=corpus.tokens)
    network: keras.Model = module.build(options, corpus.start, corpus.classes)
    return network


def _measured(plan: Plan, corpus: Corpus, options: TrainOptions, tracked: Run) -> Contestant:
    """Trained and tested, with a line that says so; where it is too large, counted alone."""
    tracked.log_metrics(
        {f"{plan.key}.parameters": plan.parameters, f"{plan.key}.connections": plan.connections}
    )
    if plan.parameters > LARGEST:
        print(f"  {plan.title}: {plan.parameters:,} parameters are too many to train", flush=True)
        return Contestant(plan.title, plan.parameters, plan.connections, [])
    began = time.perf_counter()
    forget_networks()  # the one before
    trainer.make_repeatable(options.seed, options.train.precision)
    network = plan.build()
    (training, known), validation = corpus.parts["train"], corpus.parts["validation"]
    history = trainer.train(
        network,
        Batches(training, known, options.train.batch_size, options.seed),
        SortedBatches(*validation),
        options.train,
        lambda record: None,
    )
    test, truth = corpus.parts["test"]
    accuracy = []
    for far in shifted.shifts(test.shape):
        accuracy.append(float(np.mean([_accuracy(network, moved, truth) for moved in _moved(test, far)])))
        tracked.log_metrics({f"{plan.key}.accuracy": accuracy[-1]}, far)
    seconds = time.perf_counter() - began
    print(f"  {plan.title}: {len(history)} epochs, {accuracy[0]:.1%}, {seconds:.0f} s", flush=True)
    return Contestant(plan.title, plan.parameters, plan.connections, accuracy)


def _moved(test: Sequences | Images, far: int) -> Iterator[Sequences | Images]:
    if test.kind == "text":
        yield shifted.shifted_texts(test, far)
    else:
        yield from map(Images.of, shifted.shifted_images(test.padded(), far))


def _accuracy(network: keras.Model, inputs: Sequences | Images, truth: NDArray[np.int32]) -> float:
    batches = SortedBatches(inputs, truth).dataset()
    return float(network.evaluate(batches, verbose=0, return_dict=True)["accuracy"])


def _figure(found: list[Contestant], unit: str, title: str) -> Figure:
    numbers = {
        name: {one.title: getattr(one, name) for one in found} for name in ("connections", "parameters")
    }
    accuracy = {one.title: one.accuracy for one in found}
    return figures.convolution_beside_dense(accuracy, numbers, unit, title)
