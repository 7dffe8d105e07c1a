"""A table with all that is wrong with published ones: trained on and labelled, with a complete summary."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.messy_table import write_mess
from tests.project import Project

pytestmark = pytest.mark.slow


def test_a_messy_table_trains_and_is_labelled_and_every_row_is_accounted_for(
    project: Project, tmp_path: Path
) -> None:
    table, output = tmp_path / "reviews.csv", tmp_path / "labelled.csv"
    mess = write_mess(table, 3000)
    words = [f"CORPUS={table}", "TEXT=review", "LABEL=stars", "MODEL=kim-rand"]
    done = project.make(tmp_path / "data", "train", *words, f"SET={project.tiny(1)}")
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.splitlines()[-1])
    assert (
        f"  rows set aside, with line and reason: {folder.parent}/rejects.csv\n"
        "    no text: 60\n    6 fields where the header has 5: 9\n    the only row of class …: 1\n"
    ) in done.stdout
    assert mess == (3000, 9, 60, 1)
    assert re.search(r"\n  rows +2,930 ", done.stdout)  # 3,000 - 9 - 60 - 1
    assert (
        "  caution: 1 class has a single row, set aside, as it cannot be both learned\n"
        "  and tested: 'odd'; RARE=keep learns it\n"
    ) in done.stdout
    done = project.make(
        tmp_path / "data", "predict", f"INPUT={table}", f"OUTPUT={output}", words[0], words[3]
    )
    assert done.returncode == 0, done.stderr
    labelled = mess.rows - mess.ragged
    assert f"predict: {labelled:,} rows labelled, " in done.stdout
    assert (
        f"  rows that could not be read: {mess.ragged}\n"
        f"    6 fields where the header has 5: {mess.ragged}\n  they are listed in {output}.rejects.csv\n"
    ) in done.stdout
    assert max(map(len, done.stdout.replace(str(tmp_path), "").splitlines())) <= 79
    with output.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert len(rows) == labelled
    assert {row["predicted_label"] for row in rows} <= {"good", "Good", "bad", "meh"}
    assert output.read_bytes().startswith(b"\xef\xbb\xbfid;review;stars;")
