"""The style of all figures: fonts, resolution, width and colours."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import matplotlib.figure
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import fontManager

FIGURE_WIDTH = 5.2  # inches: still readable at the width of a phone's screen
FIGURE_DPI = 150
LEGIBLE_CLASSES = 30  # beyond which cells are too small for numbers and names
CHARACTER_WIDTH = 0.58  # about, relative to the font size
HEADING_SIZE = 10  # points
BLUE, ORANGE, GREY = "#2f6db3", "#d9822b", "#7a7a7a"
# DejaVu comes with Matplotlib; the others are used, where installed, for labels of other scripts.
FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Noto Sans",
)


@contextmanager
def figure_style() -> Iterator[None]:
    """Apply the style to whatever is drawn in the block, or in the function that this decorates."""
    installed = {font.name for font in fontManager.ttflist}
    settings: Any = {
        "font.family": [font for font in FONTS if font in installed],
        "text.parse_math": False,  # a label may contain dollar signs
    }
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


class Figure(matplotlib.figure.Figure):
    """A figure that keeps the style when it is rendered, which is when Matplotlib creates many texts."""

    def draw(self, renderer: Any) -> None:
        with figure_style():
            super().draw(renderer)

    def write_png(self, file: Any) -> None:
        """Write the figure into a file, or to a path, drawn once, where `savefig` draws it twice."""
        self.set_dpi(FIGURE_DPI)
        FigureCanvasAgg(self).print_png(file)  # type: ignore[no-untyped-call]


def set_heading(figure: matplotlib.figure.Figure, heading: str, subject: str) -> None:
    """Set a figure's title: what it shows, and below it of which run or rows."""
    columns = int(72 * figure.get_figwidth() / (HEADING_SIZE * CHARACTER_WIDTH))
    lines = (textwrap.fill(line, columns) for line in (heading, subject))
    figure.suptitle("\n".join(lines), fontsize=HEADING_SIZE)
