"""A table as people publish them: a mark, mixed line ends, ragged and blank rows, several spellings."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path
from typing import NamedTuple

WORDS = {
    "good": ["lovely", "handy", "bright", "sturdy", "tidy", "warm", "quick", "cheerful"],
    "bad": ["soggy", "gloomy", "broken", "rough", "stingy", "flimsy", "dull", "messy"],
    "meh": ["plain", "usual", "standard", "ordinary", "average", "common", "fair", "simple"],
}
THINGS = [
    "".join(syllables) for syllables in product(["ba", "cu", "de", "fi", "go", "ku", "lo", "mi"], repeat=4)
]
VARIANTS = {"good": ["good", "Good", "good\xa0"]}
LINE_ENDS = ["\n", "\n", "\r\n", "\r"]


class Mess(NamedTuple):
    """How many rows of the table are of which kind."""

    rows: int
    ragged: int
    blank: int
    lone: int  # the only ones of their class


def write_mess(path: Path, rows: int) -> Mess:
    """Write so many rows: 0.3 % ragged, 2 % blank, a class in three spellings, and one of a single row."""
    pick = random.Random(1)
    ragged, blank = round(0.003 * rows), round(0.02 * rows)
    kinds = ["ragged"] * ragged + ["blank"] * blank + ["fine"] * (rows - ragged - blank)
    pick.shuffle(kinds)
    lone = kinds.index("fine")
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write("id;review;stars;price, EUR;\r\n")
        for number, kind in enumerate(kinds):
            label = pick.choice(list(WORDS))
            text = " ".join(pick.sample(THINGS, 6) + pick.sample(WORDS[label], 2))
            text = {
                "ragged": f"{text}; and so on",
                "blank": pick.choice(["", "  ", "\u200b"]),
                "fine": pick.choice([text, f'"{text}, ""really"""', f'"{text}\n\nindeed"']),
            }[kind]
            label = pick.choice(VARIANTS.get(label, [label]))
            if number == lone:
                label = "odd"
            file.write(f"{number};{text};{label};{number % 100},50;{pick.choice(LINE_ENDS)}")
    return Mess(rows, ragged, blank, lone=1)
