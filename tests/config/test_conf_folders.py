from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.conf_folders import ConfFolder, conf_folder, shown_path


def write(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("")
    return folder


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Where an installed package would lie."""
    write(tmp_path / "site-packages/convtext/conf/models", "plain.yaml", "shared.yaml")
    return tmp_path / "site-packages/convtext"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory."""
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


def test_a_file_of_the_current_directory_goes_before_the_packages(home: Path, package: Path) -> None:
    models = conf_folder("models", None, package)
    assert models.names() == ["plain", "shared"]
    write(home / "conf/models", "shared.yaml", "mine.yaml")
    assert models.names() == ["mine", "plain", "shared"]
    assert models.find("shared") == Path("conf/models/shared.yaml")
    assert models.find("plain") == package / "conf/models/plain.yaml"
    assert models.find("none") is None


def test_a_new_file_is_the_checkouts_or_else_the_current_directorys(tmp_path: Path, package: Path) -> None:
    assert conf_folder("models", None, package).new_file("new") == Path("conf/models/new.yaml")
    checkout = tmp_path / "checkout"
    models = conf_folder("models", checkout, package)
    assert models.new_file("new") == checkout / "conf/models/new.yaml"
    assert models.names() == []  # a checkout's package has no conf of its own


def test_a_half_written_file_is_not_named(tmp_path: Path) -> None:
    write(tmp_path, ".new.yaml", "notes.txt", "whole.yaml")
    assert ConfFolder(tmp_path, new_files=tmp_path).names() == ["whole"]


def test_messages_name_a_file_by_its_place_in_conf(package: Path) -> None:
    assert shown_path(package / "conf/models/plain.yaml") == Path("conf/models/plain.yaml")
    assert shown_path(Path("elsewhere/mine.yaml")) == Path("elsewhere/mine.yaml")
