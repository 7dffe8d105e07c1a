"""Compilation of the inner loops, for arrays and plain numbers, and the hash that they share.

A kernel runs as code that was compiled ahead of time, if there is any for its arguments (see
`native_kernels`); if not, numba compiles it, and is imported only then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property, update_wrapper
from threading import RLock
from typing import Any, TypeVar, cast

import numpy as np

from ..errors import InputError
from .native_kernels import NativeKernel, native_kernels

FNV_OFFSET = np.uint64(14695981039346656037)  # of the 64-bit FNV-1a hash
FNV_PRIME = np.uint64(1099511628211)

Function = TypeVar("Function", bound=Callable[..., Any])
_lock = RLock()


class Kernel:
    """A function for one thread that is compiled for the types of its arguments.

    numba's own threads would compete with TensorFlow's (OpenMP) or abort on concurrent entry (workqueue), and
    at Kim's sizes there are only two milliseconds to share.
    """

    def __init__(
        self, load: Callable[[], Callable[..., Any]], signatures: tuple[str, ...] = (), **options: Any
    ) -> None:
        """Take a function that returns what numba is to compile, and numba's options."""
        self._load = load
        self.signatures = signatures
        self.options = {"nogil": True, "error_model": "numpy"} | options
        self._dispatcher: Any = None

    def __call__(self, *arguments: Any) -> Any:
        for native in self._natives:
            if (values := native.unpack(arguments)) is not None:
                return native.call(values)
        return self.dispatcher(*arguments)

    @cached_property
    def _natives(self) -> list[NativeKernel]:
        return native_kernels(self.key) if self.signatures else []

    @property
    def key(self) -> str:
        """The function's name from the package on, whatever that is called."""
        return f"{self.__module__.partition('.')[2]}.{self.__name__}"  # type: ignore[attr-defined]

    @property
    def dispatcher(self) -> Any:
        """The kernel as numba knows it, for other kernels to call; threads get the same one."""
        with _lock:
            if self._dispatcher is None:
                self._dispatcher = self.compile()
        return self._dispatcher

    def compile(self, *signatures: list[str], **options: Any) -> Any:
        """Return the function as numba compiles it, at once if a list of signatures is given."""
        return numba_compiler()(*signatures, **self.options | options)(self._load())


@cache
def numba_compiler() -> Any:
    """Return `numba.njit`, which learns what a kernel is that another one calls."""
    try:
        from numba import njit, types
        from numba.extending import typeof_impl
    except ModuleNotFoundError as error:
        reason = "this needs numba, as it was not compiled ahead of time, and numba is not installed"
        raise InputError(f"{reason}: pip install '.[train]'") from error
    typeof_impl.register(Kernel)(lambda kernel, _: types.Dispatcher(kernel.dispatcher))
    return njit


def kernel(function: Function) -> Function:
    """Compile a function for one thread."""
    return _kernel(function, cache=True)


def prebuilt_kernel(*signatures: str) -> Callable[[Function], Function]:
    """Compile a function for one thread, ahead of time for arguments of these types.

    They are as numba writes them: `f4[:, ::1]` is a C-contiguous float32 [n, m].
    """
    return lambda function: _kernel(function, signatures, cache=True)


def kernel_part(function: Function) -> Function:
    """Compile a helper of the kernels in its file: numba's cache stores it as a part of them."""
    return _kernel(function)


def late_part(load: Callable[[], Any]) -> Any:
    """Compile a helper that is made only when numba compiles its kernels."""
    return Kernel(load)


def compiles(function: Callable[..., Any], signature: tuple[Any, ...]) -> bool:
    """Return whether numba can compile a function for arguments of these types, which are numba's."""
    try:
        numba_compiler()(function).compile(signature)
    except Exception:  # numba passes on whatever its generators of code run into
        return False
    return True


def summing_kernel(function: Function) -> Function:
    """Compile a function for one thread, whose sums may be reordered, as depends on their length alone."""
    return _kernel(function, cache=True, fastmath={"reassoc"})


def _kernel(function: Function, signatures: tuple[str, ...] = (), **options: Any) -> Function:
    return cast(Function, update_wrapper(Kernel(lambda: function, signatures, **options), function))
