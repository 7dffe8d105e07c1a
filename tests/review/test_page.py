"""The page that tells a run's story, with the worst that data can hold, in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.corpus.copies import Copies
from pipeline.corpus.data_report import data_report
from pipeline.measures.abstention import Outcomes
from pipeline.measures.calibration import reliability
from pipeline.measures.comparison import Lead, Opponent, Performance, Titles, compare, network_title
from pipeline.measures.metrics import Scores, confusion_order
from pipeline.measures.selective import Labelled, Selective, Target, selective
from pipeline.measures.slices import by_class
from pipeline.measures.softmax import softmax
from pipeline.measures.unseen import LeftOutClasses, Other, Separation
from pipeline.review import class_figures
from pipeline.review.assessment import Measures, MemberScores
from pipeline.review.page import NBSP, Report, flatten, inline
from pipeline.review.style import Figure
from tests.browser import Browser

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    '=HYPERLINK("http://example.com","a")',
    "\u202eright to left\u200f عربي",
    "{{ 7 * 7 }}{% raw %}",
    "x" * 3000,
    "\x00\x1b[31m</td></table>",
]


def report_of(rows: pd.DataFrame) -> dict[str, Any]:
    return data_report(rows, Copies(rows))


@cache
def png() -> bytes:
    pictures = np.zeros((2, 4, 4, 3), np.uint8)
    return saved(class_figures.wrong_pictures(pictures, HOSTILE[:2], HOSTILE[0]))


@cache
def wide_png() -> bytes:
    """Of thirty classes with names, which no phone shows in a width that can be read."""
    names = [f"a name of some length {number}" for number in range(30)]
    matrix = np.eye(30, dtype=np.int64)
    return saved(class_figures.confusion_matrix(matrix, np.arange(30), [], names, "run"))


def saved(figure: Figure) -> bytes:
    file = BytesIO()
    figure.write_png(file)
    return file.getvalue()


def opponents(truth: np.ndarray) -> dict[str, Opponent]:
    """One that has all rows right, and one that has those of the first class."""
    return {"linear": Opponent(truth, 0.8), "majority": Opponent(np.zeros_like(truth), 0.5)}


def titled(linear: str, network: str = "network") -> Titles:
    return Titles(network, {"linear": linear, "majority": "majority class"})


def report(**changed: Any) -> Report:
    """Seven classes and texts, none of them harmless; every second row is wrong."""
    truth = np.repeat(np.arange(len(HOSTILE)), 6)
    predicted = np.where(np.arange(len(truth)) % 2, truth, (truth + 1) % len(HOSTILE))
    before = reliability(softmax(np.eye(len(HOSTILE), dtype=np.float32)[predicted]), truth)
    outcomes = Outcomes(np.linspace(1, 0.5, len(truth), dtype=np.float32), predicted, predicted == truth)
    measures = Measures(
        comparison=compare(truth, predicted, opponents(truth), HOSTILE, "accuracy", seed=1),
        network_alone=None,
        members=[],
        slices={"class": by_class(truth, HOSTILE).accuracy(predicted == truth)},
        temperature=1.5,
        calibration_error=before.error,
        calibration_error_before=before.error,
        calibration_error_by_chance=(0.01, 0.024),
        selective=selective(outcomes, outcomes),
    )
    rows = pd.DataFrame({"file": "a/<b>.csv", "line": 2, "text": HOSTILE, "label": HOSTILE})
    wrong = rows.assign(
        predicted_label=HOSTILE[::-1],
        probability=0.9,
        evidence=[json.dumps([[text, 0.5], ["(bias)", -1.5]]) for text in HOSTILE],
    )
    values = {
        "title": HOSTILE[1],
        "titles": titled("TF-IDF + logistic regression"),
        "members": 1,
        "labels": HOSTILE,
        "measures": measures,
        "epochs": 3,
        "figures": {"confusion_matrix": wide_png(), "learning_curves": png()},
        "wrong": wrong,
        "suspects": rows.assign(
            part=["train"] * 5 + ["test"] * 2, suggested_label=HOSTILE[::-1], probability=0.8
        ),
        "data": report_of(rows.assign(part=["train", "validation", "test", *["train"] * 4])),
        "options": {"source": {"text": HOSTILE[0], "inputs": [{"path": HOSTILE[5]}]}},
        "run": {
            "mlflow_run": "0" * 32,
            "train_seconds": 1.2,
            "weights": {},
            "settings": {},
            "commit": "",
            "dirty": "",
        },
    }
    return Report(**(values | changed))


def test_the_learning_curves_say_of_which_weights_the_validation_curve_is() -> None:
    said = "that of the weights&#39; average over epochs, which is kept"
    assert said in report(options={"train": {"averaging": 0.8}}).html()
    assert said not in report(options={"train": {"averaging": 0.0}}).html()


def test_pretrained_vectors_have_their_coverage_and_what_is_feared_of_them() -> None:
    found = {"types": 0.871, "tokens": 0.964, "warnings": []}
    doubted = found | {"warnings": ["knows 41 of the 100 most frequent words"]}
    page = " ".join(report(vectors={"files": {"<glove>": found, "mini": doubted}}).html().split())
    first, second = page.split("<p>Pretrained vectors, ")[1:]
    assert "&lt;glove&gt;</bdi>: 87.1" in first and "96.4" in first and "Caution" not in first
    assert "mini</bdi>: 87.1" in second
    assert "mini</bdi> knows 41 of the 100 most frequent words.</strong>" in second
    assert "Pretrained vectors" not in report().html() + report(vectors={}).html()


def test_nothing_from_the_data_becomes_markup() -> None:
    page = report().html()
    assert (
        "<script" not in page
        and "<img src=x" not in page
        and "</td></table>" not in page.partition("<main>")[0]
    )
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 5
    assert page.count("</table>") == page.count("<table")
    assert "{{ 7 * 7 }}" in page
    assert "\x00" not in page and "x" * 401 not in page


def test_the_page_asks_for_nothing_outside_it() -> None:
    page = report().html()
    assert re.findall(r'(?:src|href)="(?!data:image/png;base64,|#)', page) == []
    assert "url(" not in page and "default-src 'none'" in page


@pytest.mark.parametrize(
    ("difference", "p", "verdict"),
    [
        (0.02, 0.003, "The network is significantly better than logistic regression on pixels (p = 0.003)."),
        (-0.02, 1e-9, "The network is significantly worse than logistic regression on pixels (p < 0.0001)."),
        (
            0.001,
            0.41,
            "No significant difference between the network and logistic regression on pixels (p = 0.41).",
        ),
    ],
)
def test_the_page_begins_with_the_verdict(difference: float, p: float, verdict: str) -> None:
    measures = report().measures
    lead = Lead(difference, (difference - 0.01, difference + 0.01), p)
    comparison = replace(measures.comparison, leads=measures.comparison.leads | {"accuracy": lead})
    page = report(
        titles=titled("logistic regression on pixels"),
        measures=replace(measures, comparison=comparison),
    )
    assert page.verdict.replace(NBSP, " ") == verdict
    assert page.html().index(page.verdict.replace("<", "&lt;")) < page.html().index("<h2>")


def test_a_page_of_a_model_chosen_by_macro_f1_begins_with_the_verdict_by_macro_f1() -> None:
    measures = report().measures
    comparison = replace(measures.comparison, criterion="macro_f1")
    page = report(titles=titled("B"), measures=replace(measures, comparison=comparison))
    assert page.verdict == "The network is significantly worse than B by macro-F1."
    text = " ".join(page.html().split())
    assert "Macro-F1 50.0 % against 100.0 % on 42 test rows: a difference of −50.0 points" in text


def member(name: str, weight: float, alone: float, without: float) -> MemberScores:
    """Whose macro-F1 is a tenth of its accuracy."""
    scores = (Scores(accuracy=share, macro_f1=share / 10, classes=[]) for share in (alone, without))
    return MemberScores(name, weight, *scores)


@pytest.mark.parametrize(
    ("networks", "names", "title", "first"),
    [
        (1, ["tokens"], "network + n-grams", "network"),
        (3, ["tokens", "characters"], "ensemble of 3 networks + n-grams", "mean of 3 networks"),
    ],
)
def test_a_pool_has_its_name_and_a_table_of_what_each_member_adds(
    networks: int, names: list[str], title: str, first: str
) -> None:
    alone = Performance(Scores(accuracy=0.123, macro_f1=0.1, classes=[]), accuracy_interval=(0.1, 0.2))
    members = [member("networks", 0.327, 0.9, 0.8), *(member(name, 12.5, 0.7, 0.6) for name in names)]
    settings = {name: {"C": 0.3, "naive_bayes": 0.274} for name in names}
    weights = {"networks": 0.327} | dict.fromkeys(names, 12.5)
    page = report(
        titles=titled("B", network_title(networks, True)),
        members=networks,
        run=dict(report().run) | {"weights": weights, "settings": settings},
        measures=replace(report().measures, network_alone=alone, members=members),
        figures={"filters": png(), "learning_curves": png()},
    )
    assert page.verdict.startswith(f"The {title} is significantly worse than B (p")
    body = page.html().partition("<nav>")[2]
    assert f"<td>{title}</td>" in body
    assert f"<td>{'network' if networks == 1 else 'networks'} alone</td>" in body
    assert f"12.3{NBSP}%" in body
    fitted = ", ".join(f"n-grams of {name} 27 % (C = 0.3)" for name in names)
    head = "Linear members are support vector machines with a share of naive Bayes"
    assert f"{head}: {fitted}.</p>" in body.replace(NBSP, " ")
    table = body.partition("What does each member add?</h3>")[2].partition("</table>")[0]
    told = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table.split("<tr>")[2:]]
    assert [[text.replace(NBSP, " ") for text in row] for row in told] == [
        [first, "0.33", "90.0 %", "80.0 %", "9.0 %", "8.0 %"],
        *([f"n-grams of {name}", "12.50", "70.0 %", "60.0 %", "7.0 %", "6.0 %"] for name in names),
    ]
    which = ("the network", "the network") if networks == 1 else ("the first network", "each network")
    assert f"The filters of the first layer of {which[0]} alone, with the n-grams" in body
    assert f"Learning curves of {which[1]} alone by epoch" in body


def test_networks_without_linear_models_have_their_name_and_no_table_of_members() -> None:
    page = report(
        titles=titled("B", network_title(2, False)),
        members=2,
        run=dict(report().run) | {"weights": {"networks": 1.0}},
        figures={"filters": png(), "learning_curves": png()},
    )
    assert page.verdict.startswith("The ensemble of 2 networks is significantly worse than B (p")
    assert "<td>ensemble of 2 networks</td>" in page.html()
    assert "What does each member add?" not in page.html()
    assert "The filters of the first layer of the first network alone, with the n-grams" in page.html()
    assert "Learning curves of each network alone by epoch" in page.html()


def test_one_network_alone_is_called_so_and_no_members_are_told() -> None:
    page = report(figures={"filters": png()}).html()
    assert "<td>network</td>" in page and "each member" not in page and "network alone" not in page


def test_a_run_without_mistakes_figures_or_suspects_has_a_page_too() -> None:
    none = report().wrong.head(0)
    page = report(figures={}, wrong=none, suspects=none.assign(part=[])).html()
    assert "All test rows are classified correctly." in page and "<figure>" not in page


def test_the_page_says_how_many_of_the_suspects_are_not_to_be_corrected_by_the_suggestion() -> None:
    page = report().html()
    assert "Labels worth a second look" in page
    assert "2 of them, the last, are test rows. Have these corrected by a" in page
    assert page.count('data-name="part">train<') == 5 and page.count('data-name="part">test<') == 2


@pytest.mark.parametrize(
    ("error", "conclusion"),
    [
        (0.005, "no evidence of miscalibration"),
        (0.021, "no evidence of miscalibration"),
        (0.025, "are significantly miscalibrated"),
    ],
)
def test_a_calibration_error_is_compared_with_that_by_chance_alone(error: float, conclusion: str) -> None:
    page = report(measures=replace(report().measures, calibration_error=error)).html()
    section = " ".join(page.partition('id="trust"')[2].partition("</p>")[0].split())
    assert "has an error of 1.0 % to 2.4 % (95&nbsp;% of simulations)" in section
    assert conclusion in section


def test_a_class_without_test_rows_stands_last_in_the_table() -> None:
    measures = report().measures
    comparison = measures.comparison
    classes = list(comparison.network.scores.classes)
    classes[2] = replace(classes[2], rows=0, f1=0.0)
    network = replace(comparison.network, scores=replace(comparison.network.scores, classes=classes))
    measures = replace(measures, comparison=replace(comparison, network=network))
    table = report(measures=measures).html().partition("<h3>By class</h3>")[2].partition("</table>")[0]
    assert table.count("no test rows") == 1
    assert "no test rows" in table.rpartition("<tr>")[2]


def test_classes_have_the_numbers_of_the_matrix_where_their_names_have_no_room_there() -> None:
    names = [f"name {number}" for number in range(31)]
    truth = np.arange(31)
    measures = replace(
        report().measures,
        comparison=compare(truth, truth, opponents(truth), names, "accuracy", seed=1),
        slices={"class": by_class(truth, names).accuracy(truth == truth)},
    )
    rows = pd.DataFrame({"file": "a.csv", "line": 2, "text": names, "label": names, "part": "train"})
    page = report(labels=names, measures=measures, data=report_of(rows)).html()
    numbers = confusion_order(np.eye(31, dtype=np.int64)).tolist().index(7) + 1
    table = page.partition("no. in the matrix")[2]
    assert f'<tr><td class="number">{numbers}</td><td class="label"><bdi dir="auto">name 7</bdi>' in table
    assert "no. in the matrix" not in report().html()


@pytest.mark.parametrize(
    ("dirty", "state"), [("yes", "with uncommitted changes"), ("no", "without uncommitted changes")]
)
def test_the_page_says_of_which_commit_the_program_was(dirty: str, state: str) -> None:
    page = report(run=dict(report().run) | {"commit": "abc123", "dirty": dirty}).html()
    assert "at commit <code>abc123</code>" in page and state in page
    assert "at commit" not in report().html()


def test_the_epochs_of_several_networks_are_a_sum() -> None:
    assert "3 epochs; run" in " ".join(report().html().split())
    assert "3 epochs of 2 networks together; run" in " ".join(report(members=2).html().split())


def test_text_is_shown_on_one_line_cut_and_with_a_direction_of_its_own() -> None:
    assert inline(" a\n b\t") == '<bdi dir="auto">a b</bdi>'
    assert inline("abcdef", 4) == '<bdi dir="auto">abc…</bdi>'
    assert inline("a_b\x07") == '<bdi dir="auto">a_<wbr>b\N{REPLACEMENT CHARACTER}</bdi>'


def test_options_are_named_as_in_set() -> None:
    options = {"train": {"epochs": 3, "name": "x"}, "windows": [1, 2], "none": None, "nothing": []}
    assert flatten(options) == {"train.epochs": "3", "train.name": "x", "windows": "[1, 2]"}


@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_the_page_without_an_error_or_a_sideways_scroll(
    browser: Browser, width: int, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    page.write_text(report().html(), "utf-8")
    question = """page => [page.documentElement.scrollWidth, page.body.scrollWidth,
      page.querySelectorAll("h2").length]"""
    (whole, body, sections), said = browser.ask(tmp_path, page, width, question)
    assert whole <= width and body <= width
    assert sections == 6
    assert said == []


def test_on_a_phone_a_figure_is_seen_whole_or_says_that_it_scrolls(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(report().html(), "utf-8")
    question = """page => [...page.querySelectorAll("figure")].map(figure => [
      figure.querySelector("img").getBoundingClientRect().width > figure.clientWidth,
      (figure.querySelector(".swipe")?.offsetHeight ?? 0) > 0])"""
    on_a_phone, _ = browser.ask(tmp_path, page, 390, question)
    assert on_a_phone == [[True, True], [False, False]]
    assert browser.unseen(tmp_path, page, 390)[0] == []
    on_a_desk, _ = browser.ask(tmp_path, page, 1280, question)
    assert on_a_desk == [[False, False], [False, False]]


def test_the_page_says_how_out_of_scope_rows_stand_out() -> None:
    page = report()

    def told(unseen: Other | LeftOutClasses | None) -> str:
        html = replace(page, measures=replace(page.measures, unseen=unseen)).html()
        return " ".join(re.sub("<[^>]*>", " ", html).replace("&nbsp;", " ").split())

    weak, strong = Separation(HOSTILE[0], 7, 0.6, (0.4, 0.8)), Separation("b", 9, 0.9, (0.8, 0.95))
    other = told(Other(strong, 0.81))
    assert "No row of b was trained on. Of one of its 9 rows and" in other
    assert "90.0 % of cases (AUROC, 95 % interval 80.0 % to 95.0 %" in other
    assert "ABSTAIN=precision:0.95 leaves 81.0 % of them without a label" in other
    assert "leaves" not in told(Other(strong, None))
    found = told(LeftOutClasses([strong, weak]))
    assert "75.0 % of cases on average (AUROC; 50 % by chance): from 60.0 % for &lt;script" in found
    assert "without one of 2 classes at a time, stands in for it" in found
    assert "Not measured: with two classes, none" in told(LeftOutClasses([], "with two classes, none"))
    assert "out-of-scope rows" not in told(None)


def test_the_page_says_what_each_target_came_to_on_the_test_part() -> None:
    page = report()
    kept = Target(0.95, Labelled(0.75, 61, 0.61, 0.956, (0.93, 0.97)))
    none, empty = Target(0.99, None), Target(0.98, Labelled(0.999, 0, 0.0, None, None))
    measured = Selective([], 0.1, [kept, empty, none])
    html = replace(page, measures=replace(page.measures, selective=measured)).html()
    text = " ".join(re.sub("<[^>]*>", " ", html).split())
    assert "95.0 % 0.7500 61.0 % 95.6 % (93.0 % to 97.0 %)" in text
    assert "98.0 % 0.9990 0.0 % no row" in text
    assert "99.0 % not shown by the validation part at any probability" in text
    unknown = Selective([], 0.1, [])
    assert "ABSTAIN" not in replace(page, measures=replace(page.measures, selective=unknown)).html()
