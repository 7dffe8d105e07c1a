"""The steps of the Dockerfile, run in folders instead of in containers: what is said there is what is run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

DOCKERFILE = Path(__file__).resolve().parents[1] / "pipeline" / "serving" / "Dockerfile"
BASE = re.compile(r"python:3\.\d+-slim")
LINE = re.compile(r"(?P<instruction>[A-Z]+) (?P<rest>.*)")


@dataclass
class Stage:
    """A stage of the Dockerfile: its name and its instructions, continued lines joined."""

    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str:
        return [rest for name, rest in self.instructions if name == instruction][-1]

    def command(self) -> list[str]:
        """Return CMD, which is a list: a shell would keep signals from the server."""
        return [str(word) for word in json.loads(self.last("CMD"))]

    def environment(self) -> dict[str, str]:
        pairs = [pair for name, rest in self.instructions if name == "ENV" for pair in rest.split()]
        return dict(pair.split("=", 1) for pair in pairs)


def stages() -> list[Stage]:
    text = re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE.read_text("utf-8"))
    found: list[Stage] = []
    for line in filter(None, re.sub(r"\\\n\s*", "", text).splitlines()):
        match = LINE.fullmatch(line)
        assert match, line
        if match["instruction"] == "FROM":
            base, _, name = match["rest"].partition(" AS ")
            assert BASE.fullmatch(base), base
            found.append(Stage(name))
        else:
            found[-1].instructions.append((match["instruction"], match["rest"]))
    return found


class Image:
    """The folders / of the stages of a build, below `root`.

    Python is this process's, in a new environment without packages, as the base image has it.
    """

    def __init__(self, root: Path, context: Path) -> None:
        self.root, self.context = root, context
        self.stages = stages()
        subprocess.run([sys._base_executable, "-m", "venv", root / "base"], check=True)  # type: ignore[attr-defined]
        self.pip = [str(root / "base" / "bin" / "python"), "-m", "pip"]

    def build(self) -> None:
        """Run the steps one after the other. Raises CalledProcessError, which has what a step printed."""
        for stage in self.stages:
            for instruction, rest in stage.instructions:
                if instruction == "COPY":
                    self._copy(rest)
                if instruction == "RUN":
                    self._run(stage, rest)

    def _copy(self, rest: str) -> None:
        """Copy from the context; what a later stage copies from the first lies at the same place here."""
        if rest.startswith("--from=build"):
            return
        source, target = rest.split()
        ignored = DOCKERFILE.with_name("dockerignore").read_text("utf-8").splitlines()
        names = [line.rpartition("/")[2] for line in ignored if not line.startswith("#")]
        place = Path(self.here(target))
        if (self.context / source).is_dir():
            shutil.copytree(
                self.context / source, place, ignore=shutil.ignore_patterns(*names), dirs_exist_ok=True
            )
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.context / source, place)

    def _run(self, stage: Stage, command: str) -> None:
        subprocess.run(
            ["/bin/sh", "-ec", self.here(command)],
            cwd=self.root, env=self.environment(stage), check=True, capture_output=True, text=True,
        )  # fmt: skip

    def environment(self, stage: Stage) -> dict[str, str]:
        """Return a stage's whole environment, with nothing of this process's but how to reach PyPI."""
        kept = ("PIP_", "HTTP", "http", "NO_PROXY", "no_proxy", "SSL_", "REQUESTS_CA", "XDG_")
        inherited = {name: value for name, value in os.environ.items() if name.startswith(kept)}
        path = f"{self.root}/base/bin:/usr/bin:/bin"
        own = {name: self.here(value).replace("$PATH", path) for name, value in stage.environment().items()}
        return {"PATH": path, "HOME": "/nonexistent"} | inherited | own

    def here(self, text: str) -> str:
        """Return a text of the Dockerfile with its absolute paths below `root`."""
        return re.sub(r"(?<![\w.])/(?=(service|model)\b)", f"{self.root}/", text)
