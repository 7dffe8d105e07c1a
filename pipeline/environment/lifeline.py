"""A pipe by which a process sees that the command that has started it is gone, however that has ended.

Stages, and the cross-validations of a table, would go on without it to the end, while another process does
the same work again.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from contextlib import suppress

_DESCRIPTOR = "CONVTEXT_LIFELINE"
_FIRST_DESCRIPTOR = 10  # the shells between use those below for their own ends


class Lifeline:
    """The command's end: nothing is written, and the system closes it with the process."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self.descriptor = fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, _FIRST_DESCRIPTOR)
        os.close(reading)
        self.environment = {_DESCRIPTOR: str(self.descriptor)}

    def hand_over(self) -> None:
        """Leave the other end to the process that was started with it."""
        os.close(self.descriptor)

    def close(self) -> None:
        """Let go of it, once that process has ended."""
        os.close(self._writing)


def end_with_command() -> None:
    """Have this process interrupted when the command that wants it is gone, if it hangs on a lifeline."""
    descriptor = os.environ.pop(_DESCRIPTOR, "")
    if descriptor:
        threading.Thread(target=_watch, args=(int(descriptor),), daemon=True).start()


def _watch(descriptor: int) -> None:
    with suppress(OSError):  # it did not come along
        os.read(descriptor, 1)
        os.kill(os.getpid(), signal.SIGTERM)
