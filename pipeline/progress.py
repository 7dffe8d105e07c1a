"""Progress bars on a terminal, with the time that is left: of what takes seconds, and one at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

from .terminal import TERMINAL_WIDTH, shorten, visible

SECONDS = 3.0  # without a bar: what is shorter needs none
TITLE_WIDTH = 30  # columns


class Bar(tqdm):  # type: ignore[type-arg]  # of whatever it counts
    """A tqdm that shows nothing before SECONDS have passed, nor while another bar is on the same terminal.

    Stages run side by side, each in a process of its own: the first that has something to show holds the
    terminal's last line, by a lock on the terminal, until its bar is closed. Where standard error is no
    terminal there is no bar.
    """

    _terminal = -1  # the descriptor that holds the lock

    def __init__(
        self, title: str, total: int | None, items: Iterable[Any] | None = None, **options: Any
    ) -> None:
        super().__init__(
            items,
            shorten(visible(title), TITLE_WIDTH),
            total,
            leave=False,
            disable=None,
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

    def _holds_line(self) -> bool:
        if self._terminal < 0:
            try:
                terminal = os.open(os.ttyname(self.fp.fileno()), os.O_WRONLY | os.O_NOCTTY)
            except OSError:  # the terminal has no name here, as in some containers: none can be locked
                return True
            try:
                fcntl.flock(terminal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(terminal)
                return False
            self._terminal = terminal
        return True
