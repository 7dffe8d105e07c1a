"""What a reviewer sees of a text and an image run: the dashboard and report.html in a real browser."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image

from tests.browser import Browser, framed
from tests.project import Project

RUNS = {
    "text": ["SET=train.epochs=1 embed.dimensions=8 network.filters=4", "MODEL=kim-rand"],
    "digits": ["SET=train.epochs=1 network.filters=[4]"],
}


class Reviewed:
    """The folders of both runs, their ids, and the address that `make dashboard` prints."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project = project
        self.data = folder / "data"
        text = folder / "text.csv"
        rows = [f"a {('lovely', 'awful')[n % 2]} film number {n},{('good', 'bad')[n % 2]}" for n in range(80)]
        text.write_text("\n".join(["text,label", *rows, ""]))
        corpora = {"text": str(text), "digits": "digits"}
        self.folders = {
            name: Path(self.make("train", f"CORPUS={corpora[name]}", *arguments).splitlines()[-1])
            for name, arguments in RUNS.items()
        }
        self.ids = {
            name: json.loads((path / "run.json").read_text())["mlflow_run"]
            for name, path in self.folders.items()
        }
        with closing(sqlite3.connect(self.data / "tracking" / "mlflow.db")) as store:
            ((self.experiment,),) = store.execute("select distinct experiment_id from runs").fetchall()
        self.address = ""

    def make(self, *arguments: str) -> str:
        done = self.project.make(self.data, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def reviewed(
    project: Project, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reviewed]:
    runs = Reviewed(project, tmp_path_factory.mktemp("reviewed"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        ["make", "dashboard", f"PORT={port}"], cwd=project.root, env=project.environment(runs.data),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    ) as server:  # fmt: skip
        try:
            assert server.stdout
            runs.address = server.stdout.readline().split()[-1].removesuffix("/results")
            until = time.monotonic() + 90
            while time.monotonic() < until:
                try:
                    urlopen(f"{runs.address}/health", timeout=5).close()
                    break
                except (URLError, OSError):
                    time.sleep(0.2)
            yield runs
        finally:
            os.killpg(server.pid, signal.SIGTERM)


def seen(browser: Browser, address: str, folder: Path) -> tuple[str, np.ndarray, list[str]]:
    """The page's words, its picture [height, width, 3], and what its console said."""
    options = "--window-size=1280,900", "--virtual-time-budget=15000"
    words, picture, console = browser.screenshot(folder, address, *options)
    return words, np.asarray(Image.open(BytesIO(picture.read_bytes())).convert("RGB")), console


def uncaught(said: list[str]) -> list[str]:
    """The errors of MLflow's own pages, which warn of much else."""
    return [line for line in said if "Uncaught" in line]


def assert_drawn(picture: np.ndarray) -> None:
    """Not a blank page: of its rows and columns of pixels many hold something."""
    ink = (picture != picture[0, 0]).any(axis=2)
    assert ink.any(axis=1).mean() > 0.3 and ink.any(axis=0).mean() > 0.3


def test_the_table_of_runs_tells_them_apart_and_begins_with_what_came_out(
    browser: Browser, reviewed: Reviewed, tmp_path: Path
) -> None:
    words, picture, said = seen(browser, f"{reviewed.address}/results", tmp_path)
    assert_drawn(picture)
    assert not uncaught(said)
    metrics = ["accuracy", "baseline_accuracy", "difference", "difference.low", "difference.high"]
    columns = ["tags.`corpus`", *(f"metrics.`test.{metric}`" for metric in metrics)]
    found = [re.search(rf'col-id="{re.escape(column)}"[^>]*left: (\d+)px', words) for column in columns]
    places = [int(place[1]) for place in found if place]
    assert len(places) == len(columns) and places == sorted(places) and places[0] == 0
    assert f"{reviewed.data.parent.name}/text.csv kim-rand" in words and "digits image_cnn" in words
    assert "shared view" not in words.lower()


@pytest.mark.parametrize("name", list(RUNS))
def test_the_runs_page_begins_with_what_came_out(
    browser: Browser, reviewed: Reviewed, name: str, tmp_path: Path
) -> None:
    page = f"{reviewed.address}/#/experiments/{reviewed.experiment}/runs/{reviewed.ids[name]}"
    words, picture, said = seen(browser, page, tmp_path)
    assert_drawn(picture)
    assert not uncaught(said)
    assert "Accuracy" in words and "To repeat it:" in words and "make train" in words
    assert "test.accuracy" in words


def test_the_compare_page_shows_both_runs(browser: Browser, reviewed: Reviewed, tmp_path: Path) -> None:
    chosen = quote(json.dumps(list(reviewed.ids.values()))), quote(json.dumps([str(reviewed.experiment)]))
    words, picture, said = seen(
        browser, f"{reviewed.address}/#/compare-runs?runs={chosen[0]}&experiments={chosen[1]}", tmp_path
    )
    assert_drawn(picture)
    assert not uncaught(said)
    assert all(run in words for run in reviewed.ids.values())


@pytest.mark.parametrize("name", list(RUNS))
def test_the_report_opens_without_a_server(
    browser: Browser, reviewed: Reviewed, name: str, tmp_path: Path
) -> None:
    words, _, said = seen(browser, (reviewed.folders[name] / "report.html").as_uri(), tmp_path)
    assert said == []
    assert "Is it better" in words and "make train" in words


@pytest.mark.parametrize("name", list(RUNS))
@pytest.mark.parametrize("width", [1280, 390])
def test_the_report_is_drawn_on_a_desk_and_on_a_phone(
    browser: Browser, reviewed: Reviewed, name: str, width: int, tmp_path: Path
) -> None:
    report = reviewed.folders[name] / "report.html"
    _, picture, said = seen(browser, framed(tmp_path, report, width).as_uri(), tmp_path)
    assert_drawn(picture[:, :width])
    assert said == []
    assert browser.unseen(tmp_path, report, width) == ([], [])
    question = "page => [...page.images].map(one => one.naturalWidth > 0 && one.width <= innerWidth)"
    seen_whole, _ = browser.ask(tmp_path, report, width, question)
    assert len(seen_whole) > 5 and all(seen_whole)
