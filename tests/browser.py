"""A real browser that looks at pages: Chromium, without a window."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (1280, 390)  # a desk's and a phone's, in pixels
# What is cut off at the right without a shadow at its edge; of figures also what is not told to scroll.
UNSEEN = """page => [...page.querySelectorAll(".scroll")].filter(box => {
  const shadows = page.defaultView.getComputedStyle(box).backgroundImage.split("linear-gradient").length - 1;
  const before = box.previousElementSibling;
  const isTold = before?.classList.contains("swipe") && before.offsetHeight > 0;
  const isCut = box.scrollWidth > box.clientWidth + 1;
  return isCut && (shadows < 4 || (box.querySelector("img") && !isTold));
}).map(box => box.innerText.slice(0, 40) || box.querySelector("img").alt)"""


def browse(profile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Chromium's answer; `profile` is a folder for what it keeps. A failure of its own is an error."""
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={profile}", "--enable-logging=stderr", "--v=0",
    ]  # fmt: skip
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=True)


def console(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the page's console said."""
    return [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def framed(folder: Path, page: Path, width: int) -> Path:
    """A page that shows a file in a frame of this width: no window of Chromium itself is as narrow."""
    path = folder / f"framed-{width}.html"
    path.write_text(
        "<!DOCTYPE html><style>body { margin: 0 } iframe { border: 0; height: 900px }</style>"
        f'<iframe src="{page.as_uri()}" style="width: {width}px"></iframe>',
        "utf-8",
    )
    return path


def asked(folder: Path, page: Path, width: int, question: str) -> tuple[Any, list[str]]:
    """What a function in JavaScript makes of the file's document at this width, and what the console said."""
    path = framed(folder, page, width)
    script = f"""<script>onload = () => document.title =
      JSON.stringify(({question})(document.querySelector("iframe").contentDocument))</script>"""
    path.write_text(path.read_text("utf-8") + script, "utf-8")
    files = "--allow-file-access-from-files"
    done = browse(folder / "profile", files, "--virtual-time-budget=5000", "--dump-dom", path.as_uri())
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.S)
    assert title, done.stderr
    return json.loads(title[1]), console(done)
