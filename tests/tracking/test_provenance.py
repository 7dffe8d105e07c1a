from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pipeline import __version__
from pipeline.options import File, Source
from pipeline.tracking import provenance
from pipeline.tracking.provenance import data_sets, environment, usage

ROWS = {"train": 8, "validation": 1, "test": 2}


def test_a_run_is_tagged_with_versions_and_machine() -> None:
    tags = environment()
    assert {"version.python", "version.keras", "version.mlflow", "version.numba", "platform"} <= set(tags)
    assert all(isinstance(value, str) and value for value in tags.values())
    assert tags["version.convtext"] == __version__
    assert tags.get("git.dirty", "no") in ("yes", "no")


def test_an_installed_program_takes_no_commit_from_the_repository_around_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    git = ["git", "-C", str(tmp_path)]
    author = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, *author, "commit", "--quiet", "--allow-empty", "--message", "Begin"], check=True)
    (tmp_path / "convtext").mkdir()
    found = {}
    for root in (tmp_path, tmp_path / "convtext", None):
        monkeypatch.setattr(provenance, "CHECKOUT", root)
        found[root] = provenance.checkout()
    assert len(found[tmp_path]["commit"]) == 40 and found[tmp_path]["dirty"] == "no"
    assert found[tmp_path / "convtext"] == found[None] == {"commit": "", "dirty": ""}


def test_usage_is_that_of_this_process() -> None:
    used = usage()
    assert 10 < used["system/peak_memory_megabytes"] < 100_000
    assert 0 < used["system/processor_seconds"] < 100_000


def test_each_part_is_a_data_set_with_its_rows_and_a_digest_that_changes_with_the_file(
    tmp_path: Path,
) -> None:
    rows = tmp_path / "rows.parquet"
    rows.write_bytes(b"one")
    source = Source(train=File(path="reviews.csv"))
    first = data_sets("reviews", source, [rows], ROWS)
    assert [data_set["context"] for data_set in first] == ["training", "validation", "test"]
    assert [json.loads(data_set["profile"])["num_rows"] for data_set in first] == [8, 1, 2]
    assert json.loads(first[0]["source"]) == {"uri": "reviews.csv"}
    assert [column["name"] for column in json.loads(first[0]["schema"])["mlflow_colspec"]] == [
        "text",
        "label",
    ]
    assert len({data_set["digest"] for data_set in first}) == 3
    assert data_sets("reviews", source, [rows], ROWS) == first
    rows.write_bytes(b"two")
    changed = data_sets("reviews", source, [rows], ROWS)
    assert not {data_set["digest"] for data_set in first} & {data_set["digest"] for data_set in changed}


def test_a_download_is_recorded_by_its_address() -> None:
    source = Source(address="https://example.org/files/", train=File(path="a.txt"), format="lines")
    (data_set,) = data_sets("questions", source, [], {"train": 3})
    assert (data_set["source_type"], data_set["source"]) == (
        "http",
        '{"url": "https://example.org/files/a.txt"}',
    )
