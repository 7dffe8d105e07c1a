"""Names and artifacts after the data folder was moved or copied."""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.config.names import file_name
from pipeline.environment.moved_data import (
    first_place,
    lasting_path,
    mend_store,
    record_first_place,
)

TABLES = """
create table experiments (name text, artifact_location text);
create table runs (artifact_uri text);
create table logged_models (artifact_location text);
create table model_versions (source text, storage_location text);
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which data/ is used for the first time, by a command that runs in it."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv("CONVTEXT_DATA", str(folder / "data"))
    record_first_place()
    return folder


def write_store(data: Path, *runs: str) -> None:
    """Write what of MLflow's database says where artifacts are; a run's folder is given by its place."""
    location = (data / "tracking" / "artifacts").as_uri()
    with closing(sqlite3.connect(data / "tracking" / "mlflow.db")) as store, store:
        store.executescript(TABLES)
        store.execute("insert into experiments values ('convtext', ?)", (location,))
        store.execute("insert into experiments values ('Default', 'file:///elsewhere')")
        for run in runs:
            store.execute("insert into runs values (?)", (f"{location}/{run}/artifacts",))
        store.execute("insert into logged_models values (?)", (f"{location}/models/m-1/artifacts",))
        source = f"{location}/models/m-1/artifacts"
        store.execute("insert into model_versions values (?, ?)", (source, source))


def locations(data: Path) -> list[str]:
    columns = ("experiments.artifact_location", "runs.artifact_uri", "logged_models.artifact_location",
               "model_versions.source", "model_versions.storage_location")  # fmt: skip
    with closing(sqlite3.connect(data / "tracking" / "mlflow.db")) as store:
        return [
            row[0] for name in columns
            for row in store.execute(f"select {name} from {name.partition('.')[0]} order by rowid")
        ]  # fmt: skip


def test_a_file_beside_the_data_keeps_its_path_and_name_when_the_project_is_moved(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, outside = project / "sub" / "reviews.csv", tmp_path / "reviews.csv"
    before = file_name(inside), file_name(outside)
    moved = project.rename(tmp_path / "moved")
    monkeypatch.setenv("CONVTEXT_DATA", str(moved / "data"))
    assert lasting_path(moved / "sub" / "reviews.csv") == inside and lasting_path(outside) == outside
    assert (file_name(moved / "sub" / "reviews.csv"), file_name(outside)) == before
    record_first_place()  # of a second time nothing is kept
    assert first_place() == project / "data"


def test_a_file_keeps_its_name_when_the_data_alone_are_moved_even_above_it(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file_name(project / "reviews.csv")
    (project / "data" / "build" / before).mkdir(parents=True)
    (project / "data").rename(tmp_path / "data")
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))
    assert file_name(project / "reviews.csv") == before


def test_two_files_of_one_name_have_two_names(project: Path) -> None:
    assert file_name(project / "a" / "train.csv") != file_name(project / "b" / "train.csv")
    assert file_name(project / "a" / "Train.csv").startswith("train-")


def test_the_place_of_an_earlier_versions_data_is_that_of_its_store(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "data" / "tracking" / "first_place").unlink()
    write_store(project / "data")
    moved = project.rename(tmp_path / "it's moved?")
    monkeypatch.setenv("CONVTEXT_DATA", str(moved / "data"))
    assert first_place() == project / "data"


@pytest.mark.parametrize("elsewhere", ["s3://bucket/tracking/artifacts", "./mlruns/1", "file:///mnt/runs"])
def test_a_store_that_keeps_artifacts_in_a_place_of_its_users_stays_as_it_is(
    project: Path, elsewhere: str
) -> None:
    write_store(project / "data", "1")
    with closing(sqlite3.connect(project / "data" / "tracking" / "mlflow.db")) as store, store:
        store.execute("update experiments set artifact_location = ? where name = 'convtext'", (elsewhere,))
    before = locations(project / "data")
    mend_store()
    assert locations(project / "data") == before and before[0] == elsewhere


def test_artifacts_are_found_where_they_were_moved_to(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_store(project / "data", "1", "2")
    (project / "data" / "tracking" / "artifacts" / "1" / "artifacts").mkdir(parents=True)
    moved = project.rename(tmp_path / "moved to é %20 #")
    monkeypatch.setenv("CONVTEXT_DATA", str(moved / "data"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: mend_store(), range(8)))
    here = (moved / "data" / "tracking" / "artifacts").as_uri()
    model = f"{here}/models/m-1/artifacts"
    expected = [here, "file:///elsewhere", f"{here}/1/artifacts", f"{here}/2/artifacts", *[model] * 3]
    assert locations(moved / "data") == expected
    assert not project.exists()


def test_a_copy_keeps_what_an_earlier_version_wrote_into_the_original(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_store(project / "data", "1", "2")
    (project / "data" / "tracking" / "artifacts" / "1" / "artifacts").mkdir(parents=True)
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    # As a run of the copy was stored then: in the original's folder.
    (project / "data" / "tracking" / "artifacts" / "2" / "artifacts").mkdir(parents=True)
    before = (project / "data" / "tracking" / "mlflow.db").read_bytes()
    monkeypatch.setenv("CONVTEXT_DATA", str(copy / "data"))
    mend_store()
    here, there = ((folder / "data" / "tracking" / "artifacts").as_uri() for folder in (copy, project))
    assert locations(copy / "data")[:4] == [
        here, "file:///elsewhere", f"{here}/1/artifacts", f"{there}/2/artifacts"
    ]  # fmt: skip
    assert (project / "data" / "tracking" / "mlflow.db").read_bytes() == before


def test_a_store_that_is_not_this_programs_stays_as_it_is(project: Path) -> None:
    write_store(project / "data", "1")
    with closing(sqlite3.connect(project / "data" / "tracking" / "mlflow.db")) as store, store:
        store.execute("delete from experiments")
    before = locations(project / "data")
    mend_store()
    assert locations(project / "data") == before
