"""`python -m tests.benchmarks.messy_table [ROWS]`: a messy table of 1,000,000 rows, trained on and labelled.

Prints what the commands say, and their seconds. The training is short, and without opponents: what is
measured is the reading.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.graph.inner_make import Goal, make
from pipeline.graph.request import TrainingRequest
from pipeline.graph.single_run import configure_run
from tests.messy_table import write_mess

SHORT = "train.epochs=1 embed.dimensions=16 network.filters=8 train.batch_size=500 embed.vectors=random"


def main(rows: str = "1000000") -> None:
    with TemporaryDirectory() as name:
        table = Path(name, "messy.csv")
        print(write_mess(table, int(rows)), f"{table.stat().st_size:,} bytes", flush=True)
        began = time.perf_counter()
        folder = configure_run(TrainingRequest(str(table), "kim-rand", SHORT, text="review", label="stars"))
        make(Goal(folder, (folder.model / "manifest.json",)), jobs=2)
        print(f"trained in {time.perf_counter() - began:.0f} s", flush=True)
        began = time.perf_counter()
        words = [f"INPUT={table}", f"OUTPUT={name}/labelled.csv", f"CORPUS={table}", "MODEL=kim-rand"]
        subprocess.run([sys.executable, "-m", "pipeline", "predict", *words], check=True)
        print(f"labelled in {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
