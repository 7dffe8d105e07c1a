from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.corpus.copies import Copies
from pipeline.corpus.data_report import EXAMPLES, mean_copies, split_sentences, summary
from pipeline.corpus.data_report import data_report as report_of

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
ALPHABET = " ".join("abcdefghijklmnopqrstuvwxyz")  # 26 words, 24 shingles


def data_report(rows: pd.DataFrame, **more: Any) -> dict[str, Any]:
    return report_of(rows, Copies(rows), **more)


def frame(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["text", "label", "part"])


SMALL = frame(
    ("Good film", "positive", "train"),
    ("good  FILM", "positive", "test"),
    ("bad film", "negative", "train"),
    ("bad film", "positive", "train"),
    ("do call me 12", "negative", "validation"),
    ("do call me 7", "negative", "train"),
    (ALPHABET, "negative", "train"),
    (ALPHABET + " A", "negative", "test"),
)


def test_where_not_all_texts_were_searched_for_near_copies_it_says_so() -> None:
    report = data_report(SMALL)
    assert report["near_searched"] == {"texts": 6, "of": 6} and split_sentences(report) == []
    report["near_searched"]["texts"] = 5
    assert split_sentences(report) == [
        "near copies were looked for in 5 of 6 texts, all that fit into the memory (MEMORY=): there may be "
        "more"
    ]


def test_rows_and_classes_are_counted_per_part() -> None:
    report = data_report(SMALL, set_aside=3, empty_texts=2)
    assert report["rows"] == {"all": 8, "train": 5, "validation": 1, "test": 2}
    assert report["classes"] == {
        "negative": {"all": 5, "train": 3, "validation": 1, "test": 1},
        "positive": {"all": 3, "train": 2, "validation": 0, "test": 1},
    }
    assert (report["set_aside"], report["empty_texts"]) == (3, 2)


def test_a_categorical_keeps_the_order_of_its_classes() -> None:
    rows = SMALL.assign(label=pd.Categorical(SMALL["label"], ["positive", "negative", "neutral"]))
    assert list(data_report(rows)["classes"]) == ["positive", "negative"]


def test_equal_texts_are_found_whatever_their_case_and_spaces() -> None:
    report = data_report(SMALL)
    assert report["duplicate_rows"] == 2
    assert report["equal_across_split"] == {
        "texts": 1,
        "validation": 0,
        "test": 1,
        "examples": [{"text": "Good film", "parts": {"train": 1, "test": 1}, "labels": {"positive": 2}}],
    }


def test_conflicting_labels_are_told_with_their_text() -> None:
    assert data_report(SMALL)["conflicting_labels"] == {
        "texts": 1,
        "examples": [{"text": "bad film", "labels": {"negative": 1, "positive": 1}}],
    }


def test_near_copies_across_the_split_are_told_with_both_rows() -> None:
    near = data_report(SMALL)["near_across_split"]
    assert (near["validation"], near["test"]) == (1, 1)
    assert near["examples"] == [
        {
            "part": "validation",
            "text": "do call me 12",
            "label": "negative",
            "training_text": "do call me 7",
            "training_label": "negative",
            "similarity": 1.0,
        },
        {
            "part": "test",
            "text": ALPHABET + " A",
            "label": "negative",
            "training_text": ALPHABET,
            "training_label": "negative",
            "similarity": 0.96,  # 24 of 25 shingles
        },
    ]


def test_lengths_are_percentiles_that_occur() -> None:
    rows = frame(*((" ".join(["word"] * n), "a", "train") for n in range(1, 101)))
    report = data_report(rows)
    assert report["words"] == {"min": 1, "5 %": 5, "median": 50, "95 %": 95, "99 %": 99, "max": 100}
    assert report["characters"]["max"] == 499


def test_examples_are_few_and_short() -> None:
    rows = frame(*((f"{n} " + "x" * 5000, label, "train") for n in range(50) for label in "ab"))
    conflicts = data_report(rows)["conflicting_labels"]
    assert conflicts["texts"] == 50
    assert len(conflicts["examples"]) == EXAMPLES
    assert max(len(example["text"]) for example in conflicts["examples"]) == 1000


def test_the_report_is_json_and_repeatable() -> None:
    report = data_report(SMALL)
    assert json.loads(json.dumps(report)) == report == data_report(SMALL)


def lines(report: dict[str, Any]) -> list[str]:
    printed = summary(report).split("\n")
    assert len(printed) <= 12
    widths = [sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) for line in printed]
    assert max(widths) <= 80
    assert all(width == 72 for line, width in zip(printed[:-1], widths, strict=False) if "more" not in line)
    return printed


def test_without_parts_the_summary_is_of_all_rows() -> None:
    report = data_report(SMALL)
    printed = summary(report, parts=False)
    assert not {"train", "test", "near"} & set(printed.split())
    classes = len(report["classes"])
    assert printed.split("\n")[: 1 + classes] == [line[:36] for line in lines(report)[1 : 2 + classes]]


def test_the_summary_is_a_short_aligned_table() -> None:
    assert lines(data_report(SMALL, set_aside=3)) == [
        "                                 all       train  validation        test",
        "rows                               8           5           1           2",
        "  negative                         5           3           1           1",
        "  positive                         3           2           0           1",
        "equal to training                                          0           1",
        "near to training                                           1           1",
        "                             min     5 %  median    95 %    99 %     max",
        "words                          2       2       2      27      27      27",
        "characters                     8       8      10      53      53      53",
        "duplicate rows: 2   set aside: 3   texts of several labels: 1",
    ]


def test_many_classes_are_cut_to_the_largest() -> None:
    rows = [(f"{label} {n}", f"class {label}", "train") for label in range(77) for n in range(label + 1)]
    printed = lines(data_report(frame(*rows)))
    assert [line.split("  ")[1] for line in printed[2:5]] == ["class 76", "class 75", "class 74"]
    assert printed[5] == "  … and 74 more"


def test_long_and_wide_names_keep_the_table_aligned() -> None:
    rows = frame(("a", "name " * 20, "train"), ("b", "非常好的酒店" * 5, "test"), ("c", "two\nlines", "test"))
    assert any("…" in line for line in lines(data_report(rows)))


def test_banking77_has_its_known_overlap() -> None:
    if not (CORPORA / "banking77").exists():
        pytest.skip(f"no corpora at {CORPORA}")
    train, test = (pd.read_csv(CORPORA / "banking77" / f"{name}.csv") for name in ("train", "test"))
    report = data_report(pd.concat([train.assign(part="train"), test.assign(part="test")]))
    assert report["rows"] == {"all": 13083, "train": 10003, "validation": 0, "test": 3080}
    assert len(report["classes"]) == 77
    assert report["equal_across_split"]["test"] == 26
    assert report["near_across_split"]["test"] == 356
    lines(report)


def test_images_are_equal_by_their_content_and_shown_by_file_and_line() -> None:
    rows = pd.DataFrame(
        {
            "file": ["a.npz"] * 4,
            "line": [1, 2, 3, 4],
            "content": ["p", "q", "p", "q"],
            "width": [4, 4, 5, 9],
            "height": [2, 2, 2, 2],
            "label": ["cat", "dog", "dog", "dog"],
            "part": ["train", "train", "test", "validation"],
        }
    )
    report = data_report(rows, set_aside=3)
    assert report["equal_across_split"]["test"] == report["equal_across_split"]["validation"] == 1
    assert report["conflicting_labels"] == {
        "images": 1,
        "examples": [{"text": "a.npz, 1", "labels": {"cat": 1, "dog": 1}}],
    }
    assert report["width"]["max"] == 9 and report["height"]["median"] == 2
    assert not {"words", "empty_texts", "near_across_split"} & {*report}
    assert "images of several labels: 1" in summary(report)


def test_copies_are_the_mean_over_the_splits_and_equal_ones_those_of_an_official_test_part() -> None:
    def counted(rows: int, near: int, equal: int) -> dict[str, dict[str, int]]:
        return {
            "rows": {"test": rows},
            "near_across_split": {"test": near},
            "equal_across_split": {"test": equal},
        }

    reports = [counted(1000, 3, 4), counted(1002, 0, 5)]
    near = "1.5 are near copies of a training row"
    assert mean_copies(reports, 2) == f"Of 1,001 test rows a fold {near}."
    assert mean_copies(reports, 1) == f"Of 1,001 test rows {near}, 4.5 are equal to a training row."
    assert mean_copies([{"rows": {"test": 9}}], 2) == ""


def near(rows: int, kept: int) -> dict[str, Any]:
    counts = {"of_rows": 1000, "rows": rows, "groups": 9, "largest": 4, "kept_together": kept}
    return {"split": {"near_copies": counts}}


def test_what_is_done_about_near_copies_is_told() -> None:
    assert split_sentences({"split": {}}) == split_sentences(near(0, 0)) == []
    assert split_sentences(near(200, 200)) == [
        "20.0% of the rows have near copies, and share a part with them"
    ]
    assert split_sentences(near(20, 0)) == [
        "2.0% of the rows have near copies, too few to be kept in one part: the result is also reported "
        "without them"
    ]
    both = split_sentences(near(300, 200))
    assert both[0].startswith("20.0% of the rows") and both[1].startswith("10.0% of the rows have near ")
    assert "in groups too large to be kept in one part" in both[1]


def test_a_split_by_a_column_is_told_with_its_ranges_or_groups() -> None:
    ranges = {"train": ["2024-01-01", "2024-03-01"], "test": ["2024-03-02", "2024-04-01"]}
    by_time = {"split": {"time": "day", "ranges": ranges, "absent_classes": {"train": "'new'"}}}
    assert split_sentences(by_time) == [
        "split by day: train 2024-01-01 to 2024-03-01; test 2024-03-02 to 2024-04-01",
        "no train row has the class 'new': others of it count as wrong",
    ]
    assert split_sentences(by_time, parts=False) == ["split by day"]
    by_group: dict[str, Any] = {"group": "customer", "groups": 1200, "given": ["validation"]}
    by_group |= {"groups_of_earlier_parts": {"validation": 2, "test": 3}}
    kept = "split by customer: 1,200 different, the rows of each in one part"
    seen = [
        "2 validation rows have a customer of training rows",
        "3 test rows have a customer of training or validation rows",
    ]
    assert split_sentences({"split": by_group}) == [kept, *seen]
    assert split_sentences({"split": by_group}, parts=False) == [kept]
    given = by_group | {"given": ["test", "validation"]}
    assert split_sentences({"split": given}, parts=False) == [kept, *seen]
    apart = by_group | {"equal_apart": 15}
    assert split_sentences({"split": apart}, parts=False)[1] == (
        "15 rows have a text that too many of these share: equal texts of different groups may be in "
        "different parts; the result is also reported without them"
    )
    printed = summary(data_report(SMALL, split=by_time["split"])).split("\n")
    assert max(map(len, printed)) <= 72 and printed[-1].startswith("no train row has")
