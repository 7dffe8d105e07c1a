"""`python -m pipeline.compilation.compile_kernels`: compile the kernels when the environment is made.

They go into a library (see `build_kernels`), or without a C compiler into numba's cache beside the modules.
Whoever runs a kernel first would wait for it, 20 s in a first `make train`: here trainings on a few made-up
rows, and a prediction, do. They are of two classes, and of as many as are fitted in groups of both the other
sizes.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ..environment.checkout import python_path
from ..environment.program import PACKAGE
from ..terminal import say
from .build_kernels import build

CLASSES = (2, 12)
ROWS = 40  # of each class
MAX_SECONDS = 300  # for each command


def main() -> None:
    say("compiling the kernels, once")
    try:
        build()
    except (OSError, subprocess.SubprocessError) as error:
        say(f"  none ahead of time, so that commands take half a second longer to start: {error}")
    with TemporaryDirectory() as folder:
        tables = [Path(folder) / f"{classes}.csv" for classes in CLASSES]
        for table, classes in zip(tables, CLASSES, strict=True):
            table.write_text("text,label\n" + "".join(_rows(classes)), "utf-8")
        settings = {"CONVTEXT_DATA": folder, "MLFLOW_TRACKING_URI": "", "PYTHONPATH": python_path()}
        commands = [["train", f"CORPUS={table}"] for table in tables]
        try:
            for words in (*commands, ["predict", f"INPUT={tables[0]}", f"CORPUS={tables[0]}"]):
                subprocess.run(
                    [sys.executable, "-m", PACKAGE, *words],
                    env=os.environ | settings,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=MAX_SECONDS,
                    check=True,
                )
        except subprocess.SubprocessError:  # which is an error where they are used
            say("  not all could be compiled: the first commands will take longer")


def _rows(classes: int) -> list[str]:
    """Return lines of a CSV, in classes of which each shares half of its words with the next."""
    numbers = random.Random(1)
    words = [[f"word{number}" for number in range(20 * first, 20 * first + 40)] for first in range(classes)]
    labels = [row % classes for row in range(ROWS * classes)]
    return [f"{' '.join(numbers.choices(words[label], k=8))},class {label}\n" for label in labels]


if __name__ == "__main__":
    main()
