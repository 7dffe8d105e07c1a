"""The wheel, and the program where nothing but the wheel is installed."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from packaging.requirements import Requirement

import pipeline
from tests.prediction.model_folders import save_text_model

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
ROOT = Path(__file__).resolve().parents[1]
KERNELS = "convtext/prebuilt/kernels.so"
SMALL = "embed.dimensions=16 network.filters=8 train.epochs=2"
# Fails each Python process that opens, lists or makes a file in the checkout.
GUARD = """
import sys

def refuse(event, arguments):
    if event in ("open", "os.listdir", "os.scandir", "os.mkdir") and str(arguments[0]).startswith({root!r}):
        if not str(arguments[0]).startswith({environment!r}):
            raise RuntimeError(f"{{event}}: {{arguments[0]}} is in the checkout")

sys.addaudithook(refuse)
"""

# Fails the import of all that is installed here but is not of these packages and modules.
HIDE = """
import sys


class Hidden:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if "." not in name and top in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{top!r}}", name=top)


sys.meta_path.insert(0, Hidden())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, as setuptools leaves its folders in the source's."""
    source, output = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    _copy_source(source)
    return _build(source, output)[0]


def _copy_source(source: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source)
    for name in ("pipeline", "conf"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))


def _build(source: Path, output: Path, **settings: str) -> tuple[Path, str]:
    """Return the wheel, and what the build said."""
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(output)!r})"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", build],
        cwd=source, env=os.environ | settings, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (path,) = output.iterdir()
    return path, done.stdout + done.stderr


def test_the_wheel_has_every_file_of_the_package_and_of_conf(wheel: Path) -> None:
    def files(folder: Path) -> set[str]:
        paths = [path.relative_to(folder) for path in folder.rglob("[!.]*") if path.is_file()]
        return {path.as_posix() for path in paths if "__pycache__" not in path.parts}

    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        (script,) = (name for name in packed if name.endswith(".data/scripts/convtext_label.py"))
        assert archive.read(script) == (ROOT / "pipeline" / "spark" / "convtext_label.py").read_bytes()
    package = {f"convtext/{name}" for name in files(ROOT / "pipeline")} | {KERNELS}
    conf = {f"convtext/conf/{name}" for name in files(ROOT / "conf")}
    assert packed == package | conf | {script}
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name == f"convtext-{pipeline.__version__}-py3-none-{platform}.whl"


def test_without_a_c_compiler_the_wheel_is_of_every_platform_and_has_no_kernels(tmp_path: Path) -> None:
    source, output = tmp_path / "source", tmp_path / "wheel"
    for folder in (source, output):
        folder.mkdir()
    _copy_source(source)
    shutil.rmtree(source / "pipeline" / "prebuilt", ignore_errors=True)
    wheel, said = _build(source, output, CC="no-compiler")
    assert wheel.name == f"convtext-{pipeline.__version__}-py3-none-any.whl"
    assert "the kernels are not compiled (is there a C compiler?): convtext will need numba" in said
    with zipfile.ZipFile(wheel) as archive:
        assert KERNELS not in archive.namelist() and "convtext/__main__.py" in archive.namelist()


class Installed:
    """An environment with the wheel, and with what is installed here, and an empty folder to work in."""

    def __init__(self, wheel: Path, environment: Path, home: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        self.scripts, self.home = environment / "bin", home
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps"]
        subprocess.run([*install, "--python", self.scripts / "python", wheel], check=True)
        (packages,) = environment.glob("lib/python3*/site-packages")
        self.package = packages / "convtext"
        here = Path(sysconfig.get_path("purelib"))
        (packages / "dependencies.pth").write_text(f"{here}\nimport checkout_guard\n")
        guard = GUARD.format(root=str(ROOT), environment=str(Path(sys.prefix)))
        (packages / "checkout_guard.py").write_text(guard)

    def run(self, program: str, *arguments: str) -> str:
        """Return what a program of the environment prints."""
        done = self.ask(program, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the empty folder."""
        ours = ("PYTHONPATH", "CONVTEXT_DATA", "MLFLOW_TRACKING_URI", "VIRTUAL_ENV")
        environment = {name: value for name, value in os.environ.items() if name not in ours}
        return subprocess.run(
            [self.scripts / program, *arguments],
            cwd=self.home, env=environment, capture_output=True, text=True, timeout=600,
        )  # fmt: skip


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(wheel, tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("home"))


def test_the_package_is_imported_by_its_name_and_says_its_version(installed: Installed) -> None:
    code = "import convtext; print(convtext.__version__, convtext.__file__)"
    version, file = installed.run("python", "-c", code).split()
    assert (version, Path(file).parent) == (pipeline.__version__, installed.package)


def test_the_command_calls_itself_convtext(installed: Installed) -> None:
    text = installed.run("convtext", "--help")
    assert "convtext" in text and "pipeline" not in text


@pytest.mark.slow
def test_a_csv_is_trained_on_and_labelled_without_the_checkout(installed: Installed) -> None:
    words = ["lovely", "awful"]
    rows = {"review": [f"a {words[n % 2]} film number {n}" for n in range(200)]}
    rows["stars"] = ["51"[n % 2] for n in range(200)]
    pd.DataFrame(rows).to_csv(installed.home / "reviews.csv", index=False)

    folder = installed.run(
        "convtext", "train", "CORPUS=reviews.csv", "TEXT=review", "LABEL=stars", f"SET={SMALL}"
    )
    run = installed.home / folder.split()[-1]
    assert run.is_relative_to(installed.home / "data" / "build") and (run / "report.html").exists()

    installed.run("convtext", "predict", "CORPUS=reviews.csv", "INPUT=reviews.csv", "OUTPUT=labelled.csv")
    labelled = pd.read_csv(installed.home / "labelled.csv")
    assert (labelled["predicted_label"] == labelled["stars"]).all()

    (code,) = installed.home.glob("data/tracking/artifacts/**/code")
    assert [path.name for path in code.iterdir()] == ["convtext"]
    assert {path.name for path in installed.home.iterdir()} == {"data", "reviews.csv", "labelled.csv"}


@pytest.mark.slow
def test_the_example_notebook_runs_without_the_checkout(installed: Installed) -> None:
    shutil.copy2(ROOT / "tests" / "examples" / "own_texts.ipynb", installed.home)
    before = {*installed.home.iterdir()}
    run = """
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read("own_texts.ipynb", 4)
NotebookClient(notebook, timeout=500).execute()
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        print(output.get("text") or output.get("data", {}).get("text/plain", ""))
"""
    printed = installed.run("python", "-W", "ignore", "-c", run)
    assert "p = " in printed and "adds to the logit" in printed and " ± " in printed
    assert "validation rows: logits within" in printed
    assert {*installed.home.iterdir()} == before  # in memory: no files, no Make


class BaseInstalled(Installed):
    """An environment in which only the dependencies of the wheel itself can be imported, and no extra's."""

    def __init__(self, wheel: Path, environment: Path, home: Path) -> None:
        super().__init__(wheel, environment, home)
        base, waiting = set[str](), [canonical(name) for name in requires(wheel)]
        while waiting:
            name = waiting.pop()
            if name not in base:
                base.add(name)
                waiting += map(canonical, needs(importlib.metadata.requires(name) or []))
        tops = importlib.metadata.packages_distributions()
        hidden = {top for top, owners in tops.items() if not base & {*map(canonical, owners)}}
        (self.package.parent / "hidden_extras.py").write_text(HIDE.format(hidden=hidden - {"convtext"}))
        (self.package.parent / "hidden.pth").write_text("import hidden_extras\n")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needs(requirements: list[str]) -> list[str]:
    """Return the names of those that are no extra's and that this machine needs."""
    parsed = [Requirement(line) for line in requirements]
    return [one.name for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})]


def requires(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = archive.read(name).decode()
    return needs(re.findall(r"^Requires-Dist: (.*)$", metadata, re.M))


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> BaseInstalled:
    installed = BaseInstalled(wheel, tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("home"))
    save_text_model(installed.home / "model")
    return installed


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "xlsx"])
def test_tables_of_all_forms_are_labelled_without_any_extra(form: str, base: BaseInstalled) -> None:
    rows = pd.DataFrame({"review": ["w2 w3 w9", "w9 w9 w9 w4", "zzz w5"]})
    path = base.home / f"new.{form}"
    {
        "csv": lambda: rows.to_csv(path, index=False),
        "jsonl": lambda: rows.to_json(path, orient="records", lines=True),
        "parquet": lambda: rows.to_parquet(path),
        "xlsx": lambda: rows.to_excel(path, index=False),
    }[form]()
    said = base.run("convtext", "predict", f"INPUT={path}", "MODEL=model")
    assert "3 rows labelled" in said


@pytest.mark.parametrize("word", ["PROBABILITIES=1", "EVIDENCE=1", "SHARES=1", "TOP=2", "ABSTAIN=0.5"])
def test_all_columns_are_given_without_any_extra(word: str, base: BaseInstalled) -> None:
    (base.home / "new.csv").write_text("review\nw2 w3 w9\nzzz w5\n\n")
    assert "rows labelled" in base.run(
        "convtext", "predict", "INPUT=new.csv", "MODEL=model", word, "OUTPUT=out.parquet"
    )


def test_a_text_is_labelled_in_python_without_any_extra(base: BaseInstalled) -> None:
    code = """
from convtext import Classifier
print(*Classifier.load("model").predict(["w2 w3"])[0])
"""
    assert base.run("python", "-c", code).strip() in ("bad", "fair", "good")


def test_what_needs_an_extra_names_it(base: BaseInstalled) -> None:
    for program, *arguments in (
        ["convtext", "train"],
        ["convtext", "dashboard"],
        ["convtext", "export"],
        ["python", "-c", "from convtext import ConvtextClassifier"],
    ):
        done = base.ask(program, *arguments)
        assert done.returncode in (1, 2) and "pip install '.[train]'" in done.stderr, done.stderr
        assert program == "python" or ("Traceback" not in done.stderr and done.returncode == 2), done.stderr
