"""Progress bars on a real terminal: after some seconds, one at a time, and gone when lines are printed."""

from __future__ import annotations

import io
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from pipeline import progress
from pipeline.progress import Bar
from pipeline.terminal import say

QUIET = 0.02  # seconds after which a terminal has all that was sent


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch, kind: str = "xterm") -> Iterator[Callable[[], str]]:
    """A terminal that standard output and error are; the call returns what it was sent since the last."""
    reading, writing = pty.openpty()

    def sent() -> str:
        pieces = []
        while select.select([reading], [], [], QUIET)[0]:  # a line may come in pieces
            pieces.append(os.read(reading, 1 << 16))
        return b"".join(pieces).decode()

    with os.fdopen(writing, "w", encoding="utf-8") as stream, monkeypatch.context() as patched:
        patched.setenv("TERM", kind)
        patched.setattr(sys, "stderr", stream)
        patched.setattr(sys, "stdout", stream)
        yield sent
    os.close(reading)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS", 1e-9)


def test_what_is_short_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as sent:
        with Bar("quick", 2, mininterval=0) as bar:
            bar.update()
            bar.update()
        assert sent() == ""


@pytest.mark.usefixtures("at_once")
def test_what_takes_long_shows_how_far_it_is_and_leaves_an_empty_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with terminal(monkeypatch) as sent:
        with Bar("slow", 4, mininterval=0) as bar:
            bar.update()
            assert "slow:  25%" in sent()
        assert sent().replace("\r", "").strip() == ""


@pytest.mark.usefixtures("at_once")
def test_while_another_process_has_the_line_no_bar_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    holds = "import fcntl, sys; fcntl.flock(2, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    with terminal(monkeypatch) as sent:
        with (
            open(os.ttyname(sys.stderr.fileno()), "w") as its_own,
            subprocess.Popen(
                [sys.executable, "-c", holds], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=its_own
            ) as other,
        ):
            other.stdout.readline()
            its_own.close()
            bar = Bar("mine", 4, mininterval=0)
            bar.update()
            assert sent() == ""
            other.communicate()
        bar.update()
        assert "mine:  50%" in sent()
        bar.close()


def test_a_line_takes_the_place_of_the_bar_of_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as sent:
        say("a line")
        assert sent() == "\r\x1b[Ka line\r\n"


def test_a_terminal_that_cannot_erase_a_line_is_not_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch, "dumb") as sent:
        say("a line")
        assert sent() == "a line\r\n"


@pytest.mark.usefixtures("at_once")
def test_elsewhere_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar("slow", 4, mininterval=0) as bar:
        bar.update()
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("at_once")
def test_in_a_notebook_one_bar_is_shown_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its standard error is no terminal, and has no descriptor."""
    output = io.StringIO()
    monkeypatch.setattr(sys, "stderr", output)
    with Bar("nowhere", 2, mininterval=0) as bar:
        bar.update()
    assert output.getvalue() == ""
    monkeypatch.setitem(sys.modules, "ipykernel.kernelapp", ModuleType("ipykernel.kernelapp"))
    with Bar("first", 2, mininterval=0) as first, Bar("second", 2, mininterval=0) as second:
        first.update()
        second.update()
    with Bar("third", 2, mininterval=0) as third:
        third.update()
    shown = output.getvalue()
    assert "first:  50%" in shown and "third:  50%" in shown and "second" not in shown
