"""Edge detectors as fixed kernels of 3 x 3, and a first layer's filters that start as them.

What deep learning calls convolution is cross-correlation: no kernel is turned round before it is laid on
the image. So `vertical` is positive where the left is the brighter side. Turned by 180 degrees, as the
convolution of signal processing would have it, each of these kernels is its own negative, and positive
where the right is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Filters = NDArray[np.float32]

VERTICAL = np.array([[1, 0, -1]] * 3, np.float32)  # Prewitt's
SOBEL = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], np.float32)
SCHARR = np.array([[3, 0, -3], [10, 0, -10], [3, 0, -3]], np.float32)
KERNELS = {"vertical": VERTICAL, "horizontal": VERTICAL.T, "sobel": SOBEL, "scharr": SCHARR}
SIDE = 3


def edges() -> Filters:
    """float32 [3, 3, 12]: Prewitt's (vertical and horizontal), Sobel's and Scharr's kernel, each upright and
    transposed, for edges of both orientations; then the negatives, as ReLU lets one side of an edge through.
    """
    upright = np.stack([VERTICAL, SOBEL, SCHARR])
    both = np.concatenate([upright, upright.transpose(0, 2, 1)])
    return np.concatenate([both, -both]).transpose(1, 2, 0)


def start(drawn: Filters) -> Filters:
    """A first layer's filters, float32 [height, width, channels, filters], as the initializer drew them,
    with as many of the `edges` in the place of the first ones as there is room for.

    Each stands in the middle of its filter, is the same for all channels (an edge in brightness), and has the
    norm of the filter that it replaces, so that the layer's outputs keep their size.
    """
    height, width, channels, count = drawn.shape
    if height < SIDE or width < SIDE:
        raise ValueError(f"an edge detector is {SIDE} x {SIDE}, the filters are {height} x {width}")
    kernels = edges()[..., :count]
    top, left = (height - SIDE) // 2, (width - SIDE) // 2
    fixed = np.zeros((height, width, channels, kernels.shape[-1]), np.float32)
    fixed[top : top + SIDE, left : left + SIDE] = kernels[:, :, None]
    replaced = drawn[..., : kernels.shape[-1]]
    started = drawn.copy()
    started[..., : kernels.shape[-1]] = fixed * (_norms(replaced) / _norms(fixed))
    return started


def _norms(filters: Filters) -> Filters:
    norms: Filters = np.sqrt(np.square(filters).sum(axis=(0, 1, 2)))
    return norms
