"""A real browser that looks at pages: Chromium, without a window."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What is cut off at the right without a shadow at its edge; of figures also what is not told to scroll.
UNSEEN = """page => [...page.querySelectorAll(".scroll")].filter(box => {
  const shadows = page.defaultView.getComputedStyle(box).backgroundImage.split("linear-gradient").length - 1;
  const before = box.previousElementSibling;
  const isTold = before?.classList.contains("swipe") && before.offsetHeight > 0;
  const isCut = box.scrollWidth > box.clientWidth + 1;
  return isCut && (shadows < 4 || (box.querySelector("img") && !isTold));
}).map(box => box.innerText.slice(0, 40) || box.querySelector("img").alt)"""


class Browser:
    """Each call starts Chromium anew; `folder` holds what it and the call leave behind."""

    def __init__(self, program: str) -> None:
        self.program = program

    def browse(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Return what Chromium printed; a failure of its own is an error."""
        command = [
            self.program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", "--v=0",
        ]  # fmt: skip
        return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=True)

    def ask(self, folder: Path, page: Path, width: int, question: str) -> tuple[Any, list[str]]:
        """Return what a JavaScript function of the file's document returns at this width, and the console."""
        path = framed(folder, page, width)
        script = f"""<script>onload = () => document.title =
          JSON.stringify(({question})(document.querySelector("iframe").contentDocument))</script>"""
        path.write_text(path.read_text("utf-8") + script, "utf-8")
        files = "--allow-file-access-from-files"
        done = self.browse(folder, files, "--virtual-time-budget=5000", "--dump-dom", path.as_uri())
        title = re.search(r"<title>(.*?)</title>", done.stdout, re.S)
        assert title, done.stderr
        return json.loads(title[1]), console(done)

    def unseen(self, folder: Path, page: Path, width: int) -> tuple[list[str], list[str]]:
        """Return the boxes that are cut off without a hint at this width, and the console."""
        return self.ask(folder, page, width, UNSEEN)

    def screenshot(self, folder: Path, address: str, *options: str) -> tuple[str, Path, list[str]]:
        """Return the page's document and its picture, and what the console said to either."""
        picture = folder / "page.png"
        drawn = self.browse(folder, *options, f"--screenshot={picture}", address)
        read = self.browse(folder, *options, "--dump-dom", address)
        return read.stdout, picture, console(drawn) + console(read)


def console(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines of the page's console."""
    return [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def framed(folder: Path, page: Path, width: int) -> Path:
    """Return a page that shows a file in a frame of this width: Chromium's own windows are not as narrow."""
    path = folder / f"framed-{width}.html"
    path.write_text(
        "<!DOCTYPE html><style>body { margin: 0 } iframe { border: 0; height: 900px }</style>"
        f'<iframe src="{page.as_uri()}" style="width: {width}px"></iframe>',
        "utf-8",
    )
    return path
