"""The built-in corpus: docstrings labelled by their library, read without importing it.

Every installation of the locked environment holds it, so it needs no download and is the same everywhere
for one version of Python. They are read from the code objects that Python keeps compiled beside the source,
a fifth of the time that parsing the source takes. What is not kept, or not whole, is compiled.
"""

from __future__ import annotations

import dis
import inspect
import os
import re
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import CodeType
from typing import Any

from ..errors import InputError
from ..progress import Bar
from .equality import normalized

STANDARD_LIBRARY = "python"

# Label -> the library's folders of third-party code, or of code that not every platform has. The libraries
# are those of the lock file with a thousand texts or more, except `databricks`: generated boilerplate.
LIBRARIES: dict[str, frozenset[str]] = {
    "fontTools": frozenset(),
    "keras": frozenset(),
    "matplotlib": frozenset(),
    "mlflow": frozenset(),
    "numba": frozenset({"cloudpickle"}),
    "numpy": frozenset(),
    "pandas": frozenset(),
    STANDARD_LIBRARY: frozenset(
        {"dist-packages", "site-packages"}
        | {"distutils", "ensurepip", "idlelib", "lib2to3", "tkinter", "turtledemo"}
    ),
    "scipy": frozenset({"cobyqa", "pyprima", "array_api_compat", "array_api_extra"}),
    "sklearn": frozenset({"externals"}),
    "sqlalchemy": frozenset(),
    "tensorflow": frozenset({"_api", "keras"}),  # generated aliases; the Keras of 2022
}

MINIMUM_WORDS = 5
TESTS = re.compile(r"(?:^|_)(?:tests?|testing|conftest)(?:_|$)")  # names of folders and files
VENDORED = frozenset({"_vendor", "_vendored", "vendor", "_bundled", "_external", "extern"})

# One mask for all libraries, so that it does not tell which: `tf.keras.Model` becomes `LIBRARY.Model`.
# Long names are masked inside others too (`MlflowClient`), short ones only where they stand alone.
MASK = "LIBRARY"
_LONG = (
    "fonttools|keras|matplotlib|mlflow|numba|numpy|pandas|scikit-learn|scipy|sklearn|sqlalchemy|tensorflow"
)
_SHORT = "c?python|mpl|np|pd|plt|pylab|pyplot|sa|stdlib|tf|tflite"
_NAME = rf"(?:{_LONG}|(?<![^\W_])(?:{_SHORT})(?![^\W_]))"
_OWN_NAMES = re.compile(rf"{_NAME}(?:\.{_NAME})*", re.IGNORECASE)


@dataclass(frozen=True, order=True, slots=True)
class Docstring:
    """The masked first paragraph of a docstring, and where what it documents begins, with its decorators.

    `file` is relative to the library, `line` counts from 1.
    """

    label: str
    file: str
    line: int
    text: str


def docstring_corpus() -> list[Docstring]:
    """Return the docstrings of LIBRARIES, each text once, in order of label, file and line.

    Raises InputError where a library is not installed.
    """
    return drop_repeated(collect({label: library_root(label) for label in LIBRARIES}))


def library_root(label: str) -> Path:
    """Return the folder of a library's source, found without importing it.

    Raises InputError where there is none.
    """
    if label == STANDARD_LIBRARY:
        return Path(sysconfig.get_paths()["stdlib"])
    spec = find_spec(label)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"built-in corpus: no library `{label}` in {sysconfig.get_paths()['purelib']}; "
            "expected the packages of requirements.lock: install them"
        )
    return Path(spec.submodule_search_locations[0])


def collect(roots: Mapping[str, Path]) -> Iterator[Docstring]:
    """Yield every docstring below the roots, library by library."""
    files = [(label, root, file) for label, root in roots.items() for file in source_files(label, root)]
    for label, root, file in Bar("docstrings", len(files), files, unit="file"):
        yield from read_docstrings(label, root, file)


def source_files(label: str, root: Path) -> Iterator[str]:
    """Yield a library's modules, relative to its root: neither tests nor third-party code."""
    skipped = VENDORED | LIBRARIES.get(label, frozenset())
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in skipped and not TESTS.search(name)]
        for name in files:
            if name.endswith(".py") and not TESTS.search(name[:-3]):
                yield Path(folder, name).relative_to(root).as_posix()


def read_docstrings(label: str, root: Path, file: str) -> list[Docstring]:
    """Return the docstrings of a module's public classes, functions and methods; none if it is not Python.

    A definition is public if it has no leading underscore and is not inside a function or a private class.
    Only the first paragraph is kept, on one line, libraries' names masked, if it has MINIMUM_WORDS words.
    """
    source = (root / file).read_bytes()
    if b'"""' not in source and b"'''" not in source:  # the quotes of a docstring, by PEP 257
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about invalid escapes in their source
            module = _compiled(root / file, source)
    except (SyntaxError, ValueError, RecursionError):
        return []
    kept = []
    for definition in _public(module):
        text = mask_names(first_paragraph(_docstring(definition)))
        if len(text.split()) >= MINIMUM_WORDS:
            kept.append(Docstring(label, file, definition.co_firstlineno, text))
    return kept


def _compiled(path: Path, source: bytes) -> CodeType:
    """Return a module's code, with docstrings. Raises what `compile` raises where it is not Python."""
    code = None
    if not sys.flags.optimize:  # else what Python keeps may lack them
        with suppress(EOFError, ImportError, TypeError, ValueError):  # of a damaged file
            code = _Loader("", str(path)).get_code("")
    return code or compile(source, path, "exec", dont_inherit=True, optimize=0)


class _Loader(SourceFileLoader):
    """Python's own, which compiles a module only if it is not compiled yet, and here keeps nothing of it."""

    def set_data(self, path: Any, data: Any, *, _mode: int = 0) -> None:
        pass


def _public(code: CodeType) -> Iterator[CodeType]:
    """Yield the classes and functions of a module, and those of its classes."""
    for child in code.co_consts:
        if not isinstance(child, CodeType):
            continue
        if child.co_name.startswith("<generic parameters of "):  # PEP 695: around what has them
            yield from _public(child)
        elif not child.co_name.startswith(("_", "<")):  # lambdas and comprehensions are <lambda> and so on
            yield child
            if _is_class(child):
                yield from _public(child)


def _is_class(code: CodeType) -> bool:
    return not code.co_flags & inspect.CO_OPTIMIZED  # as all functions are


def _docstring(code: CodeType) -> str:
    if not _is_class(code):  # a function, whose first constant is its docstring, or None (until Python 3.13)
        return code.co_consts[0] or ""
    if "__doc__" in code.co_names:
        for constant, name in pairwise(dis.get_instructions(code)):
            # A docstring stands where it is stored; what is assigned to the name stands beside that.
            if name.argval == "__doc__" and name.positions == constant.positions:
                return str(constant.argval)
    return ""


def first_paragraph(docstring: str) -> str:
    """Return the text up to the first blank line, whitespace as single spaces."""
    return " ".join(re.split(r"\n\s*\n", docstring.strip(), maxsplit=1)[0].split())


def mask_names(text: str) -> str:
    """Return the text with the libraries' own names replaced by MASK."""
    return _OWN_NAMES.sub(MASK, text)


def drop_repeated(docstrings: Iterable[Docstring]) -> list[Docstring]:
    """Return the first docstring of each text, in order, and none that two libraries share.

    A text that several libraries have says nothing about which it comes from; a corpus that kept it would
    measure the split, not the classifier.
    """
    first: dict[str, Docstring | None] = {}
    for docstring in sorted(docstrings):
        text = normalized(docstring.text)
        kept = first.setdefault(text, docstring)
        if kept is not None and kept.label != docstring.label:
            first[text] = None
    return [docstring for docstring in first.values() if docstring is not None]
