"""A cluster, whose workers of Python have nothing but what prediction needs, and a session on it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.spark.cluster import Cluster

HIDDEN = ("gensim", "keras", "matplotlib", "mlflow", "numba", "optuna", "scipy", "sklearn", "tensorflow")
HIDE = f"""
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name in {HIDDEN!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
"""


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("pyspark", reason="Spark is installed by `make test-all` alone")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none on PATH")
    from tests.spark.cluster import standalone_cluster

    folder = tmp_path_factory.mktemp("spark")
    (folder / "sitecustomize.py").write_text(HIDE)
    with standalone_cluster(folder) as started:
        yield replace(started, settings={**started.settings, "spark.executorEnv.PYTHONPATH": str(folder)})


@pytest.fixture(scope="session")
def spark(cluster: Cluster) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(cluster.master).appName("tests")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)  # spark-submit alone reads spark.pyspark.python
        session = builder.config(map={**cluster.settings}).getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small classifier of texts, called as that of a run."""
    from tests.prediction.model_folders import save_text_model  # here, for TensorFlow

    folder = tmp_path_factory.mktemp("run") / "model"
    save_text_model(folder)
    return folder
