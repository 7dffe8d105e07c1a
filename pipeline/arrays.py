"""Names for the types of arrays that several modules pass on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]  # probabilities, logits, vectors
Doubles = NDArray[np.float64]
Ids = NDArray[np.int32]  # of tokens
Ints = NDArray[np.int32]  # as kernels take them
Labels = NDArray[np.int64]  # places in the list of labels
Offsets = NDArray[np.int64]  # places in an array or a file
Sizes = NDArray[np.int64]  # counts and bounds
