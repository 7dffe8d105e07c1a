"""The files that services and other programs read agree with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def read_yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def test_every_python_that_is_allowed_is_tested_on_linux() -> None:
    matrix = read_yaml(".github/workflows/test.yml")["jobs"]["test"]["strategy"]["matrix"]["include"]
    first, last = re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"])
    allowed = [f"3.{minor}" for minor in range(int(first), int(last))]
    assert [run["python"] for run in matrix if run["os"].startswith("ubuntu")] == allowed


def test_a_hook_runs_a_program_of_the_development_environment() -> None:
    (repository,) = read_yaml(".pre-commit-config.yaml")["repos"]
    programs = {Path(hook["entry"].split()[0]) for hook in repository["hooks"]}
    installed = {re.split(r"[^\w-]", name)[0] for name in PROJECT["project"]["optional-dependencies"]["dev"]}
    assert {str(path.parent) for path in programs} == {".venv/bin"}
    assert {path.name for path in programs} <= installed


def test_the_citation_names_the_software_and_its_licence() -> None:
    citation = read_yaml("CITATION.cff")
    assert {"cff-version", "message", "authors"} <= citation.keys()
    assert (citation["title"], citation["license"]) == (
        PROJECT["project"]["name"], PROJECT["project"]["license"],
    )  # fmt: skip


def test_every_room_is_a_package_of_the_wheel() -> None:
    rooms = {path.parent.name for path in (ROOT / "pipeline").glob("*/__init__.py")}
    packages = set(PROJECT["tool"]["setuptools"]["packages"])
    conf = {name for name in packages if name.startswith("convtext.conf.")}
    assert packages - conf == {"convtext"} | {f"convtext.{room}" for room in rooms}
