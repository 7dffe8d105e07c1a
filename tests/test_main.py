"""How a process of the program is interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAGE = """
import signal, time
from pipeline.__main__ import _interrupt_by_every_polite_signal
signal.signal(signal.SIGINT, signal.default_int_handler)
_interrupt_by_every_polite_signal()
try:
    print("begun", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    time.sleep(0.5)
    print("cleared up", flush=True)
"""


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_that_follow_an_interrupt_do_not_interrupt_the_clearing_up(first: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", STAGE], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(first)
        assert process.stdout.readline() == "interrupted\n"
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGHUP)
        assert process.stdout.readline() == "cleared up\n"
    assert process.wait(timeout=30) == 0


def test_a_second_ctrl_c_ends_the_clearing_up() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STAGE], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert "cleared up" not in output


LOST = """
import os, signal, sys, time, weakref
from pipeline.__main__ import _interrupt_by_every_polite_signal, _repeat_lost_interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)
_interrupt_by_every_polite_signal()
_repeat_lost_interrupts()

class Thing:
    pass

def collected(reference):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.5)  # in which the interrupt is raised, and dropped

thing = Thing()
reference = weakref.ref(thing, collected)
try:
    del thing
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupt_that_python_drops_comes_again() -> None:
    done = subprocess.run([sys.executable, "-c", LOST], cwd=ROOT, capture_output=True, text=True, timeout=50)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
