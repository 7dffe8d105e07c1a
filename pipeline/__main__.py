"""The command line: `python -m pipeline COMMAND [WORD=value ...]`. A command imports only what it needs."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from select import select
from socket import socket
from types import FrameType
from typing import Any, NoReturn

from . import __version__
from .config.command_line import command_help, overview, parse_words, unknown_command
from .config.words import COMMANDS, remedy
from .environment.imports import absent, uncollected
from .environment.lifeline import end_with_command
from .environment.memory import check_limit
from .environment.program import PROCESS_START
from .errors import InputError, Refused, StageFailed, is_interrupt, is_lack_of_memory, missing_package
from .graph.stage_times import note_time
from .terminal import say

# The stages that the graph, or a command, runs as `stage NAME FOLDER`: the room of each.
STAGES = {
    "prepare": "stages",
    "tokenize": "stages",
    "baseline": "stages",
    "embed": "stages",
    "train": "stages",
    "evaluate": "stages",
    "assign_folds": "study_stages",
    "make_fold": "study_stages",
    "compare_folds": "study_stages",
    "make_subset": "study_stages",
    "compare_sizes": "study_stages",
    "search_options": "study_stages",
    "compare_with_dense": "study_stages",
}
# They record runs.
TRACKED = ("train", "evaluate", "compare_folds", "compare_sizes", "search_options", "compare_with_dense")
# What a user asked for, where a stage does the work of one command alone.
COMMANDS_OF_STAGES = {
    "compare_folds": "crossval",
    "compare_sizes": "curve",
    "search_options": "tune",
    "compare_with_dense": "why",
}
# Importing them takes Keras a second, for parts that `train` does not use.
NOT_FOR_KERAS = ("matplotlib", "sklearn")
WITHOUT_EXTRA = ("predict", "say", "options")  # commands that need the base dependencies alone
OPTIONS_OF_HELP = ("help", "--help", "-h")


def main(arguments: list[str]) -> int:
    """Run one command; return its exit code: 0, 1 (refused), 2 (input error), 130 (interrupt), 141 (pipe)."""
    _interrupt_by_every_polite_signal()
    _repeat_lost_interrupts()
    end_with_command()
    return _answer(arguments)


def _answer(arguments: list[str]) -> int:
    """Run one command, say in a line what ends it, and return the exit code."""
    name = next((word for word in arguments if word != "stage"), "")
    name = COMMANDS_OF_STAGES.get(name, name)
    try:
        _run(arguments)
    except InputError as error:
        mend = f": {remedy(error.option)}" if error.option else ""
        say(f"convtext: {error}{mend}", sys.stderr)
        return 2
    except Refused as error:
        say(f"convtext: {error}", sys.stderr)
        return 1
    except StageFailed as error:
        return error.code  # it has said why
    except BrokenPipeError:
        return 141  # as of a program that the signal ends: who read the output, such as `head`, has enough
    except (Exception, KeyboardInterrupt) as error:
        code, line = _outcome(error, name)
        say("; ".join([line, *_notes(error)]), sys.stderr)
        return code
    return 0


def _outcome(error: BaseException, name: str) -> tuple[int, str]:
    """Return the exit code and the line for an interrupt and for what the system refused; raise any other."""
    if is_interrupt(error):
        nothing_left = "" if _notes(error) else "; nothing half-written is left"
        return 130, f"\nconvtext: {name} was interrupted{nothing_left}"
    if is_lack_of_memory(error):
        return 2, f"convtext: {name}: not enough memory: free some, or raise its limit (ulimit -v)"
    if line := missing_package(error):
        return 2, f"convtext: {name}: {line}"
    if isinstance(error, OSError):  # a full disk, a folder without permission
        return 2, f"convtext: {name}: {error}"
    raise error


def _run(arguments: list[str]) -> None:
    name, *words = arguments or ["help"]
    if name in OPTIONS_OF_HELP:
        say(overview())
    elif name == "--version":
        say(f"convtext {__version__}")
    elif name == "stage":
        _run_stage(*words)
    elif name == "serve":
        _serve(*words)
    elif name == "write-runs":
        _write_runs(*words)
    elif name not in COMMANDS:
        raise unknown_command(name, list(COMMANDS))
    elif any(word in OPTIONS_OF_HELP for word in words):
        say(command_help(name))
    else:
        check_limit()
        given = parse_words(name, words)
        if name not in WITHOUT_EXTRA and find_spec("keras") is None:
            raise ModuleNotFoundError("the extra `train` is not installed", name="keras")
        os.environ |= given.settings  # as make has exported them already
        _module(COMMANDS[name].room, name).run(given)


def _run_stage(name: str = "", *arguments: str) -> None:
    """Run a stage on its folder; what stands behind the folder, if anything, is the stage's own."""
    if name not in STAGES or not arguments:
        raise unknown_command(f"stage {name}", [f"stage {stage} FOLDER" for stage in STAGES])
    code = _stage_servers().ask(name, ["stage", name, *arguments])
    if code is None:
        _run_here(name, *arguments)
    elif code:
        raise StageFailed(code)
    note_time(name, time.monotonic() - PROCESS_START)


def _run_here(name: str, folder: str, *more: str) -> None:
    if name in TRACKED:  # MLflow and TensorFlow take seconds to import: side by side, in two processes
        _writer_client().start()
    _module(STAGES[name], name).run(Path(folder), *more)


def _serve(listener: str, *stages: str) -> None:
    """Run stages as they come, and make the imports of all while none is there."""
    imports = [partial(_import_ahead, stage) for stage in stages]
    try:
        code = _stage_servers().serve(int(listener), stages[-1], _answer, imports)
    except KeyboardInterrupt:
        code = 130  # no stage is under way
    if code:
        raise StageFailed(code)  # it has said why


def _import_ahead(stage: str) -> None:
    with suppress(Exception):  # a stage that cannot be imported says so when it runs
        module = _module(STAGES[stage], stage)
        if hasattr(module, "import_review"):
            module.import_review()
    gc.freeze()  # no collection needs to look at what they made
    if stage == "train":
        # After it: until then other stages have every core, and MLflow is needed only at the end.
        _writer_client().launch()
    if signal.getsignal(signal.SIGTERM) is not _interrupt:
        raise KeyboardInterrupt  # which came, and was lost in an import


def _write_runs(listener: str) -> None:
    """Write the runs of the stages that connect, with MLflow imported once one does."""
    with socket(fileno=int(listener)) as stages:
        ready, _, _ = select([stages, sys.stdin], [], [])
        if stages in ready:
            _module("tracking", "writer_process").serve(stages)


def _stage_servers() -> Any:
    return importlib.import_module(".graph.stage_servers", __package__)


def _writer_client() -> Any:
    return importlib.import_module(".tracking.writer_client", __package__)


def _module(room: str, name: str) -> Any:
    """Return the module of a command or stage, with MLflow's settings made before anything imports it."""
    importlib.import_module(".tracking.location", __package__).set_mlflow_defaults()
    with uncollected(), absent(*NOT_FOR_KERAS if name == "train" and room == "stages" else ()):
        return importlib.import_module(f".{room}.{name}", __package__)


def _interrupt_by_every_polite_signal() -> None:
    """Let SIGTERM interrupt as Ctrl-C does, and the end of the terminal too, unless nohup has it ignored."""
    signal.signal(signal.SIGTERM, _interrupt)
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _repeat_lost_interrupts() -> None:
    """Interrupt once more where Python drops an interrupt, as in callbacks of weak references."""
    report = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if unraisable.exc_type is KeyboardInterrupt:
            signal.signal(signal.SIGTERM, _interrupt)
            threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGTERM)).start()
        else:
            report(unraisable)

    sys.unraisablehook = hook


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Make passes SIGTERM on to a stage that has had its Ctrl-C: that must not interrupt the clearing up.
    for later in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(later, lambda number, frame: None)
    raise KeyboardInterrupt


def _notes(error: BaseException) -> list[str]:
    """Return the notes that handlers attached to the error."""
    return getattr(error, "__notes__", [])


def script() -> NoReturn:
    """Run the command that the command line names, and leave without the interpreter's tear-down.

    It is TensorFlow's, and takes seconds.
    """
    code = main(sys.argv[1:])
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    script()
