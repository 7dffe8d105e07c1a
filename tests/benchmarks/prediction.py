"""`make benchmark-predict [CORPUS=mr]`: how fast a CSV is labelled, end to end, beside the opponents.

Each contestant is a command that reads a CSV and writes one, run in a process of its own, all in turn, ROUNDS
times; medians are quoted. Prints Markdown, and writes it. Imports nothing large: a process starts with the
peak memory of the one that started it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from pipeline.artifacts import data_folder
from pipeline.config import arguments, words
from pipeline.config.command_line import Words
from pipeline.config.words import Word
from pipeline.graph.inner_make import Goal, make
from pipeline.graph.request import TrainingRequest
from pipeline.graph.single_run import configure_run
from tests.benchmarks.race import PATIENCE, ROUNDS, Contestant, Cost, Costs, accuracies, compare, timed

FEW = 1_000  # rows, for the start-up
BEYOND = 0.2  # of the start-up: what takes less longer than it says nothing of the rows
CORES = str(os.cpu_count() or 1)
CODE = Path(__file__).with_name("opponents.py")
OPPONENTS = {"fasttext": "fastText", "tfidf": "TF-IDF + LR", "keras": "plain Keras"}
if not importlib.util.find_spec("fasttext"):
    del OPPONENTS["fasttext"]


def row_counts(text: str) -> list[int]:
    if not all(size.isdecimal() and int(size) > FEW for size in text.split() or ["none"]):
        raise ValueError(f"expected numbers above {FEW:,}")
    return [*map(int, text.split())]


ROWS = Word("ROWS", '"10000 100000"', "to label", row_counts, [10_000, 100_000, 1_000_000])
LONG = Word("LONG", "1", "texts of many words", arguments.flag, False)


def contestants(corpus: str, model: str, fitted: Path) -> list[Contestant]:
    def ours(form: str) -> list[str]:
        words = [f"CORPUS={corpus}", f"MODEL={model}", "TEXT=text", f"FORM={form}"]
        return [*_python("pipeline"), "predict", *words]

    found = [
        Contestant("convtext, int16", ours("int16")),
        Contestant("convtext, float32", ours("float32")),
        Contestant("convtext, FORM=keras", ours("keras"), slow=True),
    ]
    for name, title in OPPONENTS.items():
        command = [*_python("tests.benchmarks.labellers"), name, str(fitted / name)]
        found.append(Contestant(title, command, slow=name == "keras"))
        if name != "keras":  # whose threads are on every core
            found.append(Contestant(f"{title}, every core", [*command, f"CORES={CORES}"]))
    return found


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def fit(run: Path, benchmarks: Path) -> Path:
    """The opponents, each in a folder of the one returned; anew where what they are made from changed."""
    made_from = [run.parent / "rows.parquet", run.parent / "tokenize.json", run / "train.json", CODE]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in made_from)).hexdigest()[:8]
    fitted = benchmarks / f"opponents-{run.parent.name}-{run.name}-{key}"
    for old in benchmarks.glob(f"opponents-{run.parent.name}-{run.name}-????????"):
        if old != fitted:
            shutil.rmtree(old)
    for name in tqdm([name for name in OPPONENTS if not (fitted / name).exists()], "fitting", disable=None):
        timed([*_python("tests.benchmarks.labellers"), name, str(fitted / name), f"FIT={run}"])
    return fitted


def report(head: str, sizes: list[int], accuracy: dict[str, float], costs: Costs) -> str:
    lines = [head, "", "| | accuracy, % | start-up, s |", "|---|--:|--:|"]
    lines += [
        f"| {title} | {right:.1f} | {costs[FEW][title].seconds:.2f} |" for title, right in accuracy.items()
    ]
    lines += [
        "",
        "| rows | | seconds | rows/s | rows/s, no start-up | time, int16 = 1 | peak, MB |",
        "|--:|---|--:|--:|--:|--:|--:|",
    ]
    for size in sizes:
        fastest = costs[size]["convtext, int16"].seconds
        for title, cost in costs[size].items():
            cells = [f"{size:,}", title, f"{cost.seconds:.2f}", f"{size / cost.seconds:,.0f}"]
            cells += [slope(size, cost, costs[FEW][title]), f"{cost.seconds / fastest:.1f}"]
            lines.append(f"| {' | '.join(cells)} | {cost.peak_mb:,.0f} |")
    return "\n".join([*lines, "", *footnotes(sizes, costs)])


def slope(size: int, cost: Cost, few: Cost) -> str:
    """Rows/s between FEW rows and these."""
    more = cost.seconds - few.seconds
    return f"{(size - FEW) / more:,.0f}" if more > BEYOND * few.seconds else "–"


def footnotes(sizes: list[int], costs: Costs) -> list[str]:
    lines = [
        f"Start-up: the whole command on {FEW:,} rows; – where the rows take less than {BEYOND:.0%} of it.",
        "Peak: of the largest process. TF-IDF and fastText read and write with pandas in one process;",
        "at every core with pyarrow around a process for each.",
    ]
    for size in sizes:
        if left := [title for title in costs[FEW] if title not in costs[size]]:
            lines.append(f"Left out at {size:,} rows, over {PATIENCE:.0f} s: {', '.join(left)}.")
    if "fasttext" not in OPPONENTS:
        lines.append("fastText is not installed and did not take part: the package is fasttext-community.")
    return lines


def main() -> None:
    given = Words("benchmark-predict", (*words.SOURCE, ROWS, LONG), sys.argv[1:])
    folder = configure_run(TrainingRequest.from_words(given))
    make(Goal(folder, (folder.model / "manifest.json",)), jobs=2)
    run, benchmarks = folder.path, data_folder() / "benchmarks"
    if not folder.corpus.sequences.exists():
        sys.exit(f"benchmark-predict is of texts, and {run.parent.name} has none")
    sizes = sorted(set(given[ROWS]))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # gigabytes of rows are removed then, too
    began = time.perf_counter()
    benchmarks.mkdir(parents=True, exist_ok=True)
    fitted = fit(run, benchmarks)
    entered = contestants(given[words.CORPUS], given[words.MODEL], fitted)
    with TemporaryDirectory(dir=benchmarks) as name:
        maker = [*_python("tests.benchmarks.prediction_rows"), str(run), name, "1" if given[LONG] else ""]
        maker += map(str, [FEW, *sizes])
        tokens = subprocess.run(maker, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        accuracy = accuracies(entered, Path(name))
        costs = compare(entered, [FEW, *sizes], Path(name))
    head = (
        f"CSV to CSV, {run.parent.name}, texts of {tokens} words, {CORES} cores, "
        f"medians of {ROUNDS} interleaved runs:"
    )
    text = report(head, sizes, accuracy, costs)
    place = benchmarks / f"prediction-{run.parent.name}{'-long' if given[LONG] else ''}.md"
    place.write_text(text + "\n", "utf-8")
    print(f"{text}\n\n{place}, in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
