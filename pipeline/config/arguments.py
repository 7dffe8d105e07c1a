"""The words of the command line: how their values are read, and which of them sets an option."""

from __future__ import annotations

import re

from ..errors import InputError

WORDS = {  # option -> the word that sets it; SET sets all others
    "source.text": "TEXT",
    "source.label": "LABEL",
    "source.test": "TEST",
    "source.encoding": "ENCODING",
}
REMEDIES = {
    "TEXT": "name another with TEXT=",
    "LABEL": "name another with LABEL=",
    "MODEL": "name a model with MODEL=",
}


def remedy(option: str) -> str:
    """Return what to type for another value of an option, such as "set it with ENCODING="."""
    # An option of no section is a word of the command line itself, such as `mirror`; the seed alone is both.
    word = WORDS.get(option) or ("" if "." in option or option == "seed" else option.upper())
    return REMEDIES.get(word) or (f"set it with {word}=" if word else f'set it with SET="{option}=..."')


def seconds(text: str) -> int:
    """`90s`, `10m`, `1h30m` -> seconds. Raises InputError for anything else, and for none at all."""
    found = re.fullmatch(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", text, re.ASCII)
    hours, minutes, rest = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + rest
    if not total:
        raise InputError(f"BUDGET={text!r}: expected a time such as 90s, 10m or 1h30m")
    return total
