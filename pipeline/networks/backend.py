"""TensorFlow and Keras, imported without their start-up lines.

The only module that imports them: `from pipeline.networks.backend import keras, tf`.
"""

from __future__ import annotations

import ctypes
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

import numpy as np

from ..environment.cores import cores
from ..environment.imports import uncollected

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors; its information is about TensorFlow's build


@contextmanager
def held_back_stderr() -> Iterator[None]:
    """Hold back what C++ writes to file descriptor 2, past Python, and show it only if the block fails."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def _keep_freed_memory() -> None:
    """Make each of glibc's heaps keep 64 MB ready; it applies to heaps created later.

    By default a training step's temporaries go back to the operating system, which clears them anew for the
    next: a seventh of the step.
    """
    top_pad = -2  # M_TOP_PAD of malloc.h
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(top_pad, 64 << 20)


_keep_freed_memory()
with held_back_stderr(), uncollected():
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.ops import gradient_registry

    tf.constant(0)  # the first tensor brings the last of the lines


_sealing = RLock()


def threads() -> int:
    """Return the number of threads that TensorFlow computes an operation on."""
    asked = tf.config.threading.get_intra_op_parallelism_threads() or os.environ.get("TF_NUM_INTRAOP_THREADS")
    return int(asked or cores())


def call_kernel(kernel: Callable[..., Any], inputs: Sequence[tf.Tensor], dtypes: Any) -> Any:
    """Run a compiled function on tensors, which it sees as arrays without a copy, and return its tensors.

    It runs on the CPU, to which a GPU's tensors travel. TensorFlow may run two kernels at a time, as they
    release Python's lock and share nothing.
    """
    return tf.numpy_function(kernel, inputs, dtypes, stateful=False)


@contextmanager
def sealed() -> Iterator[None]:
    """Leave a process that does other work as it was before a training in the block.

    One thread at a time is in such a block, as generators and precision are the process's. In it TensorFlow
    does not warn that functions are traced anew, as each network is new. After it the
    process has its generators and its precision again, and gradients that TensorFlow registered are freed,
    for which see `forget_networks`: a network of the block cannot be traced again. What stays is that
    TensorFlow's kernels are deterministic from now on.
    """
    with _sealing:
        policy, generators = keras.config.dtype_policy(), (random.getstate(), np.random.get_state())
        known, level = set(gradient_registry._registry), tf.get_logger().level
        tf.get_logger().setLevel("ERROR")
        try:
            yield
        finally:
            tf.get_logger().setLevel(level)
            keras.config.set_dtype_policy(policy)
            random.setstate(generators[0])
            np.random.set_state(generators[1])
            _unregister(name for name in [*gradient_registry._registry] if name not in known)


def forget_networks() -> None:
    """Free the networks that nothing refers to any more, for a process that trains one after another.

    TensorFlow registers the gradient of each tf.custom_gradient that it traces for good, and holds by it the
    graph with all variables. A network still in use keeps what is traced, but cannot be traced again.
    """
    _unregister([*gradient_registry._registry])
    keras.utils.clear_session()


def _unregister(names: Iterable[str]) -> None:
    for name in names:
        if name.startswith("CustomGradient"):
            del gradient_registry._registry[name]


__all__ = ["call_kernel", "forget_networks", "held_back_stderr", "keras", "sealed", "tf", "threads"]
