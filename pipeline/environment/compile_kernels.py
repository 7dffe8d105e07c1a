"""`python -m pipeline.environment.compile_kernels`: compile the kernels when the environment is made.

numba keeps what it has compiled beside the modules. Whoever runs a kernel first waits for it, 20 s in a first
`make train`: here a training on a few made-up rows, and its prediction, do.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ..terminal import say
from .checkout import python_path
from .program import PACKAGE

ROWS = 80
MAX_SECONDS = 300  # for each of the two


def main() -> None:
    say("compiling the kernels, once")
    with TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.csv"
        rows.write_text("text,label\n" + "".join(_rows()), "utf-8")
        settings = {"CONVTEXT_DATA": folder, "MLFLOW_TRACKING_URI": "", "PYTHONPATH": python_path()}
        try:
            for words in (["train"], ["predict", f"INPUT={rows}"]):
                subprocess.run(
                    [sys.executable, "-m", PACKAGE, *words, f"CORPUS={rows}"],
                    env=os.environ | settings,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=MAX_SECONDS,
                    check=True,
                )
        except subprocess.SubprocessError:  # which is an error where they are used
            say("  not all could be compiled: the first commands will take longer")


def _rows() -> list[str]:
    """Return lines of a CSV, in two classes that share half of their words."""
    numbers = random.Random(1)
    words = [[f"word{number}" for number in range(first, first + 40)] for first in (0, 20)]
    return [f"{' '.join(numbers.choices(words[row % 2], k=8))},{'ab'[row % 2]}\n" for row in range(ROWS)]


if __name__ == "__main__":
    main()
