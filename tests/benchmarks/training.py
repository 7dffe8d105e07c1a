"""`make benchmark [CORPUS=mr]`: how fast this project trains, beside plain builds and the arithmetic's limit.

Each contestant runs in a process of its own, in turn, ROUNDS times; medians are quoted. Then the cost of a
step of ours as vocabulary, length, batch and corpus grow. Prints Markdown, and writes it with a figure.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pipeline.artifacts import data_folder
from pipeline.config import words
from pipeline.config.command_line import Words
from pipeline.graph.inner_make import Goal, make
from pipeline.graph.request import TrainingRequest
from pipeline.graph.single_run import configure_run
from pipeline.inputs import Sequences, UnseenWords
from tests.benchmarks.contestants import CONTESTANTS, DIMENSIONS

ROUNDS = 3
SCALING = {  # what grows, from the first value of each of the others
    "vocabulary": (20_000, 100_000, 1_000_000),
    "length": (20, 100, 500),
    "batch": (50, 100, 200),
    "rows": (10_000, 30_000, 100_000),
}


def compare(corpus: Path) -> dict[str, dict[str, float]]:
    """Contestant -> the medians of what it printed."""
    names = [name for name in CONTESTANTS if name != "plain PyTorch" or importlib.util.find_spec("torch")]
    results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for name in tqdm(names * ROUNDS, "rounds", leave=False, disable=None):
        command = [sys.executable, "-m", "tests.benchmarks.contestants", name, str(corpus)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        results[name].append(json.loads(done.stdout.splitlines()[-1]))
    return {
        name: {key: statistics.median(one[key] for one in found) for key in found[0]}
        for name, found in results.items()
    }


def scale() -> dict[str, list[tuple[int, float]]]:
    """What grows -> its values and the milliseconds of a step; of `rows`, the seconds of an epoch.

    The values take turns, and the fastest of ROUNDS epochs counts: what slows one is not ours.
    """
    first = {name: values[0] for name, values in SCALING.items()}
    points = [(name, value) for name, values in SCALING.items() for value in values]
    costs: dict[tuple[str, int], list[float]] = {point: [] for point in points}
    for name, value in tqdm(points * ROUNDS, "scaling", leave=False, disable=None):
        # In a process of its own: TensorFlow gives the tables of a million words back when it ends.
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            cost = process.submit(_cost, **first | {name: value}, whole=name == "rows").result()
        costs[name, value].append(cost)
    return {name: [(value, min(costs[name, value])) for value in values] for name, values in SCALING.items()}


def _cost(vocabulary: int, length: int, batch: int, rows: int, whole: bool) -> float:
    """On texts of one Zipf distribution over 20,000 words, spread evenly over the vocabulary."""
    from pipeline.models.kim_cnn import Options, build
    from pipeline.networks import trainer
    from pipeline.networks.batches import Batches, SortedBatches
    from pipeline.options import Train

    random = np.random.default_rng(1)
    shares = 1 / np.arange(1, 20_001)
    words = random.choice(20_000, rows * length, p=shares / shares.sum())
    ids = (2 + words * (vocabulary - 2) // 20_000).astype(np.int32)
    sequences = Sequences(ids, np.arange(rows + 1) * length, ids, UnseenWords())
    labels = random.integers(0, 2, rows)
    options = Train(epochs=3, patience=3, batch_size=batch)
    trainer.make_repeatable(1, options.precision)
    vectors = random.random((vocabulary, DIMENSIONS), np.float32) - np.float32(0.5)
    network = build(Options(channels=["tuned"]), vectors, 2)
    few = np.arange(100)
    validation = SortedBatches(sequences.select(few), labels[few])
    history = trainer.train(
        network, Batches(sequences, labels, batch, 1), validation, options, lambda record: None
    )
    seconds = min(record["seconds"] for record in history[1:])  # the first compiles
    return seconds if whole else 1000 * seconds / -(-rows // batch)


def table(
    corpus: Path, results: dict[str, dict[str, float]], grown: dict[str, list[tuple[int, float]]]
) -> str:
    ours = results["convtext"]["seconds"]
    lines = [
        f"Kim's CNN-multichannel on {corpus.name}, batch 50, medians of {ROUNDS} interleaved runs:",
        "",
        "| | s/epoch | against convtext | rows/s | peak memory, MB |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {one['seconds']:.2f} | {one['seconds'] / ours:.2f} x | {one['rows_per_second']:,.0f} "
        f"| {one['peak_mb']:,.0f} |"
        for name, one in results.items()
    ]
    lines += [
        "",
        "A step of convtext as one thing grows, on synthetic text:",
        "",
        "| | | | |",
        "|---|---|---|---|",
    ]
    for name, points in grown.items():
        unit = "s an epoch" if name == "rows" else "ms a step"
        cells = " | ".join(f"{value:,}: {cost:.1f} {unit}" for value, cost in points)
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def figure(
    results: dict[str, dict[str, float]], grown: dict[str, list[tuple[int, float]]], path: Path
) -> None:
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(11, 3.6), layout="constrained")
    bars, lines = drawing.subplots(1, 2)
    names = list(results)[::-1]
    drawn = bars.barh(names, [results[name]["seconds"] for name in names], color="#2f6db3")
    bars.bar_label(drawn, fmt="%.2f", padding=3)
    bars.set(xscale="log", xlabel="seconds an epoch (logarithmic)", title="One epoch")
    bars.margins(x=0.25)
    for name, points in grown.items():
        values, costs = np.array(points).T
        label = f"{name} ({values[0]:,.0f} to {values[-1]:,.0f})"
        lines.plot(values / values[0], costs / costs[0], "o-", label=label)
    lines.plot([1, 50], [1, 50], ":", color="#7a7a7a", label="in proportion")
    lines.set(
        xscale="log", yscale="log", xlabel="growth", ylabel="growth of the cost", title="Scaling of convtext"
    )
    lines.legend(frameon=False)
    drawing.savefig(path, dpi=130)


def main(corpus: Path, output: Path) -> None:
    began = time.perf_counter()
    results, grown = compare(corpus), scale()
    output.mkdir(parents=True, exist_ok=True)
    text = table(corpus, results, grown)
    (output / f"training-{corpus.name}.md").write_text(text + "\n", "utf-8")
    figure(results, grown, output / f"training-{corpus.name}.png")
    print(f"{text}\n\n{output}/training-{corpus.name}.png, in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    given = Words("benchmark", words.SOURCE, [*sys.argv[1:], "MODEL=kim-multichannel"])
    run = configure_run(TrainingRequest.from_words(given))
    make(Goal(run, (run.corpus.sequences,)))
    main(run.corpus.path, data_folder() / "benchmarks")
