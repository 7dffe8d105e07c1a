"""Which word of the command line sets an option of the files in conf/."""

from __future__ import annotations

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
