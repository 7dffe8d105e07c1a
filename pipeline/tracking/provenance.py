"""Provenance of a run: code version, machine, data sets."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import __version__
from ..environment.checkout import CHECKOUT
from ..options import Source

PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "numba", "scikit-learn", "mlflow")
CONTEXTS = {"train": "training", "validation": "validation", "test": "test"}  # in MLflow, by part


def environment() -> dict[str, str]:
    """Return versions, commit and machine as tags."""
    tags = {f"version.{name}": number for name, number in versions().items()}
    tags |= machine() | {"host": platform.node()}
    if name := user():
        tags["mlflow.user"] = name
    if (code := checkout())["commit"]:
        tags |= {"mlflow.source.git.commit": code["commit"], "git.dirty": code["dirty"]}
    return tags


def machine() -> dict[str, str]:
    """Return the `platform`, and the number of its `cores`."""
    return {"platform": platform.platform(), "cores": str(os.cpu_count())}


def user() -> str:
    """Return the user's name, or "" where there is none, as in some containers."""
    with suppress(KeyError, OSError):
        return getpass.getuser()
    return ""


def checkout() -> dict[str, str]:
    """Return the program's `commit`, and whether it was changed since (`dirty`: yes or no).

    Both are empty without git, and where the program is installed, whatever repository it is installed in.
    """
    has_commits = CHECKOUT and (CHECKOUT / ".git").exists()
    commit = _git("rev-parse", "HEAD") if has_commits else ""
    changed = _git("status", "--porcelain", "--untracked-files=no") if commit else ""
    return {"commit": commit, "dirty": ("yes" if changed else "no") if commit else ""}


def versions() -> dict[str, str]:
    """Return the versions of the program, of Python and of those of PACKAGES that are installed."""
    packages = {name: number for name in PACKAGES if (number := installed_version(name))}
    return {"convtext": __version__, "python": platform.python_version()} | packages


def usage() -> dict[str, float]:
    """Return the peak memory of this process in megabytes, and its processor seconds so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    units_per_megabyte = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, else kilobytes
    return {
        "system/peak_memory_megabytes": used.ru_maxrss / units_per_megabyte,
        "system/processor_seconds": used.ru_utime + used.ru_stime,
    }


def data_sets(name: str, source: Source, files: Iterable[Path], rows: dict[str, int]) -> list[dict[str, str]]:
    """Return the corpus as MLflow's data sets: one for each part, with its number of rows.

    The digest is one of the prepared `files`, which hold all rows, and of the part's name.
    """
    content_digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            content_digest.update(hashlib.file_digest(file, "sha256").digest())
    source_type, address = _address(source)
    input_column = ("text", "string") if source.input == "tokens" else ("image", "binary")
    columns = [
        {"name": name, "type": kind, "required": True} for name, kind in (input_column, ("label", "string"))
    ]
    return [
        {
            "context": CONTEXTS[part],
            "name": name,
            "digest": hashlib.sha256(content_digest.digest() + part.encode()).hexdigest()[:12],
            "source_type": source_type,
            "source": json.dumps(address),
            "schema": json.dumps({"mlflow_colspec": columns}),
            "profile": json.dumps({"num_rows": count, "part": part}),
        }
        for part, count in rows.items()
    ]


def _address(source: Source) -> tuple[str, dict[str, str]]:
    """Return MLflow's type of the source, and the source."""
    paths = ", ".join(file.path for file in source.files.values())
    if source.address:
        return "http", {"url": f"{source.address.rstrip('/')}/{paths}"}
    return "local", {"uri": paths or source.dataset or source.format}


def installed_version(package: str) -> str:
    """Return the package's version, or an empty string if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _git(*arguments: str) -> str:
    """Return git's answer about this checkout, or an empty string if there is no git."""
    try:
        command = ["git", "-C", str(CHECKOUT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
