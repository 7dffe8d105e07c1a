"""`python -m tests.benchmarks.killed_training [KILLS=20]`: a training of minutes, killed again and again.

The same command is given after each SIGKILL, until a training ends; then the next begins anew, until there
were KILLS kills. Each must end as one that nobody disturbs: the same bytes, the same records. Prints what a
kill has cost, in seconds of the command, and where trainings differed.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from pipeline.config import arguments
from pipeline.config.command_line import Words
from pipeline.config.words import Word
from tests.benchmarks.reliability import SEED, Command, Outcome, kill_session, outcome, undisturbed
from tests.benchmarks.training_rows import write_rows

KILLS = Word("KILLS", "20", "random moments", arguments.whole_number(1, 1000), 20)
ROWS, EPOCH_ROWS, EPOCHS = 100_000, 20_000, 240
SHORTEST, LONGEST = 5.0, 120.0  # seconds from a start to its kill


def main(given: Words) -> None:
    random.seed(SEED)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        command = prepared(folder)
        reference = undisturbed(command, command.records)
        print(f"Undisturbed, the command takes {reference.seconds:.0f} s.", flush=True)
        ended, seconds, kills = list[Outcome](), 0.0, 0
        bar = tqdm(total=given[KILLS], desc="kills", leave=False)
        while kills < given[KILLS]:
            command.reset()
            code: int | None = None
            while code is None and kills < given[KILLS]:
                code, taken = run_and_kill(command, random.uniform(SHORTEST, LONGEST))
                seconds += taken
                kills += code is None
                bar.n = kills
                bar.refresh()
            began = time.monotonic()
            message = ""
            if code is None:  # that was the last kill: it ends in peace
                code, message = command.run()
            seconds += time.monotonic() - began
            ended.append(outcome(command, reference, code, message, command.records))
        bar.close()
        same = sum(one.same_bytes and one.same_records and not one.running for one in ended)
        cost = (seconds - len(ended) * reference.seconds) / kills
        print(f"{kills} kills in {len(ended)} trainings, of which {same} ended as the undisturbed one.")
        print(f"A kill has cost {cost:.0f} s on average, of a start and of what was done anew.")


def prepared(folder: Path) -> Command:
    rows, empty = folder / "rows.csv", folder / "empty"
    write_rows(rows, ROWS, classes=2)
    empty.mkdir()
    words = [f"CORPUS={rows}", "TEXT=text", "LABEL=label"]
    options = f"SET=train.epochs={EPOCHS} train.patience={EPOCHS} train.epoch_rows={EPOCH_ROWS}"
    return Command("train", [*words, options], folder / "data", empty)


def run_and_kill(command: Command, seconds: float) -> tuple[int | None, float]:
    """Run the command, for so long at most; return its code, None if it was killed, and the time it took."""
    began = time.monotonic()
    with command.start() as process:
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=seconds)
            return process.returncode, time.monotonic() - began
        kill_session(process.pid)
        process.communicate()
    return None, time.monotonic() - began


if __name__ == "__main__":
    main(Words("killed_training", [KILLS], sys.argv[1:]))
