"""What the program is called: `make` in a checkout, `convtext` where it is installed."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Mapping
from pathlib import Path

PACKAGE = __name__.partition(".")[0]
NAME = "make" if PACKAGE == "pipeline" else PACKAGE
# The environment variable that names the socket of the process which writes the runs of a make.
WRITER_SOCKET = "CONVTEXT_WRITER"
PROCESS_START = time.monotonic()  # nearly: before anything heavy is imported


def invocation() -> str:
    """Return what a user typed before the command."""
    if "MAKELEVEL" in os.environ and NAME == "make":
        return NAME
    script = Path(sys.argv[0]).name
    return f"python -m {PACKAGE}" if script in ("__main__.py", "-c", "") else script


def command_text(command: str, words: Mapping[str, str]) -> str:
    """Return a line for a shell that asks for a command with these words; empty ones are left out."""
    quoted = [f"{name}={shlex.quote(value)}" for name, value in words.items() if value]
    return " ".join([NAME, command, *quoted])
