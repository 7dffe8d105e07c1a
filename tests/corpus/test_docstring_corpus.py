from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from py_compile import compile as compile_module

import pytest

from pipeline.corpus.docstring_corpus import (
    LIBRARIES,
    MASK,
    MINIMUM_WORDS,
    Docstring,
    collect,
    drop_repeated,
    first_paragraph,
    library_root,
    mask_names,
    read_docstrings,
    source_files,
)
from pipeline.errors import InputError

SOURCE = '''"""The module's own docstring is no text."""

class Stack:
    """A stack of   things that
    one can push.

    A second paragraph.
    """

    def push(self):
        """Puts a thing on top of it."""

        def inner():
            """Nobody outside can ever call this."""

    __doc__ += "A text that is put together is no docstring."

    def _grow(self):
        """Makes room for twice the things."""

class _Hidden:
    def method(self):
        """A method of a private class here."""

class Queue:
    __doc__ = """Assigned to the name, which is no docstring."""

    values = [lambda: """No lambda has a docstring of its own."""]

try:
    @decorated
    async def fetch():
        r"""Fetches the next \\d thing, without waiting."""
except ImportError:
    def fallback():
        """Does the same, but by hand."""

if True:
    def short():
        """Four words, no more."""

def silent():
    return 1
'''


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "stack.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def test_first_paragraphs_of_what_is_public_are_read_with_their_lines(library: Path) -> None:
    assert read_docstrings("stacks", library, "stack.py") == [
        Docstring("stacks", "stack.py", 3, "A stack of things that one can push."),
        Docstring("stacks", "stack.py", 10, "Puts a thing on top of it."),
        Docstring("stacks", "stack.py", 31, r"Fetches the next \d thing, without waiting."),
        Docstring("stacks", "stack.py", 35, "Does the same, but by hand."),
    ]


@pytest.mark.parametrize(
    ("docstring", "paragraph"),
    [
        ("One line.", "One line."),
        ("\n\n   Begins late.\n   Goes on.\n\nEnds.", "Begins late. Goes on."),
        ("A line of blanks\n    \nends it.", "A line of blanks"),
        ("", ""),
    ],
)
def test_a_first_paragraph_ends_at_the_first_blank_line(docstring: str, paragraph: str) -> None:
    assert first_paragraph(docstring) == paragraph


@pytest.mark.parametrize(
    "source",
    [
        b'def f(:\n    """This is not Python at all."""',
        b'def f():\n    """Caf\xe9 in an encoding not declared."""',
        b'def f():\n    """A zero byte is \0 no source."""',
        b"def f():\n    'Single quotes are no docstring of PEP 257.'",
        b"",
    ],
)
def test_a_file_that_cannot_be_read_as_source_has_no_docstrings(tmp_path: Path, source: bytes) -> None:
    (tmp_path / "bad.py").write_bytes(source)
    assert read_docstrings("bad", tmp_path, "bad.py") == []


def test_a_declared_encoding_is_followed(tmp_path: Path) -> None:
    source = '# coding: latin-1\ndef f():\n    """Orders a café without any sugar."""'
    (tmp_path / "old.py").write_text(source, encoding="latin-1")
    assert [one.text for one in read_docstrings("old", tmp_path, "old.py")] == [
        "Orders a café without any sugar."
    ]


def test_warnings_about_foreign_source_do_not_escape(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('def f():\n    """An invalid \\d escape in here."""\n    return 1 is 1\n')
    assert len(read_docstrings("a", tmp_path, "a.py")) == 1


def test_a_module_is_read_as_its_source_is_now_and_nothing_is_written(library: Path) -> None:
    cached = Path(compile_module(str(library / "stack.py"), doraise=True) or "")
    os.utime(cached, (0, 0))
    assert len(read_docstrings("stacks", library, "stack.py")) == 4
    assert cached.stat().st_mtime == 0
    (library / "stack.py").write_text('def pop():\n    """Takes the thing on top away."""')
    assert [one.text for one in read_docstrings("stacks", library, "stack.py")] == [
        "Takes the thing on top away."
    ]
    assert cached.stat().st_mtime == 0
    cached.unlink()
    assert len(read_docstrings("stacks", library, "stack.py")) == 1
    assert not cached.exists()


@pytest.mark.parametrize("kept", [b"", b"no code at all", None])
def test_a_module_whose_compiled_form_is_damaged_is_compiled(library: Path, kept: bytes | None) -> None:
    cached = Path(compile_module(str(library / "stack.py"), doraise=True) or "")
    cached.write_bytes(cached.read_bytes()[:-20] if kept is None else cached.read_bytes()[:16] + kept)
    assert len(read_docstrings("stacks", library, "stack.py")) == 4


def test_an_optimizing_python_reads_them_too(library: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pipeline.corpus.docstring_corpus import read_docstrings\n"
        "sys.exit(len(read_docstrings('stacks', Path(sys.argv[1]), 'stack.py')))"
    )
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-OO", "-c", code, str(library)]
    assert subprocess.run(command, cwd=root, check=False).returncode == 4


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with Python 3.12")
def test_what_has_type_parameters_is_read(tmp_path: Path) -> None:
    source = 'class C[T]:\n    def f[S](self):\n        """Has a type parameter of its own."""'
    (tmp_path / "generic.py").write_text(source)
    assert [one.line for one in read_docstrings("any", tmp_path, "generic.py")] == [2]


def test_tests_and_vendored_code_are_left_out(tmp_path: Path) -> None:
    kept = ["a.py", "deep/er/b.py", "latest.py", "unittest/c.py"]
    left = ["tests/d.py", "test_e.py", "f_test.py", "conftest.py", "_vendor/g.py", "op_tests/h.py", "i.txt"]
    for name in [*kept, *left]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(source_files("any", tmp_path)) == kept


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Converts a tf.Tensor to np.ndarray.", "Converts a LIBRARY.Tensor to LIBRARY.ndarray."),
        ("A tf.keras.Model for TensorFlow", "A LIBRARY.Model for LIBRARY"),
        ("See `scikit-learn` and SQLAlchemy's docs", "See `LIBRARY` and LIBRARY's docs"),
        ("An MlflowClient, a numpy_array, tf_fn", "An LIBRARYClient, a LIBRARY_array, LIBRARY_fn"),
        ("Input and npz, shtf, pythonic, update", "Input and npz, shtf, pythonic, update"),
    ],
)
def test_own_names_are_masked_by_one_mask(text: str, expected: str) -> None:
    assert mask_names(text) == expected


@pytest.mark.parametrize("label", LIBRARIES)
def test_every_library_is_installed_and_its_label_is_masked(label: str) -> None:
    assert any(library_root(label).rglob("*.py"))
    assert mask_names(label) == MASK


def test_a_text_is_kept_once_and_dropped_where_libraries_share_it() -> None:
    found = [
        Docstring("b", "x.py", 1, "Said by  A and b"),
        Docstring("a", "x.py", 9, "said by a and B"),
        Docstring("a", "y.py", 3, "said twice by a"),
        Docstring("a", "x.py", 10, "Said twice by a"),
        Docstring("a", "z.py", 1, "said by a and b"),
    ]
    assert drop_repeated(found) == [found[3]]


def test_a_missing_library_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(InputError, match=r"no library `no_such_library` in .*install"):
        library_root("no_such_library")


def test_finding_a_library_does_not_import_it() -> None:
    code = "import sys; from pipeline.corpus.docstring_corpus import *\n"
    code += "[library_root(name) for name in LIBRARIES]\n"
    code += "sys.exit(bool({'tensorflow', 'keras', 'mlflow', 'sklearn'} & set(sys.modules)))"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=root, check=False).returncode == 0


def test_a_real_library_is_read_in_order() -> None:
    roots = {name: library_root(name) for name in ("gensim", "tqdm")}
    corpus = drop_repeated(collect(roots))
    assert {one.label for one in corpus} == {"gensim", "tqdm"}
    assert len(corpus) > 500
    assert corpus == sorted(corpus)
    assert all(len(one.text.split()) >= MINIMUM_WORDS for one in corpus)
    first = corpus[0]
    lines = (roots[first.label] / first.file).read_text(encoding="utf-8").splitlines()
    assert re.match(r"\s*(@|(async )?def |class )", lines[first.line - 1])


def test_compiled_modules_have_the_docstrings_of_their_syntax_trees() -> None:
    root = library_root("gensim")
    files = sorted(source_files("gensim", root))
    read = [one.text for file in files for one in read_docstrings("gensim", root, file)]
    assert sorted(read) == sorted(
        text
        for file in files
        for text in map(mask_names, map(first_paragraph, _documented(ast.parse((root / file).read_bytes()))))
        if len(text.split()) >= MINIMUM_WORDS
    )


def _documented(tree: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if not child.name.startswith("_"):
                yield ast.get_docstring(child) or ""
                if isinstance(child, ast.ClassDef):
                    yield from _documented(child)
        elif isinstance(child, ast.stmt | ast.ExceptHandler):
            yield from _documented(child)
