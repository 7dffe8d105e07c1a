"""Measure what a convolution gains over dense networks, with test inputs that are shifted.

Reads the corpus's rows.parquet, and of texts sequences.npz and the run's vectors.npz, of images images.npy.
Trains the run's network and two dense ones: of equal parameter count, and of equal layer sizes. Writes why.md
and why.png, and logs both to one run in MLflow.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artifacts import RunFolder, read_inputs, read_start
from ..config.stage_options import Request, TrainOptions, read_stage
from ..corpus.split import PARTS
from ..environment.program import NAME
from ..errors import InputError
from ..files import atomic_write
from ..inputs import Images, LabelledInputs, Sequences, Start
from ..models import architecture
from ..networks import trainer
from ..networks.backend import forget_networks, keras, tf
from ..networks.batches import SortedBatches
from ..reading import read_json, read_table
from ..studies import dense_equivalents, figures, shifted_inputs
from ..studies.dense_equivalents import LayerCounts, MeasuredNetwork
from ..terminal import say
from ..tracking.run import Run, description, new_run

MAX_ROWS = {"train": 12_000, "validation": 2_000, "test": 2_000}  # drawn by the seed
MAX_EXAMPLES = 72_000  # that each network sees in all epochs: enough to rank the networks
MAX_PARAMETERS = 50_000_000  # a larger network is counted but not trained
COVERED_SHARE = 0.95  # of the texts, which the positions of the dense network hold whole
MAX_POSITIONS = 200  # tokens


@dataclass(frozen=True)
class Plan:
    """A network to be measured: its key in MLflow, title, counts and a function that builds it."""

    key: str
    title: str
    parameters: int
    connections: int
    build: Callable[[], keras.Model]


@dataclass(frozen=True)
class Corpus:
    """The rows used of each part, the input that networks are built on, and the tokens assumed per text."""

    parts: dict[str, LabelledInputs]
    start: Start
    classes: int
    tokens: int


def run(path: Path) -> None:
    folder = RunFolder(path)
    options = read_stage(folder.train_options, TrainOptions)
    corpus = _read(folder, options.seed)
    rows = {part: len(part_rows.labels) for part, part_rows in corpus.parts.items()}
    epochs = min(options.train.epochs, math.ceil(MAX_EXAMPLES / rows["train"]))
    options = options.model_copy(update={"train": options.train.model_copy(update={"epochs": epochs})})
    layers, plans = _plans(corpus, options)
    unit = "pixels" if isinstance(corpus.start, tuple) else "unknown words in front"
    name = folder.corpus.path.name
    say(f"why: {options.model} on {name}, {rows['test']:,} test rows")
    say(f"  trained on {rows['train']:,} rows, at most {epochs} epochs")
    tf.get_logger().setLevel("ERROR")  # it warns that functions are retraced, as each network is new
    tags = {"corpus": name, "model": options.model, "mlflow.source.name": "make why"}
    with new_run(f"{name} why", options.model_dump() | {"rows": rows}, tags) as tracked:
        networks = [_measure(plan, corpus, options, tracked) for plan in plans]
        table = dense_equivalents.markdown(networks, layers, unit)
        command = read_stage(folder.request, Request).command.replace(f"{NAME} train", f"{NAME} why", 1)
        tracked.describe(description(command, table))
        with atomic_write(folder.why) as partial:
            partial.write_text(table + "\n", "utf-8")
        with atomic_write(folder.why_figure) as partial:
            title = f"{name}, {rows['test']:,} test rows"
            figures.shifted_accuracies(networks, unit, title).write_png(partial)
        tracked.log_file(folder.why)
        tracked.log_file(folder.why_figure)
    say(f"\n{table}\n\n{folder.why} and {folder.why_figure.name}")


def _read(folder: RunFolder, seed: int) -> Corpus:
    rows, inputs = read_table(folder.corpus.rows), read_inputs(folder.corpus)
    labelled, parts = LabelledInputs(inputs, rows["label"].to_numpy(np.int32)), {}
    for part in PARTS:
        chosen = np.random.default_rng(seed).permutation(np.flatnonzero(rows["part"] == part))
        chosen = np.sort(chosen[: MAX_ROWS[part]])
        parts[part] = labelled.select(chosen)
    classes = len(read_json(folder.corpus.labels))
    start = read_start(folder, inputs)
    if inputs.kind == "image":
        return Corpus(parts, start, classes, tokens=0)
    covered = int(np.quantile(parts["train"].inputs.lengths, COVERED_SHARE))
    tokens = min(MAX_POSITIONS, covered + shifted_inputs.MAX_SHIFT)  # so that shifted texts still fit
    return Corpus(parts, start, classes, tokens)


def _plans(corpus: Corpus, options: TrainOptions) -> tuple[list[LayerCounts], list[Plan]]:
    """Return the counts of the network's layers, and the three networks to be measured.

    These are the network itself, a dense one of as many parameters and hidden layers, all of one width, and a
    dense one with layers of the same sizes.

    Raises InputError for a network without a convolution.
    """
    module, start = architecture(options.architecture), corpus.start

    def build() -> keras.Model:
        return module.build(module.Options(**options.network), start, corpus.classes)

    network = build()
    layers = dense_equivalents.count_layers(network, corpus.tokens)
    if all(layer.sharing == 1 for layer in layers):
        raise InputError(
            f"MODEL={options.model} has no convolution to compare: choose another model, such as "
            "MODEL=image_cnn"
        )
    parameters, sizes = dense_equivalents.count_parameters(network), dense_equivalents.hidden_sizes(layers)
    inputs = math.prod(start) if isinstance(start, tuple) else corpus.tokens * start.shape[1]
    width = dense_equivalents.equal_width(inputs, len(sizes), corpus.classes, parameters)
    plans = [
        Plan("convolution", options.model, parameters, sum(layer.connections for layer in layers), build)
    ]
    for key, title, hidden in (
        ("equal_parameters", "dense, equal budget", [width] * len(sizes)),
        ("equal_sizes", "dense, equal sizes", sizes),
    ):
        all_sizes = [inputs, *hidden, corpus.classes]
        plans.append(
            Plan(
                key,
                title,
                dense_equivalents.dense_parameters(all_sizes),
                dense_equivalents.dense_connections(all_sizes),
                partial(_dense, corpus, hidden),
            )
        )
    return layers, plans


def _dense(corpus: Corpus, hidden: list[int]) -> keras.Model:
    if isinstance(corpus.start, tuple):
        module = architecture("dense")
        options = module.Options(hidden=hidden)
    else:
        module = architecture("dense_tokens")
        options = module.Options(hidden=hidden, length=corpus.tokens)
    network: keras.Model = module.build(options, corpus.start, corpus.classes)
    return network


def _measure(plan: Plan, corpus: Corpus, options: TrainOptions, tracked: Run) -> MeasuredNetwork:
    """Train and test a network unless it is too large, and print a line about it."""
    tracked.log_metrics(
        {f"{plan.key}.parameters": plan.parameters, f"{plan.key}.connections": plan.connections}
    )
    if plan.parameters > MAX_PARAMETERS:
        say(f"  {plan.title}: {plan.parameters:,} parameters are too many to train")
        return MeasuredNetwork(plan.title, plan.parameters, plan.connections, [])
    began = time.perf_counter()
    forget_networks()  # frees the previous one
    trainer.make_repeatable(options.seed, options.train.precision)
    network = plan.build()
    validation, test = corpus.parts["validation"], corpus.parts["test"]
    history = trainer.train(
        network,
        trainer.batches(corpus.parts["train"], options.train, options.seed),
        SortedBatches(validation.inputs, validation.labels),
        options.train,
        lambda record: None,
    )
    accuracy = []
    for distance in shifted_inputs.shifts(test.inputs.shape):
        by_direction = [_accuracy(network, inputs, test.labels) for inputs in _shifted(test.inputs, distance)]
        accuracy.append(float(np.mean(by_direction)))
        tracked.log_metrics({f"{plan.key}.accuracy": accuracy[-1]}, distance)
    seconds = time.perf_counter() - began
    say(f"  {plan.title}: {len(history)} epochs, {accuracy[0]:.1%}, {seconds:.0f} s")
    return MeasuredNetwork(plan.title, plan.parameters, plan.connections, accuracy)


def _shifted(test: Sequences | Images, distance: int) -> Iterator[Sequences | Images]:
    if test.kind == "text":
        yield shifted_inputs.shifted_texts(test, distance)
    else:
        yield from map(Images.from_pixels, shifted_inputs.shifted_images(test.padded(), distance))


def _accuracy(network: keras.Model, inputs: Sequences | Images, truth: NDArray[np.integer[Any]]) -> float:
    # A label that no training row has is no class of the network's, which is wrong there.
    known = np.flatnonzero(truth < network.output_shape[-1])
    batches = SortedBatches(inputs.select(known), truth[known]).dataset()
    accuracy = network.evaluate(batches, verbose=0, return_dict=True)["accuracy"]
    return float(accuracy) * len(known) / len(truth)
