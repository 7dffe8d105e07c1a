from __future__ import annotations

import sys

import pytest

from tests.benchmarks.stage_costs import IMPORTS, PROC, WRITER, Unfinished, measure

pytestmark = pytest.mark.skipif(not (PROC / "self" / "stat").exists(), reason="only Linux has /proc")
# A command that runs two stages, one after the other, through a shell, as make does. The second has a process
# of its own that holds 100 MB and works for 0.3 s of CPU time.
STAGES = """
import subprocess, sys
child = "import time; held = bytearray(10**8)\\nwhile time.process_time() < 0.3: pass"
run = f"subprocess.run([sys.executable, '-c', {child!r}])"
work = "while time.process_time() < 0.1: pass"
code = f"import subprocess, sys, time\\n{work}\\ntime.sleep(0.3); sys.argv[2] == 'b' and {run}"
for name in "ab":
    subprocess.run(["sh", "-c", 'exec "$@"', "sh", sys.executable, "-c", code, "stage", name, "folder"])
print("done")
"""


def test_each_stage_is_measured_with_what_it_starts() -> None:
    whole, stages, output = measure([sys.executable, "-c", STAGES])
    assert (list(stages), output) == (["a", "b"], "done\n")
    assert stages["a"].peak_mb < 95 < stages["b"].peak_mb <= whole.peak_mb
    assert 0 < stages["a"].cpu_seconds < stages["b"].cpu_seconds <= whole.cpu_seconds
    assert 0 < stages["a"].seconds < whole.seconds


# Works for 0.4 s of CPU time, and again for as long when it is told to.
SERVER = """
import time
for until in (0.4, 0.8):
    while time.process_time() < until: pass
    print(flush=True)
    input()
"""
# Has it work before the stage `train` begins, and while that runs.
SERVED = f"""
import subprocess, sys, time
pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
server = subprocess.Popen([sys.executable, "-c", {SERVER!r}, "serve", "3", "train"], **pipes)
server.stdout.readline()
time.sleep(0.2)
waits = "print(flush=True); input()"
stage = subprocess.Popen([sys.executable, "-c", waits, "stage", "train", "folder"], **pipes)
stage.stdout.readline()
time.sleep(0.2)
print(file=server.stdin, flush=True)
server.stdout.readline()
time.sleep(0.2)
for process in (stage, server):
    process.communicate("\\n")
"""


def test_a_server_works_for_the_stage_that_runs_and_before_for_imports() -> None:
    stages = measure([sys.executable, "-c", SERVED]).stages
    assert list(stages) == [IMPORTS, "train"]
    assert all(0.3 < cost.cpu_seconds < 0.6 for cost in stages.values())


def test_the_writer_of_all_runs_is_of_no_stage() -> None:
    works = "import time\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {works!r}, 'write-runs', '3'])"
    stages = measure([sys.executable, "-c", code]).stages
    assert list(stages) == [WRITER] and 0.2 < stages[WRITER].cpu_seconds < 0.5


def test_a_command_that_takes_more_than_a_limit_is_ended() -> None:
    with pytest.raises(Unfinished, match="over 0 s"):
        measure([sys.executable, "-c", "import time; time.sleep(60)"], max_seconds=0.2)
    holds = "import time; held = bytearray(10**8); time.sleep(60)"
    with pytest.raises(Unfinished, match="over 90 MB"):
        measure([sys.executable, "-c", holds], max_mb=90)


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(Unfinished, match="ended with code 3") as error:
        measure([sys.executable, "-c", "import sys; print('no', file=sys.stderr); sys.exit(3)"])
    assert error.value.output == "no\n"
