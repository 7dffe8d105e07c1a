"""What a run was made by and of: the program, the machine, the rows."""

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

from ..options import Source

PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "numba", "scikit-learn", "mlflow")
CONTEXTS = {"train": "training", "validation": "validation", "test": "test"}  # MLflow's words for the parts


def environment() -> dict[str, str]:
    """Tags: versions, commit, machine."""
    found = {f"version.{name}": number for name, number in versions().items()}
    found |= {"platform": platform.platform(), "host": platform.node(), "cores": str(os.cpu_count())}
    with suppress(KeyError, OSError):  # in a container, a user may have no name
        found["mlflow.user"] = getpass.getuser()
    if (now := checkout())["commit"]:
        found |= {"mlflow.source.git.commit": now["commit"], "git.dirty": now["dirty"]}
    return found


def checkout() -> dict[str, str]:
    """The program's `commit`, and whether it was changed since (`dirty`: yes or no); empty without git."""
    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": ("yes" if changed else "no") if commit else ""}


def versions() -> dict[str, str]:
    """Of Python, and of the installed ones of PACKAGES."""
    found = {name: number for name in PACKAGES if (number := installed(name))}
    return {"python": platform.python_version()} | found


def usage() -> dict[str, float]:
    """What this process has used so far: the most memory at once, in megabytes, and processor seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    of_a_megabyte = 2**20 if sys.platform == "darwin" else 2**10  # the unit is bytes there, else kilobytes
    return {
        "system/peak_memory_megabytes": used.ru_maxrss / of_a_megabyte,
        "system/processor_seconds": used.ru_utime + used.ru_stime,
    }


def data_sets(name: str, source: Source, files: Iterable[Path], rows: dict[str, int]) -> list[dict[str, str]]:
    """The corpus as MLflow records data sets: one for each part, with its rows.

    The digest is that of the prepared `files`, which hold all rows, and of the part's name.
    """
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    source_type, where = _where(source)
    content = ("text", "string") if source.input == "tokens" else ("image", "binary")
    columns = [{"name": one, "type": kind, "required": True} for one, kind in (content, ("label", "string"))]
    return [
        {
            "context": CONTEXTS[part],
            "name": name,
            "digest": hashlib.sha256(whole.digest() + part.encode()).hexdigest()[:12],
            "source_type": source_type,
            "source": json.dumps(where),
            "schema": json.dumps({"mlflow_colspec": columns}),
            "profile": json.dumps({"num_rows": count, "part": part}),
        }
        for part, count in rows.items()
    ]


def _where(source: Source) -> tuple[str, dict[str, str]]:
    """MLflow's type of the source, and the source."""
    paths = ", ".join(file.path for file in source.files.values())
    if source.address:
        return "http", {"url": f"{source.address.rstrip('/')}/{paths}"}
    return "local", {"uri": paths or source.dataset or source.format}


def installed(package: str) -> str:
    """The package's version; nothing where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _git(*arguments: str) -> str:
    """What git says of this checkout; nothing where there is no git or no checkout."""
    try:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
