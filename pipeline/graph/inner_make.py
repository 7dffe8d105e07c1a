"""The make that builds files of the graph, run from Python: stages side by side, a line for what failed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from ..artifacts import (
    CorpusFolder,
    CrossvalFolder,
    CurveFolder,
    RunFolder,
    code_folder,
    data_folder,
    graph_word,
)
from ..environment.checkout import python_path
from ..environment.lifeline import Lifeline
from ..environment.program import PACKAGE
from ..errors import InputError, StageFailed
from ..options import InputKind
from ..terminal import say
from .stage_servers import serving
from .stage_times import MAKE_FOLDER, times

RULES = Path(__file__).parents[1] / "graph.mk"
KILLED = "a stage was killed, most likely as memory ran out: the same command goes on where it was"
# As a library ends it that has no memory and cannot raise an error.
CRASHED = (
    "a stage crashed, perhaps as memory ran out: the same command goes on where it was; if it crashes again, "
    "please report it"
)
ENDS: dict[int, str] = {  # signal -> what is said of a stage that it has ended
    signal.SIGKILL: KILLED,
    signal.SIGABRT: CRASHED,
    signal.SIGBUS: CRASHED,
    signal.SIGSEGV: CRASHED,
}
# What make adds to what a stage has said itself: that it failed, was ended, or that others are still at work.
NOISE = re.compile(
    r"make(\[\d+\])?: (\*\*\* (\[.*\] |Waiting for unfinished jobs|Deleting file )|Terminated$)"
)
INTERRUPTED = 130  # the code of a shell
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Goal:
    """Files of one graph that are to be made, and the folder that the graph is of.

    `inputs` is the kind that its networks take. `is_lost` tells of a goal under way that it is another
    process's by now.
    """

    folder: CorpusFolder | RunFolder | CrossvalFolder | CurveFolder
    targets: tuple[Path | str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: InputKind = "tokens"
    is_lost: Callable[[], bool] = lambda: False

    def command(self, *options: str) -> list[str]:
        """Return the make that reaches the goal."""
        variables = [f"{name}={value}" for name, value in self._variables().items()]
        quiet = ["--silent", "--no-print-directory", "--no-builtin-rules"]
        return ["make", "-f", str(RULES), *quiet, *options, *variables, *self._targets()]

    def _targets(self) -> list[str]:
        return [*map(graph_word, self.targets)]

    def _variables(self) -> dict[str, str]:
        """Return the variables of graph.mk; all of them, as an environment may have its own."""
        names = {
            CorpusFolder: "CORPUS_DIR", RunFolder: "RUN", CrossvalFolder: "CROSSVAL", CurveFolder: "CURVE"
        }  # fmt: skip
        of_graph = dict.fromkeys(names.values(), "") | {
            names[type(self.folder)]: graph_word(self.folder.path)
        }
        if isinstance(self.folder, RunFolder):
            of_graph["CORPUS_DIR"] = graph_word(self.folder.corpus.path)
        return of_graph | {"CODE": graph_word(code_folder()), "PACKAGE": PACKAGE}


def make(goal: Goal, jobs: int = 1) -> dict[str, float]:
    """Make the files of a goal, with so many stages side by side; return the seconds that each has taken.

    Raises StageFailed where a stage has failed and said why, InputError where one was killed.
    """
    with (
        TemporaryDirectory(prefix="convtext-") as name,
        serving(_planned(goal), goal.inputs, Path(name), _environment() | dict(goal.environment)) as servers,
    ):
        of_make = replace(goal, environment={**goal.environment, MAKE_FOLDER: name})
        try:
            for _ in make_side_by_side([of_make], jobs_each=jobs):
                pass
        except InputError:  # of a stage whose server is gone: that one knows how it ended
            if ends := [end for server in servers if (end := ENDS.get(-(server.poll() or 0)))]:
                raise InputError(ends[0]) from None
            raise
        return times(Path(name))


def _planned(goal: Goal) -> list[str]:
    """Return the stages that make would run, in their order."""
    command = goal.command("--dry-run")
    done = subprocess.run(command, cwd=data_folder(), env=_environment(), capture_output=True, text=True)
    return re.findall(rf"-m {PACKAGE} stage (\w+) ", done.stdout)


def make_side_by_side(
    goals: Iterable[Goal | None],
    at_once: int = 1,
    jobs_each: int = 1,
    remedy: str = "",
    output: int | None = None,
) -> Iterator[Goal]:
    """Make several goals, so many at once, and yield each when it is done, or was lost and interrupted.

    `goals` is asked when the next can be begun, and has None where none can at present. After a failure none
    is begun, and those under way are finished. `remedy` is what else can be done about a stage that was
    killed; `output` is where the stages' standard output goes, if not where this one's does.
    """
    running: list[_Make] = []
    try:
        for goal in goals:
            if goal:
                running.append(_Make(goal, jobs_each, output))
            else:
                yield from _ended(running, remedy)
            while len(running) >= at_once:
                yield from _ended(running, remedy)
        while running:
            yield from _ended(running, remedy)
    except (InputError, StageFailed):
        for process in running:
            process.wait()
            process.close()
        raise
    except BaseException as error:
        for process in running:
            process.interrupt()
        if running and isinstance(error, KeyboardInterrupt):
            raise StageFailed(INTERRUPTED) from error  # their stages print that they were interrupted
        raise


def _ended(running: list[_Make], remedy: str) -> Iterator[Goal]:
    """Wait a moment, take what is done or lost from the list, and yield the goals that no stage is at now."""
    if running:
        running[0].wait(POLL_SECONDS)
    for process in list(running):
        if process.goal.is_lost():
            running.remove(process)
            process.interrupt()
            yield process.goal
        elif process.has_ended():
            running.remove(process)
            process.check(remedy)
            yield process.goal


def run_process(command: str, *arguments: str | Path) -> int:
    """Run another command, or stage, of this program in a process of its own; return its exit code."""
    lifeline = Lifeline()
    with subprocess.Popen(
        [sys.executable, "-m", PACKAGE, command, *map(str, arguments)],
        env=_environment() | lifeline.environment,
        pass_fds=[lifeline.descriptor],
    ) as process:
        lifeline.hand_over()
        try:
            code = process.wait()
        except KeyboardInterrupt as error:
            process.terminate()
            process.wait()
            raise StageFailed(INTERRUPTED) from error  # it prints that itself
        finally:
            lifeline.close()
    if end := ENDS.get(-code):
        raise InputError(end)
    return code


def run_stage(name: str, folder: Path) -> None:
    """Run a stage that is in no graph. Raises StageFailed where it failed and has said why."""
    if code := run_process("stage", name, folder):
        raise StageFailed(code)


class _Make:
    """A make under way. What its stages say goes to the terminal, what it says itself is held back."""

    def __init__(self, goal: Goal, jobs: int, output: int | None) -> None:
        self.goal = goal
        self._messages = TemporaryFile()  # noqa: SIM115  # until make has ended
        self._lifeline = Lifeline()
        # Standard input brings the file for make's own messages; a stage has the terminal on descriptor 3
        self._process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" 3>&2 2>&0 </dev/null', "sh", *goal.command(f"--jobs={jobs}")],
            stdin=self._messages,
            stdout=output,
            cwd=data_folder(),
            env=_environment() | dict(goal.environment) | self._lifeline.environment,
            pass_fds=[self._lifeline.descriptor],
        )
        self._lifeline.hand_over()

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end, or so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def interrupt(self) -> None:
        """Have make end its stages, which clear up, and wait for them. A Ctrl-C has reached them already."""
        self._process.terminate()
        self._process.wait()
        self.close()

    def close(self) -> None:
        self._messages.close()
        self._lifeline.close()

    def check(self, remedy: str) -> None:
        """Raise what the make that has ended has failed by, and show what it said that no stage has."""
        self._messages.seek(0)
        messages = self._messages.read().decode(errors="replace").splitlines()
        self.close()
        code = self._process.returncode
        if not code:
            return
        for number, end in ENDS.items():
            pattern = rf"\] ({signal.strsignal(number)}|Error {128 + number})( \(core dumped\))?$"
            if any(re.search(pattern, line) for line in messages):
                raise InputError(end + remedy)
        for line in dict.fromkeys(line for line in messages if not NOISE.match(line)):
            say(line, sys.stderr)
        interrupted = code < 0 or any(line.endswith("] Error 130") for line in messages)
        raise StageFailed(INTERRUPTED if interrupted else code)


def _environment() -> dict[str, str]:
    """Return this environment without what an outer make hands down, and with this package on the path."""
    kept = {name: value for name, value in os.environ.items() if not re.match(r"(GNU)?MAKE|MFLAGS$", name)}
    return kept | {
        "CONVTEXT_PYTHON": sys.executable,  # not as a variable of make, which a $ in its path would be to it
        "CONVTEXT_DATA": str(data_folder()),
        "CONVTEXT_CALLER": str(Path.cwd()),
        "PYTHONPATH": python_path(),
        "LANGUAGE": "en",  # make's messages as they are matched above
    }
