"""A plugin of pytest: kernels run as they were compiled ahead of time, and by numba, to the same bits.

`LEVEL` is the level of the processor whose functions run; `numba` must compile for the same (NUMBA_CPU_NAME).
The keys of the kernels that ran are left in the file `COMPARED`.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.compilation import native_kernels
from pipeline.compilation.kernel import Kernel

compared: set[str] = set()
call = Kernel.__call__


def bits(value: Any) -> Any:
    """Return what is equal for values of equal types and bits."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    return [bits(part) for part in value] if isinstance(value, tuple) else (type(value), value)


def both(kernel: Kernel, *arguments: Any) -> Any:
    native = copy.deepcopy(arguments)  # kernels write into some, and meanwhile threads into others
    by_numba = copy.deepcopy(native)
    if any(form.unpack(native) is not None for form in kernel._natives):
        assert bits(call(kernel, *native)) == bits(kernel.dispatcher(*by_numba)), kernel.key
        assert bits(native) == bits(by_numba), kernel.key
        compared.add(kernel.key)
    return call(kernel, *arguments)


def pytest_configure() -> None:
    library, _ = native_kernels._library()
    functions = native_kernels.contents()["levels"][os.environ["LEVEL"]]
    native_kernels._library = lambda: (library, functions)  # type: ignore[assignment]
    Kernel.__call__ = both  # type: ignore[method-assign]


def pytest_sessionfinish() -> None:
    Path(os.environ["COMPARED"]).write_text(json.dumps(sorted(compared)), "utf-8")
