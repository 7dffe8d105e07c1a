"""Progress bars on a terminal or in a notebook, with the time left: of what takes seconds, one at a time."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterable
from typing import Any, ClassVar

from tqdm import tqdm

from .terminal import TERMINAL_WIDTH, shorten, visible

SECONDS = 3.0  # without a bar: what is shorter needs none
TITLE_WIDTH = 30  # columns


class Bar(tqdm):  # type: ignore[type-arg]  # of whatever it counts
    """A tqdm that shows nothing before SECONDS have passed, nor while another bar is on the same terminal.

    Stages run side by side, each in a process of its own: the first that has something to show holds the
    terminal's last line, by a lock on the terminal, until its bar is closed. In a notebook, which is one
    process, the first bar holds the line likewise. Where standard error is neither there is no bar.
    """

    _terminal = -1  # the descriptor that holds the lock
    _on_nameless: ClassVar[Bar | None] = None  # the bar on what is no terminal or has no name

    def __init__(
        self, title: str, total: int | None, items: Iterable[Any] | None = None, **options: Any
    ) -> None:
        super().__init__(
            items,
            shorten(visible(title), TITLE_WIDTH),
            total,
            leave=False,
            disable=False if _in_notebook() else None,
            delay=SECONDS,
            ncols=TERMINAL_WIDTH,
            nrows=2,
            position=0,
            **options,
        )

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:  # type: ignore[override]
        """Show the bar, or a text in its place, where the line is free; `pos` is always 0."""
        return self._holds_line() and bool(super().display(msg, 0))

    def close(self) -> None:
        """Remove the bar, and leave the line to another."""
        super().close()
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1
        if Bar._on_nameless is self:
            Bar._on_nameless = None

    def _holds_line(self) -> bool:
        if self._terminal < 0:
            try:
                terminal = os.open(os.ttyname(self.fp.fileno()), os.O_WRONLY | os.O_NOCTTY)
            except OSError:  # a notebook, or a terminal without a name, as in some containers
                Bar._on_nameless = Bar._on_nameless or self
                return Bar._on_nameless is self
            try:
                fcntl.flock(terminal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(terminal)
                return False
            self._terminal = terminal
        return True


def _in_notebook() -> bool:
    """Return whether this is the kernel of a notebook, whose output is shown though it is no terminal.

    The package alone tells nothing: what starts kernels imports it too.
    """
    return "ipykernel.kernelapp" in sys.modules
