"""Edge detectors as fixed kernels of 3 x 3, and a first layer's filters that start as them.

Deep learning's convolution is cross-correlation, which does not flip the kernel: `vertical` is positive where
the left side is brighter. Flipped, as in signal processing, each of these kernels is its own negative.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Floats

PREWITT = np.array([[1, 0, -1]] * 3, np.float32)
SOBEL = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], np.float32)
SCHARR = np.array([[3, 0, -3], [10, 0, -10], [3, 0, -3]], np.float32)
KERNELS = {"vertical": PREWITT, "horizontal": PREWITT.T, "sobel": SOBEL, "scharr": SCHARR}
KERNEL_SIDE = 3


def edges() -> Floats:
    """Return Prewitt's, Sobel's and Scharr's kernels, each also transposed, and their negatives.

    float32 [3, 3, 12]: edges of both orientations and signs, as ReLU passes one side of an edge alone.
    """
    upright = np.stack([PREWITT, SOBEL, SCHARR])
    both = np.concatenate([upright, upright.transpose(0, 2, 1)])
    return np.concatenate([both, -both]).transpose(1, 2, 0)


def start_with_edges(drawn: Floats) -> Floats:
    """Return a first layer's filters, as the initializer drew them, with the first ones replaced by `edges`.

    `drawn` is float32 [height, width, channels, filters]. Each kernel stands in the middle of its filter, is
    the same for all channels (an edge in brightness), and has the norm of the filter that it replaces, so
    that the layer's outputs keep their scale.
    """
    height, width, channels, count = drawn.shape
    if height < KERNEL_SIDE or width < KERNEL_SIDE:
        raise ValueError(
            f"an edge detector is {KERNEL_SIDE} x {KERNEL_SIDE}, the filters are {height} x {width}"
        )
    kernels = edges()[..., :count]
    top, left = (height - KERNEL_SIDE) // 2, (width - KERNEL_SIDE) // 2
    fixed = np.zeros((height, width, channels, kernels.shape[-1]), np.float32)
    fixed[top : top + KERNEL_SIDE, left : left + KERNEL_SIDE] = kernels[:, :, None]
    replaced = drawn[..., : kernels.shape[-1]]
    started = drawn.copy()
    started[..., : kernels.shape[-1]] = fixed * (_norms(replaced) / _norms(fixed))
    return started


def _norms(filters: Floats) -> Floats:
    norms: Floats = np.sqrt(np.square(filters).sum(axis=(0, 1, 2)))
    return norms
