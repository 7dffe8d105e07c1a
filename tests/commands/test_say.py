"""`make say` on one text and on lines, from a pipe and from a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.project import Project

pytestmark = pytest.mark.slow
ODD = (
    'it\'s "lovely" $HOME $(shell touch canary) # `id` \\ %s',
    "--help",
    "-n",
    "lovely\nfilm\n",
    "שלום 你好 lovely é",
)


class Trained:
    """A model of reviews, and its answers."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.data, self.corpus = project, folder / "data", folder / "reviews.csv"
        project.write_reviews(self.corpus, 60)
        done = self.make("train", "TEXT=review", "LABEL=stars", "MODEL=kim-rand", f"SET={project.tiny()}")
        assert done.returncode == 0, done.stderr

    def make(self, command: str, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", command, f"CORPUS={self.corpus}", *words],
            cwd=self.project.root, env=self.project.environment(self.data), text=True, timeout=600,
            **({"capture_output": True, "stdin": subprocess.DEVNULL} | options),  # type: ignore[call-overload]
        )  # fmt: skip

    def say(self, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        done = self.make("say", "MODEL=kim-rand", *words, **options)
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture(scope="module")
def trained(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(project, tmp_path_factory.mktemp("say"))


def test_a_text_gets_its_labels_and_the_evidence(trained: Trained) -> None:
    done = trained.say("TEXT=a lovely film")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split("%  ")[1] for line in lines[:2]] == ["5", "1"]
    assert lines[3] == "why 5, as parts of its logit:" and any("lovely" in line for line in lines[4:])
    assert max(map(len, lines)) <= 79


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_whatever_the_text_it_arrives_as_it_was_given(trained: Trained, text: str) -> None:
    done = trained.say(f"TEXT={text}")
    piped = trained.say(input=text.replace("\n", " "), stdin=None)
    assert done.returncode == piped.returncode == 0, done.stderr
    # After the line itself the answer is the same.
    assert piped.stdout.split("\n", 1)[1] == done.stdout + "\n"
    assert not (trained.project.root / "canary").exists()


def test_a_long_text_is_answered(trained: Trained) -> None:
    done = trained.say(input="lovely film " * 200_000, stdin=None)
    assert done.stdout.splitlines()[1].startswith("caution: only the first ")


@pytest.mark.parametrize("text", ["", os.fsdecode(b"caf\xe9")], ids=ascii)
def test_a_text_that_cannot_be_labelled_is_one_line(trained: Trained, text: str) -> None:
    done = trained.say(f"TEXT={text}")
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert line.startswith("convtext: ") and ("no words" in line or "not UTF-8" in line)


def test_lines_are_answered_one_by_one(trained: Trained) -> None:
    done = subprocess.run(
        ["make", "say", f"CORPUS={trained.corpus}", "MODEL=kim-rand"],
        cwd=trained.project.root, env=trained.project.environment(trained.data), capture_output=True,
        input=b"a lovely film\r\n\nan awful caf\xe9\nzzz\nan awful film",
    )  # fmt: skip
    answers = done.stdout.decode().split("\n\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert answers[0].splitlines()[0] == "a lovely film" and answers[0].endswith("1")
    assert "\n\nno label: the text has no words\n\n" in done.stdout.decode().replace("\n\n\n", "\n\n")
    assert "no label: byte 13 of the text is not UTF-8" in answers
    assert done.stdout.decode().splitlines().count("an awful film") == 1
    assert "caution: the model knows no word of the text: predict gives probability 0" in done.stdout.decode()


@pytest.mark.parametrize("end", [b"\x04", b"\x03"], ids=["Ctrl-D", "Ctrl-C"])
def test_a_terminal_gets_a_prompt_and_is_left_quietly(trained: Trained, end: bytes) -> None:
    process, terminal = pty.fork()
    if not process:
        os.chdir(trained.project.root)
        words = ["-m", "pipeline", "say", f"CORPUS={trained.corpus}", "MODEL=kim-rand"]
        os.execve(sys.executable, [sys.executable, *words], trained.project.environment(trained.data))
    code = None
    try:
        seen = _until(terminal, b"> ")
        os.write(terminal, b"a lovely film\n")
        seen += _until(terminal, b"> ")
        rest = b""
        # CPython's readline misses a SIGINT between its prompt and its wait for a key, on a busy machine
        # about one in ten: a person presses Ctrl-C again.
        for _ in range(5):
            os.write(terminal, end)
            rest += _until(terminal, None, seconds=30)
            if (code := _exit_code(process)) is not None:
                break
    finally:
        if code is None:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    assert code == 0
    assert b"why 5, as parts of its logit:" in seen
    assert b"convtext" not in rest and b"Traceback" not in rest


def _until(terminal: int, end: bytes | None, seconds: int = 300) -> bytes:
    """Read what the terminal shows until it ends so, or, with None, until its program has ended."""
    seen, until = b"", time.monotonic() + seconds
    while time.monotonic() < until and (end is None or end not in seen):
        try:
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 1000)
        except OSError:  # its program has ended
            return seen
    return seen


def _exit_code(process: int) -> int | None:
    """Return the exit code of a process whose terminal was closed, or None while it runs."""
    for _ in range(100):  # it closes its terminal a little before it ends
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    return None
