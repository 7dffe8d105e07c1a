from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from pipeline.environment.lifeline import Lifeline

ROOT = Path(__file__).resolve().parents[2]
STAGE = """
import signal, sys, time
from pipeline.environment.lifeline import end_with_command
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    end_with_command()
    print("begun", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
COMMAND = f"""
import os, subprocess, sys
from pipeline.environment.lifeline import Lifeline
lifeline = Lifeline()
subprocess.Popen(
    ["sh", "-c", 'exec "$@" 3>&2 </dev/null', "sh", sys.executable, "-c", {STAGE!r}],
    env=os.environ | lifeline.environment, pass_fds=[lifeline.descriptor],
)
lifeline.hand_over()
sys.stdin.read()
"""


def test_a_stage_is_interrupted_when_its_command_is_killed() -> None:
    command = subprocess.Popen(
        [sys.executable, "-c", COMMAND], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert command.stdout
    assert command.stdout.readline() == "begun\n"
    command.send_signal(signal.SIGKILL)
    out, _ = command.communicate(timeout=30)
    assert out == "interrupted\n"


def test_a_stage_that_hangs_on_nothing_runs_as_it_is() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STAGE.replace("60", "0.2")], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "begun\n")


def test_a_lifeline_is_closed_with_what_hung_on_it() -> None:
    before = len(os.listdir("/dev/fd"))
    lifeline = Lifeline()
    lifeline.hand_over()
    lifeline.close()
    assert len(os.listdir("/dev/fd")) == before
