"""A step of dual coordinate descent, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.linear.descent import WIDTHS, Group, descend, squared_lengths


class Problem:
    """Rows (2, 0) of class 0 and (0, 1) of class 1; 1 / (2 C) is 1 and 2.

    There are two classes, and as many without a row as fill the group.
    """

    def __init__(self, width: int = 4) -> None:
        self.group = Group(
            starts=np.array([0, 1, 2]),
            columns=np.array([0, 1], np.int32),
            values=np.array([2, 1], np.float32),
            positives=np.array([0, 1]),
            squares=np.array([[5], [2]], np.float32).repeat(width, 1),
            slacks=np.array([1, 2], np.float32),
            scales=np.empty((0, width), np.float32),
            dual=np.zeros((2, width), np.float32),
            weights=np.zeros((2, width), np.float32),
            bias=np.zeros(width, np.float32),
        )
        # Of the two classes.
        self.dual, self.weights, self.bias = (
            self.group.dual[:, :2],
            self.group.weights[:, :2],
            self.group.bias[:2],
        )

    def descend(self, *order: int) -> float:
        return descend(self.group, np.array(order))


@pytest.mark.parametrize("width", WIDTHS)
def test_in_every_width_a_step_is_the_same(width: int) -> None:
    one = Problem(width)
    assert one.descend(0) == 1
    np.testing.assert_allclose(one.group.dual, [[1 / 6] * width, [0] * width], rtol=1e-6)
    signs = np.array([1] + [-1] * (width - 1))
    np.testing.assert_allclose(one.group.weights, [signs * 2 / 6, 0 * signs], rtol=1e-6)
    np.testing.assert_allclose(one.group.bias, signs / 6, rtol=1e-6)


def test_a_step_is_that_computed_by_hand() -> None:
    """The gradient is y (w'x + b) - 1 + slack a = -1, and the step 1 / (|x|^2 + 1 + slack) = 1 / 6."""
    one = Problem()
    assert one.descend(0) == 1
    np.testing.assert_allclose(one.dual, [[1 / 6, 1 / 6], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(one.weights, [[2 / 6, -2 / 6], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(one.bias, [1 / 6, -1 / 6], rtol=1e-6)


def test_scales_change_a_step_as_computed_by_hand() -> None:
    """For class 0 the feature is 3 times as large: |x|^2 is 36, the step 1 / 38, the weight 3 * 6 / 38."""
    one = Problem()
    scales = np.array([[9, 1, 1, 1], [1, 1, 1, 1]], np.float32)
    rows = one.group.starts, one.group.columns, one.group.values
    one.group = one.group._replace(scales=scales, squares=squared_lengths(*rows, scales))
    assert one.group.squares.tolist() == [[37, 5, 5, 5], [2, 2, 2, 2]]
    one.descend(0)
    np.testing.assert_allclose(one.dual[0], [1 / 38, 1 / 6], rtol=1e-6)
    np.testing.assert_allclose(one.weights[0], [18 / 38, -2 / 6], rtol=1e-6)
    np.testing.assert_allclose(one.bias, [1 / 38, -1 / 6], rtol=1e-6)


def test_a_second_row_steps_from_what_the_first_has_left() -> None:
    """Its scores are the bias, 1/6 and -1/6, and its signs -1 and 1, so that both gradients are -1/6 - 1 and
    both steps (7/6) / (1 + 1 + 2)."""
    one = Problem()
    assert one.descend(0, 1) == pytest.approx(7 / 6)
    step = 7 / 24
    expected = 1 / 6 - step
    np.testing.assert_allclose(one.dual[1], [step, step], rtol=1e-6)
    np.testing.assert_allclose(one.weights[1], [-step, step], rtol=1e-6)
    np.testing.assert_allclose(one.bias, [expected, -expected], rtol=1e-5)


def test_a_dual_variable_at_zero_does_not_fall_below_it_and_is_no_violation() -> None:
    """The scores 3 and -3 are beyond the margin: the gradient is 2."""
    one = Problem()
    one.bias[:] = [3, -3]
    one.group.bias[2:] = -3
    assert one.descend(0) == 0
    assert not one.dual.any() and not one.weights.any() and one.bias.tolist() == [3, -3]


def test_a_dual_variable_above_zero_falls_to_zero_at_most() -> None:
    """The gradient is 10 - 1 + 0.5; the step would be 9.5 / 6, and 0.5 is there to be taken."""
    one = Problem()
    one.bias[:] = [10, -10]
    one.dual[0] = 0.5
    assert one.descend(0) == 9.5
    assert one.dual[0].tolist() == [0, 0]
    np.testing.assert_allclose(one.bias, [9.5, -9.5])
    np.testing.assert_allclose(one.weights[0], [-1, 1])
