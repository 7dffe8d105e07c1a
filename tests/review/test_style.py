"""The style that all figures share."""

from __future__ import annotations

from io import BytesIO

import matplotlib
import numpy as np

from pipeline.review.style import FIGURE_DPI, FIGURE_WIDTH, Figure, figure_style, set_heading


def test_drawing_leaves_the_settings_of_matplotlib_as_they_were() -> None:
    before = dict(matplotlib.rcParams)
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH, 1))
        set_heading(figure, "a heading", "$no$ mathematics")
    figure.write_png(BytesIO())
    assert dict(matplotlib.rcParams) == before


def test_a_label_with_dollar_signs_is_no_mathematics() -> None:
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH, 1))
        axis = figure.subplots()
        axis.set_yticks([0], ["$class$"])
    figure.draw_without_rendering()
    assert not axis.get_yticklabels()[0].get_parse_math()


def test_a_figure_is_saved_in_the_resolution_that_its_width_is_read_from() -> None:
    file = BytesIO()
    Figure(figsize=(FIGURE_WIDTH, 1)).write_png(file)
    assert int.from_bytes(file.getvalue()[16:20]) == round(FIGURE_WIDTH * FIGURE_DPI)


def test_a_glyph_that_no_font_has_is_no_warning() -> None:
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH, 1))
        figure.subplots().imshow(np.zeros((2, 2)))
        set_heading(figure, "\ue000", "a private character")
    figure.write_png(BytesIO())
