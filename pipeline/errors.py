"""Errors that the user can mend, and results that are not what was asked for."""

from __future__ import annotations

import errno
import re

# Of packages that are imported, those of other extras than `train`.
_EXTRAS = {
    "adlfs": "stores",
    "fasttext": "fasttext",
    "fsspec": "stores",
    "gcsfs": "stores",
    "onnx": "export",
    "onnxruntime": "encoder",
    "pyspark": "spark",
    "s3fs": "stores",
    "tokenizers": "encoder",
}
_NO_MEMORY = re.compile(r"(?i)cannot allocate memory|failed to map segment|can't start new thread")


class InputError(ValueError):
    """One line: what is wrong, where (file, line, column) and what was expected.

    `option` names the option that would mend it, such as `source.text`: the command line adds the word that
    sets it. `python -m pipeline` prints the line without a traceback and exits with code 2.
    """

    def __init__(self, message: str, *, option: str = "") -> None:
        super().__init__(" ".join(message.splitlines()))
        self.option = option


class StoreUnreachable(InputError):
    """A server, of runs or of a shared study, does not answer; the request itself is not at fault."""


class Diverged(InputError):
    """The training loss is not a finite number."""


class Refused(Exception):
    """The request was refused for reasons that are a result, not a fault.

    `python -m pipeline` prints the line and exits with code 1.
    """


def is_interrupt(error: BaseException | None) -> bool:
    """Return True for KeyboardInterrupt and for errors caused by one.

    numba wraps an interrupt on kernel entry in a chain of other errors.
    """
    return isinstance(error, KeyboardInterrupt) or (error is not None and is_interrupt(error.__cause__))


def is_lack_of_memory(error: BaseException | None) -> bool:
    """Return True for MemoryError, and for what the system and the libraries make of a lack of memory.

    That is a thread that cannot start, or a shared object that cannot be loaded, of which some raise others.
    """
    if error is None:
        return False
    by_system = isinstance(error, OSError) and error.errno == errno.ENOMEM
    by_text = isinstance(error, (ImportError, OSError, RuntimeError)) and _NO_MEMORY.search(str(error))
    below = error.__cause__ or error.__context__
    return isinstance(error, MemoryError) or by_system or bool(by_text) or is_lack_of_memory(below)


def missing_package(error: BaseException | None) -> str:
    """Return a line for what could not be imported as it is not installed, with what to type; else ""."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    package = error.name.partition(".")[0]
    if package == __package__:
        return ""
    extra = _EXTRAS.get(package, "train")
    return f"{package} is not installed: install convtext with its extra `{extra}` (pip install '.[{extra}]')"


class StageFailed(Exception):
    """A stage in a process of its own failed, and has said why: what it was made for ends with its code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
