"""Kernels that were compiled ahead of time: functions of a shared library that needs no numba.

`build_kernels` makes it. Its functions have numba's calling convention: `int f(result *, error **, ...)`,
where an array is the members of a structure (see `_c_type`), and a tuple is its parts. The library is used
while the sources are those that it was made from, on a processor that can run it.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ..environment.checkout import PACKAGE
from ..files import sha256, sha256_of

LIBRARY = PACKAGE / "prebuilt" / "kernels.so"
# The modules with kernels, and those whose constants or options are compiled into them.
SOURCES = (
    "delimited.kernels",
    "delimited.scanner",
    "compilation.build_kernels",
    "compilation.kernel",
    "folding.kernels",
    "folding.llvm_maximum",
    "inputs",
    "linear.descent",
    "linear.kernels",
    "linear.llvm_descent",
    "measures.softmax",
    "networks.convolution_kernels",
    "tables.kernels",
    "text.chunk_kernels",
    "text.plain_words",
)
# A type is NumPy's name of a scalar's, [that of its items, the number of dimensions] for an array, which is
# C-contiguous, {"parts": types} for a tuple, or None.
Type = Any
_SCALARS: dict[str, Any] = {
    "|b1": ctypes.c_bool,
    "|u1": ctypes.c_uint8,
    "<i8": ctypes.c_int64,
    "<f4": ctypes.c_float,
    "<f8": ctypes.c_double,
}
_NUMBERS = {name: np.dtype(name).type for name in _SCALARS}
_DONE = (0, -2)  # what a function returns, the second if its result is None


def source_digest() -> str:
    """Return the digest of the modules that the library is made from."""
    return sha256_of(sha256(PACKAGE.joinpath(*name.split(".")).with_suffix(".py")) for name in SOURCES)


class NativeKernel:
    """A compiled function, for arguments of these types."""

    def __init__(self, library: Any, symbol: str, arguments: list[Type], result: Type) -> None:
        self._arguments, self._result = arguments, result
        self._result_type = _structure([result])
        self._release = library.release
        self._function = library[symbol]
        self._function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *_c_types(arguments)]

    def unpack(self, arguments: tuple[Any, ...]) -> list[Any] | None:
        """Return what `call` takes for these arguments; None if they have other types."""
        values: list[Any] = []
        return values if _unpack(self._arguments, arguments, values) else None

    def call(self, values: list[Any]) -> Any:
        """Return the result; other threads run meanwhile.

        Raises MemoryError, or RuntimeError for any other exception of the kernel.
        """
        result, error = self._result_type(), _Errors()
        if self._function(ctypes.byref(result), ctypes.byref(error), *values) not in _DONE:
            pickled = ctypes.string_at(error[0].data, error[0].size)  # by numba, when it compiled
            raise MemoryError if b"MemoryError" in pickled else RuntimeError("a kernel has failed")
        return self._value(self._result, result._0)

    def _value(self, type_: Type, value: Any) -> Any:
        if isinstance(type_, dict):
            return tuple(self._value(part, getattr(value, f"_{i}")) for i, part in enumerate(type_["parts"]))
        return np.asarray(_Memory(value, type_[0], self._release)) if isinstance(type_, list) else value


class _Error(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_int32))


_Errors = ctypes.POINTER(_Error)


class _Memory:
    """What a kernel allocated for an array, which NumPy keeps as long as the array."""

    def __init__(self, array: Any, typestr: str, release: Any) -> None:
        self._owner, self._release = array.owner, release
        self.__array_interface__ = {
            "version": 3,
            "data": (array.data, False),
            "typestr": typestr,
            "shape": tuple(array.shape),
            "strides": tuple(array.strides),
        }

    def __del__(self) -> None:
        self._release(self._owner)


def native_kernels(key: str) -> list[NativeKernel]:
    """Return the compiled functions of a kernel; none without a library of its sources for this processor."""
    library, functions = _library()
    return [NativeKernel(library, *function) for function in functions.get(key, [])]


def is_usable() -> bool:
    """Return whether there is a library of these sources for this processor."""
    return bool(_library()[1])


def contents() -> dict[str, Any]:
    """Return the digest of the library's sources and its functions at each level; nothing without one."""
    try:
        return dict(json.loads(ctypes.c_char_p.in_dll(ctypes.CDLL(str(LIBRARY)), "contents").value or b""))
    except (OSError, ValueError):  # there is none, or it is of another system
        return {}


@cache
def _library() -> tuple[Any, dict[str, list[Any]]]:
    """Return the library, and of each kernel its functions: symbol, types of the arguments and the result."""
    found = contents()
    if not found or found["sources"] != source_digest():
        return None, {}
    library = ctypes.CDLL(str(LIBRARY))
    library.release.argtypes, library.release.restype = [ctypes.c_void_p], None
    levels = [level for level in found["levels"] if int(level) <= library.processor_level()]
    return library, found["levels"][max(levels)] if levels else {}


def _unpack(types: Sequence[Type], arguments: Sequence[Any], values: list[Any]) -> bool:
    """Append the arguments to `values`, as C has them; return False if they do not have these types."""
    if len(types) != len(arguments):
        return False
    for type_, value in zip(types, arguments, strict=True):
        if isinstance(type_, list):
            if not isinstance(value, np.ndarray) or [value.dtype.str, value.ndim] != type_:
                return False
            if not (value.flags.c_contiguous and value.flags.aligned):
                return False
            address, _ = value.__array_interface__["data"]
            values += (None, None, value.size, value.itemsize, address, *value.shape, *value.strides)
        elif isinstance(type_, dict):
            if not isinstance(value, tuple) or not _unpack(type_["parts"], value, values):
                return False
        elif _name(type(value)) != type_:  # type: ignore[arg-type]  # a type is hashable
            return False
        else:
            values.append(_NUMBERS[type_](value))  # raises for an int that is too large
    return True


@cache
def _name(type_: type) -> str:
    """Return NumPy's name of a scalar's type."""
    return np.dtype(type_).str


def _c_types(types: Sequence[Type]) -> list[Any]:
    """Return the types of what `_unpack` makes of arguments, as C has them."""
    flat: list[Any] = []
    for type_ in types:
        if isinstance(type_, list):
            flat += [ctypes.c_void_p] * 2 + [ctypes.c_int64] * 2 + [ctypes.c_void_p]
            flat += [ctypes.c_int64] * (2 * type_[1])
        else:
            flat += _c_types(type_["parts"]) if isinstance(type_, dict) else [_SCALARS[type_]]
    return flat


def _structure(types: Sequence[Type]) -> Any:
    """Return the ctypes structure of results, whose members are `_0` and so on."""
    fields = [(f"_{i}", _c_type(type_)) for i, type_ in enumerate(types)]
    return type("Results", (ctypes.Structure,), {"_fields_": fields})


def _c_type(type_: Type) -> Any:
    if isinstance(type_, list):
        sizes = ctypes.c_int64 * type_[1]
        fields = [("owner", ctypes.c_void_p), ("parent", ctypes.c_void_p), ("items", ctypes.c_int64)]
        fields += [("item_bytes", ctypes.c_int64), ("data", ctypes.c_void_p)]
        fields += [("shape", sizes), ("strides", sizes)]
        return type("Array", (ctypes.Structure,), {"_fields_": fields})
    if isinstance(type_, dict):
        return _structure(type_["parts"])
    return _SCALARS[type_] if type_ else ctypes.c_void_p
