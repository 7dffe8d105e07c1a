"""The built-in corpus: docstrings labelled by their library, read from source without importing it.

Every installation of the locked environment holds it, so it needs no download and is the same everywhere
for one version of Python.
"""

from __future__ import annotations

import ast
import gc
import os
import re
import sysconfig
import warnings
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

from ..environment.cores import cores
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
    """The masked first paragraph of a docstring, and where it begins; `file` is relative to the library."""

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
    """Yield every docstring below the roots, read on all cores, library by library."""
    files = [(label, root, file) for label, root in roots.items() for file in source_files(label, root)]
    # Spawned on every platform: forking a process that has threads can hang, and Python 3.12 warns of it.
    # Without garbage collection parsing is a fifth faster; syntax trees have no cycles.
    workers = min(16, cores())
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=gc.disable) as pool:
        read = pool.map(read_docstrings, *zip(*files, strict=True), chunksize=32)
        for file_docstrings in Bar("docstrings", len(files), read, unit="file"):
            yield from file_docstrings


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
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return []
    kept = []
    for definition in _public(tree):
        text = mask_names(first_paragraph(ast.get_docstring(definition) or ""))
        if len(text.split()) >= MINIMUM_WORDS:
            kept.append(Docstring(label, file, definition.body[0].lineno, text))
    return kept


def _public(node: ast.AST) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if not child.name.startswith("_"):
                yield child
                if isinstance(child, ast.ClassDef):
                    yield from _public(child)
        elif isinstance(child, ast.If | ast.Try | ast.ExceptHandler | ast.With):
            yield from _public(child)


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
