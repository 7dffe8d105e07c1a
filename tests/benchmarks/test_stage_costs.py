from __future__ import annotations

import sys

import pytest

from tests.benchmarks.stage_costs import PROC, Unfinished, measure

pytestmark = pytest.mark.skipif(not (PROC / "self" / "stat").exists(), reason="only Linux has /proc")
# A command that runs two stages, one after the other, through a shell, as make does. The second has a process
# of its own that holds 100 MB and works for 0.3 s of CPU time.
STAGES = """
import subprocess, sys
child = "import time; held = bytearray(10**8)\\nwhile time.process_time() < 0.3: pass"
run = f"subprocess.run([sys.executable, '-c', {child!r}])"
code = f"import subprocess, sys, time; time.sleep(0.3); sys.argv[2] == 'b' and {run}"
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
