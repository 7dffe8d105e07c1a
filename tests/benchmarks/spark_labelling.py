"""How fast a cluster labels: `python -m tests.benchmarks.spark_labelling RUN [ROWS [PREDICTED]]`.

RUN is a folder as data/build/mr/convtext, whose texts are repeated to ROWS rows of Parquet, in files of a
million. A standalone cluster of two workers with a core each, on this machine, runs `convtext_label.py` on a
thousand of them, which is its start, and on all; `predict` runs on PREDICTED rows of them. Prints Markdown.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.artifacts import RunFolder, data_folder
from pipeline.reading import read_table
from tests.benchmarks.race import timed
from tests.spark.cluster import SCRIPT, WORKERS, Cluster, children, processes, standalone_cluster

FEW = 1_000
FILE_ROWS = 1_000_000
SAMPLE_SECONDS = 1.0
MB = 1e6


class Memory(threading.Thread):
    """The memory of each worker of Python, and of each executor, in MB: (seconds, worker, executor)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float, float]] = []
        self._ended = threading.Event()

    def run(self) -> None:
        began = time.monotonic()
        while not self._ended.wait(SAMPLE_SECONDS):
            daemons = processes("pyspark.daemon")
            workers = [worker for daemon in daemons for worker in children(daemon)]
            executors = processes("CoarseGrainedExecutorBackend")
            sizes = (max(map(resident, group), default=0.0) for group in (workers, executors))
            self.samples.append((time.monotonic() - began, *sizes))

    def end(self) -> None:
        self._ended.set()
        self.join()


def resident(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:  # it has ended
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def write_rows(texts: pa.Array, rows: int, folder: Path) -> None:
    """Write files of a million rows, all of them links to one: each is read, and none is in a dictionary."""
    folder.mkdir()
    size = min(rows, FILE_ROWS)
    ids = np.arange(size)
    table = pa.table({"id": ids, "text": texts.take(pa.array(ids % len(texts)))})
    first = folder / "0.parquet"
    pq.write_table(table, first, row_group_size=size // 8 or 1, use_dictionary=False, compression="zstd")
    for number in range(1, rows // size):
        os.link(first, folder / f"{number}.parquet")


def job(cluster: Cluster, model: Path, rows: Path, output: Path) -> tuple[float, str]:
    began = time.perf_counter()
    done = cluster.submit(SCRIPT, "--model", model, "--input", rows, "--text", "text", "--output", output)
    if done.returncode:
        sys.exit(done.stdout + done.stderr[-3000:])
    return time.perf_counter() - began, done.stdout


def main(run: str, rows: str = "5000000", predicted: str = "5000000") -> None:
    folder, size, compared = RunFolder(Path(run).resolve()), int(rows), int(predicted)
    texts = pa.array(list(read_table(folder.corpus.rows)["text"]), pa.string())
    benchmarks = data_folder().resolve() / "benchmarks"
    benchmarks.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=benchmarks) as name:
        place = Path(name)
        for part, count in (("few", FEW), ("compared", compared), ("all", size)):
            write_rows(texts, count, place / part)
        whole = pa.concat_tables([pq.read_table(path) for path in sorted((place / "compared").iterdir())])
        pq.write_table(whole, place / "compared.parquet", use_dictionary=False, compression="zstd")
        del whole
        command = [sys.executable, "-m", "pipeline", "predict", f"MODEL={folder.model}", "TEXT=text"]
        few = timed([*command, f"INPUT={place / 'few' / '0.parquet'}", f"OUTPUT={place / 'few.parquet'}"])
        many = timed([*command, f"INPUT={place / 'compared.parquet'}", f"OUTPUT={place / 'out.parquet'}"])
        assert few and many
        predict_rate = compared / (many.seconds - few.seconds) / (os.cpu_count() or 1)
        (place / "cluster").mkdir()
        with standalone_cluster(place / "cluster", executor_memory="1g") as cluster:
            start, _ = job(cluster, folder.model, place / "few", place / "out-few")
            memory = Memory()
            memory.start()
            seconds, said = job(cluster, folder.model, place / "all", place / "out-all")
            memory.end()
        rate = size / (seconds - start) / WORKERS
    print(f"{run}, texts of {np.mean([len(text.as_py().split()) for text in texts]):.0f} words, Parquet\n")
    print("| | rows | seconds | of it start | rows/s and core | memory, MB |")
    print("|---|--:|--:|--:|--:|--:|")
    cells = [f"{compared:,}", f"{many.seconds:.1f}", f"{few.seconds:.1f}", f"{predict_rate:,.0f}"]
    print(f"| predict | {' | '.join(cells)} | {many.peak_mb:,.0f} |")
    peaks = [f"{max(sample[column] for sample in memory.samples):,.0f}" for column in (1, 2)]
    cells = [f"{size:,}", f"{seconds:.1f}", f"{start:.1f}", f"{rate:,.0f}"]
    print(f"| Spark | {' | '.join(cells)} | {peaks[0]} + {peaks[1]} (Java) |")
    print("\nThe memory of a worker of Python, and of an executor, over the time of the job, MB:")
    for after, *sizes in memory.samples[:: max(1, len(memory.samples) // 10)]:
        print(f"  {after:6.0f} s  {sizes[0]:6,.0f}  {sizes[1]:6,.0f}")
    print(said)


if __name__ == "__main__":
    main(*sys.argv[1:])
