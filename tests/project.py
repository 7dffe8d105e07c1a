"""The project as a user drives it."""

from __future__ import annotations

import csv
import os
import subprocess
from pathlib import Path


class Project:
    """The checkout at `root`, its commands, and data for them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def environment(self, data: Path) -> dict[str, str]:
        """Return this environment with its data in `data`, without an outer make and a tracking server."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MAKE", "MFLAGS", "MLFLOW"))
        }
        return inherited | {"CONVTEXT_DATA": str(data)}

    def make(self, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run make, as a user types it."""
        return subprocess.run(
            ["make", *arguments],
            cwd=self.root, env=self.environment(data), capture_output=True, text=True, timeout=3000,
        )  # fmt: skip

    def tiny(self, epochs: int = 4, filters: int = 8) -> str:
        """Return SET for a network of texts that trains in seconds."""
        return f"train.epochs={epochs} embed.dimensions=16 network.filters={filters} train.batch_size=16"

    def write_reviews(self, path: Path, rows: int) -> None:
        """Write reviews that one word tells apart, with two columns that a classifier must not need."""
        words = ["lovely", "awful"]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "review", "stars"])
            writer.writerows(
                [n, f"a {words[n % 2]} film number {n}, café at {n * 7 % 23} o'clock", 5 - 4 * (n % 2)]
                for n in range(rows)
            )
