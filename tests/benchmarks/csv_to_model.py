"""`make benchmark-train [CORPUS=reviews.csv]`: the whole of `make train`, stage by stage, beside opponents.

Ours is the command as a user gives it, in a fresh data folder. The opponents learn and label the same rows,
each in a process of its own; all take turns, ROUNDS times, and medians are quoted. Prints Markdown, and
writes it, after each number of rows what is measured so far. Without CORPUS the rows are generated.
"""

from __future__ import annotations

import importlib.util
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.artifacts import data_folder
from pipeline.config import arguments, words
from pipeline.config.command_line import Words
from pipeline.config.words import Word
from pipeline.environment.cores import cores
from pipeline.errors import InputError
from tests.benchmarks.stage_costs import LOOK, PROC, Cost, Unfinished
from tests.benchmarks.training_opponents import OPPONENTS
from tests.benchmarks.training_race import OURS, Race, trained
from tests.benchmarks.training_rows import LONG, SHORT, write_rows

FEW = 1_000  # rows, for the run that is not counted


def numbers(least: int, most: int) -> Callable[[str], list[int]]:
    """Return the check for whole numbers between two bounds, separated by blanks."""
    check = arguments.whole_number(least, most)
    return lambda text: sorted({check(number) for number in text.split() or [text]})


ROWS = Word("ROWS", '"1000 1000000"', "to train on", numbers(100, 10**8), [1_000, 10_000, 100_000])
CLASSES = Word("CLASSES", '"2 20 150"', "of the rows", numbers(2, 1_000), [2])
OF_MANY_WORDS = Word("LONG", "1", "texts of many words", arguments.flag, False)
OF_GENERATED = (ROWS, CLASSES, OF_MANY_WORDS)
ROUNDS = Word("ROUNDS", "1", "of all, in turn", arguments.whole_number(1, 100), 3)


def corpora(given: Words, table: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the title and the words of each corpus; each is generated at `table`, in place of the last."""
    options = [f"{word.name}={given.texts[word.name]}" for word in words.SOURCE if word.name in given.texts]
    if given[words.CORPUS]:
        yield "rounds", options
        return
    for classes in given[CLASSES]:
        for rows in given[ROWS]:
            write_rows(table, rows, classes, LONG if given[OF_MANY_WORDS] else SHORT)
            yield f"{rows:,} rows, {classes} classes", [*options, *of_table(table)]


def of_table(table: Path) -> list[str]:
    return [f"CORPUS={table}", "TEXT=text", "LABEL=label"]


def warm_up(given: Words, folder: Path) -> None:
    """Train once, so that whatever is compiled at the first run, or not yet in memory, is so after it."""
    table = folder / "first.csv"
    write_rows(table, FEW, 2)
    with trained([*of_table(table), f"MODEL={given[words.MODEL]}"], folder):
        pass


def report(races: list[Race], name: str, rounds: int) -> str:
    """Return the two tables, of what is measured so far."""
    length = statistics.mean(race.rows.length for race in races)
    lines = [
        f"CSV to reviewed model, {name}, texts of {length:.0f} words, {cores()} cores, "
        f"medians of {rounds} interleaved runs:",
        "",
        "| rows | classes | stage | seconds | CPU, s | peak, MB |",
        "|--:|--:|---|--:|--:|--:|",
    ]
    for race in races:
        lines += [_line(race, stage, *_cells(cost)) for stage, cost in stages(race).items()]
        lines.append(_line(race, "the whole command", *_cells(whole(race, OURS))))
    lines += [
        "",
        f"| rows | classes | | accuracy, % | seconds | {OURS} = 1 | CPU, s | peak, MB |",
        "|--:|--:|---|--:|--:|--:|--:|--:|",
    ]
    for race in races:
        ours = whole(race, OURS).seconds
        for title, runs in race.runs.items():
            cost = whole(race, title)
            accuracy = statistics.median(run.accuracy for run in runs)
            seconds, *others = _cells(cost)
            ratio = f"{cost.seconds / ours:.2f}"
            lines.append(_line(race, title, f"{accuracy:.1f}", seconds, ratio, *others))
    return "\n".join([*lines, "", *footnotes(races)])


def stages(race: Race) -> dict[str, Cost]:
    """Return the median costs of our stages."""
    measured = [run.measured.stages for run in race.runs[OURS]]
    return {
        name: median([costs[name] for costs in measured if name in costs])
        for costs in measured
        for name in costs
    }


def whole(race: Race, title: str) -> Cost:
    return median([run.measured.whole for run in race.runs[title]])


def median(costs: list[Cost]) -> Cost:
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def _cells(cost: Cost) -> list[str]:
    return [f"{cost.seconds:,.1f}", f"{cost.cpu_seconds:,.1f}", f"{cost.peak_mb:,.0f}"]


def _line(race: Race, *cells: str) -> str:
    return f"| {' | '.join([f'{race.rows.rows:,}', str(race.rows.classes), *cells])} |"


def footnotes(races: list[Race]) -> list[str]:
    tested = dict.fromkeys(f"{race.rows.test_rows:,} of {race.rows.rows:,}" for race in races)
    lines = [
        f"Accuracy is of the test part, for all the same rows: {', '.join(tested)}.",
        "Stages run side by side where they can: their seconds may add up to more than the command's.",
        f"A stage is looked at every {1000 * LOOK:.0f} ms; peak: of all its processes at once.",
        f"{OURS} also fits the opponents that its report has, reviews the rows and tracks the run;",
        "an opponent learns with settings that are given, and labels the test rows.",
    ]
    for race in races:
        for title, limit in race.left_out.items():
            at = f"{race.rows.rows:,} rows of {race.rows.classes} classes"
            lines.append(f"Left out at {at}: {title}, {limit}.")
    if "fastText" not in installed():
        lines.append("fastText is not installed and did not take part: the package is fasttext-community.")
    return lines


def installed() -> list[str]:
    return [name for name in OPPONENTS if name != "fastText" or importlib.util.find_spec("fasttext")]


def main() -> None:
    try:
        given = Words("benchmark-train", (*words.SOURCE, *OF_GENERATED, ROUNDS), sys.argv[1:])
        unused = [word.name for word in OF_GENERATED if word.name in given.texts]
        if given[words.CORPUS] and unused:
            raise InputError(f"{', '.join(unused)}: of generated rows, and CORPUS has its own")
    except InputError as error:
        sys.exit(f"convtext: {error}")
    if not (PROC / "self" / "stat").exists():
        sys.exit("benchmark-train looks at stages in /proc, which only Linux has")
    corpus = given[words.CORPUS]
    name = f"{Path(corpus).name.partition('.')[0] or 'generated'}{'-long' if given[OF_MANY_WORDS] else ''}"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # gigabytes of rows are removed then, too
    began = time.perf_counter()
    benchmarks = data_folder() / "benchmarks"
    benchmarks.mkdir(parents=True, exist_ok=True)
    place, finished = benchmarks / f"csv-to-model-{name}.md", list[Race]()
    with TemporaryDirectory(dir=benchmarks) as folder:
        try:
            warm_up(given, Path(folder))
            for title, options in corpora(given, Path(folder, "generated.csv")):
                race = Race(options, installed(), Path(folder))
                race.run(given[ROUNDS], title)
                finished.append(race)
                text = report(finished, corpus or "generated rows", given[ROUNDS])
                place.write_text(text + "\n", "utf-8")
        except Unfinished as error:
            sys.exit(f"{error.output}\nbenchmark-train: the training {error}")
    print(f"{text}\n\n{place}, in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
