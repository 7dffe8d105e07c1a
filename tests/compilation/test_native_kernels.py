"""Kernels that are compiled ahead of time, beside the same ones that numba compiles."""

from __future__ import annotations

import ast
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from pipeline.artifacts import RunFolder
from pipeline.compilation import build_kernels, native_kernels
from pipeline.compilation.kernel import Kernel
from pipeline.config import loading
from pipeline.delimited.kernels import find_marks
from pipeline.linear.kernels import hash_table, ngram_keys
from tests.prediction.model_folders import save_text_model

ROOT = Path(__file__).resolve().parents[2]
# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
TESTS_OF_KERNELS = (
    "delimited",
    "folding",
    "linear",
    "measures/test_softmax.py",
    "networks/test_convolution_kernels.py",
    "networks/test_lazy_optimizers.py",
    "networks/test_token_convolution.py",
    "prediction/test_evidence.py",
    "tables",
    "text",
)


@pytest.fixture(scope="module", autouse=True)
def library() -> None:
    """The checkout's, which is built here if it is not there, or of other sources."""
    if not shutil.which(os.environ.get("CC", "cc")):
        pytest.skip("there is no C compiler")
    build_kernels.build()
    native_kernels._library.cache_clear()


def native(kernel: object) -> native_kernels.NativeKernel:
    assert isinstance(kernel, Kernel)
    (only,) = native_kernels.native_kernels(kernel.key)
    return only


def python(*arguments: str, cwd: Path = ROOT, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=os.environ | settings, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("level", build_kernels.PROCESSORS)
def test_every_kernel_gives_the_bits_of_numba_on_the_same_processor(level: int, tmp_path: Path) -> None:
    if level > native_kernels._library()[0].processor_level():
        pytest.skip("this processor does not have that level")
    settings = {
        "LEVEL": str(level),
        "COMPARED": str(tmp_path / "compared.json"),
        "NUMBA_CPU_NAME": build_kernels.PROCESSORS[level],
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
    }
    paths = [f"tests/{name}" for name in TESTS_OF_KERNELS]
    options = ["-p", "tests.compilation.both_ways", "--numprocesses=0", "-m", "not slow", "-q"]
    done = python("-m", "pytest", *options, *paths, **settings)
    assert done.returncode == 0, done.stdout
    compared = json.loads((tmp_path / "compared.json").read_text())
    assert compared == sorted(native_kernels.contents()["levels"][str(level)])


def test_a_csv_is_labelled_without_numba_and_what_else_it_does_not_need(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVTEXT_DATA", str(tmp_path))
        save_text_model(RunFolder(loading.run_folder("new.csv", "convtext")).model)
    (tmp_path / "new.csv").write_text("review\nw2 w3 w9\nw9 zzz\n")
    absent = ("llvmlite", "numba", "pandas", "pyarrow", "scipy", "sklearn", "tensorflow", "tqdm", "yaml")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({absent}))\n"  # importing one is an error
        "from pipeline.__main__ import main\n"
        "sys.exit(main(['predict', 'CORPUS=new.csv', *sys.argv[1:]]))"
    )
    words = [
        f"INPUT={tmp_path / 'new.csv'}",
        f"OUTPUT={tmp_path / 'out.csv'}",
        "PROBABILITIES=1",
        "EVIDENCE=1",
    ]
    done = python("-c", code, *words, CONVTEXT_DATA=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.csv").read_text().count("\n") == 3


def test_without_library_and_numba_a_kernel_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from pipeline.compilation import native_kernels\n"
        "native_kernels._library = lambda: (None, {})\n"
        "from pipeline.linear.kernels import hash_table\n"
        "import numpy; hash_table(numpy.arange(3))"
    )
    done = python("-c", code)
    assert done.stderr.splitlines()[-1].endswith("not installed: pip install '.[train]'")


def test_arguments_of_other_types_are_left_to_numba() -> None:
    content, comma, quote = np.frombuffer(b'a,"b"\n', np.uint8), np.uint8(44), np.uint8(34)
    kernel = native(find_marks)
    fitting = kernel.unpack((content, comma, quote))
    assert fitting is not None and kernel.call(fitting).tolist() == [1, 2, 4, 5]
    for other in (content.astype(np.int8), content[::2], content[None], content.tobytes()):
        assert kernel.unpack((other, comma, quote)) is None
    assert kernel.unpack((content, 44, quote)) is None  # an int is an int64
    assert kernel.unpack((content, comma)) is None
    keys = np.array([7, 9])
    assert native(hash_table).unpack((keys.astype(">i8"),)) is None
    np.testing.assert_array_equal(hash_table(keys.astype(np.int32)), hash_table(keys))  # the first by numba


def test_an_array_keeps_its_memory_and_gives_it_back() -> None:
    data = np.zeros(1_000_000, np.uint8)
    marks = [find_marks(data + number, np.uint8(1), np.uint8(2)) for number in range(3)]
    assert [len(found) for found in marks] == [0, 1_000_000, 1_000_000]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100):  # of 8 MB each
        find_marks(data + 1, np.uint8(1), np.uint8(2))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000_000 / (1 if sys.platform == "darwin" else 1024)
    np.testing.assert_array_equal(marks[1], np.arange(1_000_000))


def test_threads_get_their_own_results() -> None:
    data = [np.full(size, 1, np.uint8) for size in range(1, 200)]
    found = {}

    def find(size: int) -> None:
        found[size] = [len(find_marks(each, np.uint8(1), np.uint8(2))) for each in data[:size]]

    threads = [Thread(target=find, args=(size,)) for size in range(190, 199)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {size: [*range(1, size + 1)] for size in range(190, 199)}


def test_what_does_not_fit_into_the_memory_is_a_memory_error() -> None:
    with pytest.raises(MemoryError):
        ngram_keys(np.zeros(0, np.int32), np.array([0, 2**46]))


def test_a_number_that_is_too_large_is_an_error() -> None:
    content = np.frombuffer(b"a,b\n", np.uint8)
    from pipeline.delimited.scanner import Rules, scan_marks

    rules = Rules(np.uint8(44), np.uint8(34), 2, 0, 0, 0, 9, 99, True)
    with pytest.raises(OverflowError):
        scan_marks(content, np.array([1, 3]), tuple(rules), (2**64, 0, False), 9)


def test_a_library_of_other_sources_is_not_used(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "from pipeline.compilation.native_kernels import native_kernels\n"
        "print(len(native_kernels('linear.kernels.hash_table')))"
    )
    assert python("-c", code, cwd=tmp_path).stdout == "1\n"
    with (tmp_path / "pipeline" / "linear" / "kernels.py").open("a") as file:
        file.write("\n# edited\n")
    assert python("-c", code, cwd=tmp_path).stdout == "0\n"
    (tmp_path / "pipeline" / "prebuilt" / "kernels.so").write_bytes(b"no library")
    assert python("-c", code, cwd=tmp_path).stdout == "0\n"


def test_the_digest_is_over_all_that_is_compiled_in() -> None:
    """A kernel's module may import types, kernels and constants: of all but the first, the values count."""
    package = ROOT / "pipeline"
    compiled = {path for path in package.rglob("*.py") if "@prebuilt_kernel(" in path.read_text("utf-8")}
    digested = {package.joinpath(*name.split(".")).with_suffix(".py") for name in native_kernels.SOURCES}
    assert compiled <= digested
    for path in compiled:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level and node.module != "arrays":
                imported = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
                assert imported.with_suffix(".py") in digested, (path, node.module)
