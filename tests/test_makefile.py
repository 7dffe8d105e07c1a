"""Whatever make's command line gives reaches the program as it is: nothing in it is expanded or run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.config.words import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
LOCK = "requirements.lock"
# In place of Python: shows the words that it is given, and the environment.
SHOW = """#!/usr/bin/env python3
import json, os, sys
print(json.dumps([sys.argv[4:], dict(os.environ)]))
"""
NAMES = sorted({word.name for command in COMMANDS.values() for word in command.words})
FRAGMENTS = (
    "$(shell touch canary)",
    "${shell touch canary}",
    "`touch canary`",
    '"; touch canary; "',
    "'; touch canary; '",
    "$(eval override MODEL := canary)",
    "$(INPUT)",
    "$$(touch canary)",
    "\ntouch canary\n",
    "\\\n",
    "-n",
    "--eval=$(shell touch canary)",
)
TEXTS = st.lists(
    st.sampled_from(FRAGMENTS) | st.text("$(){}'\"`\\\n\r\t #%;&|<>*?~!-=:,@aé\udcff", max_size=9), max_size=4
).map("".join)


def environment() -> dict[str, str]:
    """Return this environment without what an outer make, such as that of `make test`, hands down."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "GPU"))
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose program shows what it is given."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "Makefile", folder)
    program = folder / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(SHOW)
    program.chmod(0o755)
    (folder / LOCK).touch()
    (folder / ".venv" / LOCK).touch()
    return folder


def make(folder: Path, *arguments: str, **variables: str) -> tuple[list[str], dict[str, str]]:
    """Return the words and the environment that the program gets."""
    done = subprocess.run(
        ["make", *arguments], cwd=folder, env=environment() | variables, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    words, given_environment = json.loads(done.stdout)
    return words, given_environment


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.fixed_dictionaries(dict.fromkeys(NAMES, TEXTS)))
@example(values=dict.fromkeys(NAMES, "".join(FRAGMENTS)))
def test_any_value_of_any_word_arrives_as_it_was_given(folder: Path, values: dict[str, str]) -> None:
    before = sorted(folder.rglob("*"))
    words, received = make(folder, "predict", *(f"{name}={value}" for name, value in values.items()))
    # Make itself drops blanks before a value.
    expected = {name: value.lstrip(" \t\r\n") for name, value in values.items()}
    assert sorted(words) == sorted(f"{name}={value}" for name, value in expected.items())
    assert {name: received[name] for name in NAMES} == expected
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("value", ["$(shell touch canary)", "a b", "'", "$x"])
def test_settings_of_the_environment_are_not_expanded_either(folder: Path, value: str) -> None:
    names = ("CONVTEXT_DATA", "MLFLOW_TRACKING_URI", "MIRROR", "JOBS")
    words, received = make(folder, "train", **dict.fromkeys(names, value))
    assert (words, {received[name] for name in names}) == ([], {value})
    words, received = make(folder, "train", *(f"{name}={value}" for name in names[:2]))
    assert (words, {received[name] for name in names[:2]}) == ([], {value})
    done = subprocess.run(
        ["make", "--dry-run", "clean", f"CONVTEXT_DATA={value}"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    quoted = value.replace("'", "'\\''")
    assert done.stdout == f"rm -rf -- '{quoted}'/build\n"
    assert not (folder / "canary").exists()


def test_a_name_is_one_word_of_the_shell_too(folder: Path) -> None:
    words, _ = make(folder, "train", "a';x;'=1", "b,c=2")
    assert sorted(words) == ["a';x;'=1", "b,c=2"]
    assert not (folder / "canary").exists()


def test_a_switch_of_the_environment_is_not_expanded(folder: Path) -> None:
    for name in ("GPU", "PYTHON"):
        given = environment() | {name: "$(shell touch canary)0"}
        subprocess.run(["make", "--dry-run", "help"], cwd=folder, env=given, capture_output=True)
    assert not (folder / "canary").exists()


@pytest.mark.parametrize(("value", "lock"), [("0", LOCK), ("", LOCK), ("1", "requirements-gpu.lock")])
def test_gpu_is_a_switch(folder: Path, value: str, lock: str) -> None:
    (folder / "requirements-gpu.lock").touch()
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "check", f"GPU={value}"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert f"pip sync --quiet --compile-bytecode --python .venv/bin/python {lock}\n" in done.stdout
