"""The model card, with the worst that data can hold."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.card.markdown import inline, quoted
from pipeline.card.model_card import ModelCard
from pipeline.measures.selective import Labelled, Selective, Target
from pipeline.measures.slices import by_class, by_share
from pipeline.measures.unseen import LeftOutClasses, Other, Separation
from pipeline.prediction.drift import Reference
from pipeline.review.page import NBSP, Report
from tests.review.test_page import HOSTILE, member, report

REFERENCE = Reference(outside=0.123, classes=[0.1, 0.5, 0.4, 0, 0, 0, 0])
RUN = {
    "mlflow_run": "0" * 32,
    "train_seconds": 1.2,
    "settings": {},
    "commit": "abc123",
    "dirty": "yes",
    "command": "make train CORPUS='a b.csv' TEXT=review MODEL=convtext",
}


def card(page: Report | None = None, **changed: Any) -> str:
    values = {
        "report": page or report(run=RUN),
        "kind": "text",
        "files": [("a|b.csv", 1234)],
        "columns": ["review"],
        "reference": REFERENCE,
        "digests": {"model": "aa", "test rows": "bb"},
    }
    return ModelCard(**(values | changed)).markdown()


def front_matter(text: str) -> dict[str, Any]:
    _, head, _ = text.split("---\n", 2)
    loaded: dict[str, Any] = yaml.safe_load(head)
    return loaded


def table(text: str, heading: str) -> list[list[str]]:
    """The cells of the table whose head begins so."""
    lines = text.partition(f"\n{heading}")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_head_is_that_of_hugging_faces_hub() -> None:
    head = front_matter(card())
    assert (head["pipeline_tag"], head["library_name"]) == ("text-classification", "convtext")
    assert "license" not in head and "language" not in head
    (entry,) = head["model-index"]
    (result,) = entry["results"]
    assert result["task"] == {"type": "text-classification"}
    assert result["dataset"]["split"] == "test"
    assert [(metric["type"], metric["value"]) for metric in result["metrics"]] == [
        ("accuracy", 0.5),
        ("f1", 0.5),
    ]


def test_a_card_of_images_has_their_task() -> None:
    page = report(run=RUN)
    sizes = {"width": {"median": 8}, "height": {"median": 9}, "conflicting_labels": {"images": 0}}
    data = {name: value for name, value in page.data.items() if name not in ("words", "characters")}
    text = card(replace(page, data=data | sizes), kind="image")
    assert front_matter(text)["pipeline_tag"] == "image-classification"
    assert "8 pixels wide and 9 high" in text and 'predict(["new.png"])' in text
    assert "words" not in text.partition("## Evaluation")[2].partition("## How to use")[0]


@given(st.text())
def test_any_title_is_a_string_of_yaml(title: str) -> None:
    loaded = yaml.safe_load(f"name: {quoted(title)}\n")["name"]
    assert isinstance(loaded, str)
    if title.isalnum():
        assert loaded == title


def test_nothing_from_the_data_becomes_markup() -> None:
    text = card()
    body = text.split("\n---\n", 1)[1]
    assert (
        "<" not in body.replace("(p < 0.0001)", "")
        and "\x1b" not in text
        and "\x00" not in text
        and "\u202e" not in text
    )
    assert "{{ 7 \\* 7 }}" in body and "x" * 200 not in body
    assert all(len(row) == 8 for row in table(text, "| class |"))
    assert "a\\|b.csv, 1,234 bytes" in text


def test_the_measures_have_their_intervals() -> None:
    """The network has 21 of 42 rows right, and the linear model all."""
    text = card()
    assert "**Accuracy 50.0 %** on 42 test rows. TF-IDF + logistic regression, the" in text
    rows = {row[0]: row[1:] for row in table(text, "| | accuracy |")}
    assert rows["network"] == ["50.0 %", "35.5 to 64.5 %", "50.0 %"]
    assert rows["TF-IDF + logistic regression"][0] == "100.0 %"
    lead = "**Accuracy, difference from TF-IDF + logistic regression:** -50.0 points, interval -"
    assert lead in text and "significantly worse (p < 0.0001)" in text
    assert "a perfectly calibrated classifier has 1.0 to 2.4 % by chance: significantly miscalibrated" in text


def test_a_class_with_significantly_fewer_right_rows_is_marked_and_few_rows_are_told() -> None:
    page = report(run=RUN)
    truth = np.repeat(np.arange(7), 6)
    correct = truth != 3
    measures = replace(page.measures, slices={"class": by_class(truth, HOSTILE).accuracy(correct)})
    text = card(replace(page, measures=measures))
    marked = {row[0] for row in table(text, "| class |") if row[-1] == "yes"}
    assert marked == {inline(HOSTILE[3], 60)}
    assert {row[-1] for row in table(card(), "| class |")} == {""}
    assert "**Little is known** of 7 classes, which have fewer than 10 test rows" in text
    assert [row[1] for row in table(text, "| class |")].count("1") == 5  # training rows; two have none


def test_a_slice_that_is_significantly_worse_is_told_and_others_are_not() -> None:
    page = report(run=RUN)
    unknown = np.arange(42) % 2
    worse = by_share(unknown, np.ones(42, np.int64)).accuracy(unknown == 0)
    measures = replace(page.measures, slices=page.measures.slices | {"unknown_words": worse})
    (row,) = table(card(replace(page, measures=measures)), "| | test rows |")
    assert row[:4] == ["words outside the vocabulary: above 25 %", "21", "0.0 %", "0.0 to 15.5 %"]
    assert "no slice of the test rows is significantly worse" in card()


def test_what_is_usual_is_told_to_watch_new_rows_by() -> None:
    text = card()
    assert "12.3 % of the validation part's words are outside the vocabulary" in text
    usual = [inline(HOSTILE[place], 60) for place in (1, 2, 0)]
    assert f"most often are {usual[0]} 50.0 %, {usual[1]} 40.0 %, {usual[2]} 10.0 %, " in text
    assert "What is usual" not in card(reference=None)


def test_labels_that_look_wrong_are_counted() -> None:
    assert "**Labels that look wrong:** 7 rows, 2 of them test rows, judged by" in card()
    none = report().suspects.head(0)
    assert "**Labels that look wrong:** 0 rows, judged" in card(report(run=RUN, suspects=none))


SEPARATION = Separation("oos|", 30, 0.9, (0.85, 0.94))


@pytest.mark.parametrize(
    ("unseen", "told"),
    [
        (
            Other(SEPARATION, 0.8),
            r"30 rows of oos\| stand out by a lower probability with an AUROC of 90.0 %, ",
        ),
        (Other(SEPARATION, None), "interval 85.0 to 94.0 %\n"),
        (Other(SEPARATION, 0.8), "`ABSTAIN=precision:0.95` leaves 80.0 % of them without a label\n"),
        (LeftOutClasses([SEPARATION]), "with an AUROC of 90.0 % on average"),
        (LeftOutClasses([], "two classes"), "not measured: two classes"),
    ],
)
def test_how_rows_of_no_label_stand_out_is_told_where_it_was_measured(unseen: Any, told: str) -> None:
    page = report(run=RUN)
    assert told in card(replace(page, measures=replace(page.measures, unseen=unseen)))


def test_what_abstention_comes_to_is_told_for_each_precision() -> None:
    page = report(run=RUN)
    targets = [
        Target(0.9, Labelled(0.8, 20, 0.5, 0.95, (0.8, 0.99))),
        Target(0.95, Labelled(0.99, 0, 0.0, None, None)),
        Target(0.98, None),
    ]
    selective = Selective([], 0.1, targets)
    text = card(replace(page, measures=replace(page.measures, selective=selective)))
    assert table(text, "| precision asked for |") == [
        ["90.0 %", "0.8000", "50.0 %", "95.0 %", "80.0 to 99.0 %"],
        ["95.0 %", "0.9900", "no row", "", ""],
        ["98.0 %", "not shown", "", "", ""],
    ]
    none = replace(page.measures, selective=Selective([], 0.1, []))
    assert "precision asked for" not in card(replace(page, measures=none))


def test_the_members_of_a_pool_are_told_and_a_network_alone_has_none() -> None:
    page = report(run=RUN)
    members = [member("networks", 0.327, 0.9, 0.8), member("tokens", 1.5, 0.7, 0.6)]
    text = card(replace(page, measures=replace(page.measures, members=members)))
    assert "with weights: network 0.33, n-grams of tokens 1.50\n- **Input:**" in text
    fitted = page.run | {"settings": {"tokens": {"C": 0.1, "naive_bayes": 0.25}}}
    text = card(replace(page, measures=replace(page.measures, members=members), run=fitted))
    assert "n-grams of tokens 1.50. Linear members are support vector machines" in text
    assert "of naive Bayes: n-grams of tokens 25 % (C = 0.1).\n- **Input:**" in text.replace(NBSP, " ")
    assert "Members" not in card()


def test_the_commands_use_the_model_and_repeat_it() -> None:
    text = card()
    assert "```bash\nmake predict INPUT=new.csv CORPUS='a b.csv' MODEL=convtext\n```" in text
    assert "```bash\nmake train CORPUS='a b.csv' TEXT=review MODEL=convtext\n```" in text
    assert "commit `abc123` with uncommitted changes\n- **Seed:**" in text
    assert "**Digests:** model `aa`, test rows `bb`\n" in text
    assert "commit" not in card(report())
    compile(text.partition("```python\n")[2].partition("```")[0], "example", "exec")


def test_pretrained_vectors_are_named_with_what_is_feared_of_them() -> None:
    found = {"types": 0.871, "tokens": 0.964, "warnings": ["knows few words"]}
    text = card(report(run=RUN, vectors={"files": {"glove|": found}}))
    assert (
        r"**Pretrained vectors:** glove\|, for 87.1 % of the vocabulary; caution: glove\| knows few words"
        in text
    )


def test_no_line_is_blank_twice_and_every_section_is_there() -> None:
    text = card()
    assert "\n\n\n" not in text
    assert re.findall("^## (.*)$", text, re.M) == [
        "Model details", "Intended use", "Training data", "Evaluation", "Limitations", "How to use",
        "How to repeat",
    ]  # fmt: skip
