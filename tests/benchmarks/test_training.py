"""What `make benchmark` draws at its end, when minutes are spent."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.benchmarks.training import figure


def test_contestants_and_growth_are_drawn(tmp_path: Path) -> None:
    results = {"convtext": {"seconds": 1.0}, "plain Keras": {"seconds": 10.0}}
    figure(results, {"rows": [(10_000, 0.5), (30_000, 1.4)]}, tmp_path / "training.png")
    with Image.open(tmp_path / "training.png") as drawn:
        assert drawn.format == "PNG" and drawn.width > drawn.height > 100
