"""The wheel, and the program where nothing but the wheel is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import pipeline

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
    package = {f"convtext/{name}" for name in files(ROOT / "pipeline")} | {KERNELS}
    conf = {f"convtext/conf/{name}" for name in files(ROOT / "conf")}
    assert packed == package | conf
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
        ours = ("PYTHONPATH", "CONVTEXT_DATA", "MLFLOW_TRACKING_URI", "VIRTUAL_ENV")
        environment = {name: value for name, value in os.environ.items() if name not in ours}
        done = subprocess.run(
            [self.scripts / program, *arguments],
            cwd=self.home, env=environment, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


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
