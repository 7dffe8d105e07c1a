"""The answer to one text, as lines."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.folding.folded import ConvolutionShape, FoldedModel, FoldedNetwork
from pipeline.options import Tokenize
from pipeline.prediction.answer import NO_WORDS, answer
from pipeline.prediction.classifier import Classifier
from pipeline.prediction.pool import Pool
from pipeline.text.encoder import TextEncoder


def classifier(labels: list[str], longest: int = 9, words: tuple[str, ...] = ("good", "film")) -> Classifier:
    """One filter of one word: 2 for good, 1 for film; it speaks for the first class, 1 and 1/2 a unit."""
    table = np.array([[0], [0], [2], [1]], np.float32)
    weights = np.zeros((len(labels), 1), np.float32)
    weights[0] = 1
    shape = ConvolutionShape.model_validate({"windows": [1], "filters": [1], "activation": "relu"})
    one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
    network = FoldedNetwork(shape, table, one, zero, weights, np.zeros(len(labels), np.float32))
    encoder = TextEncoder([*words], Tokenize(unit="word", maximum_length=longest, unseen="unknown"))
    return Classifier(lambda: Pool(FoldedModel([network]), {}, [1.0]), encoder, labels, "text")


def test_labels_come_with_probabilities_and_the_first_with_its_evidence() -> None:
    # The logits are 2 and 0: 1 / (1 + e^-2) is 88.1 %.
    assert answer(classifier(["well", "ill"]), "a good film") == [
        "   88.1%  well",
        "   11.9%  ill",
        "",
        "why well, as parts of its logit:",
        "   +2.00  good",
        "   +0.00  (bias)",
    ]


def test_a_word_like_a_known_one_makes_no_answer_doubtful() -> None:
    model = classifier(["well", "ill"])
    encoder = TextEncoder(["good", "film"], Tokenize(unit="word", unseen="similar"))
    similar = Classifier(lambda: model.predictor, encoder, ["well", "ill"], "text")
    assert not answer(similar, "films")[0].startswith("caution")


def test_what_makes_an_answer_doubtful_is_said_first() -> None:
    unheard = "caution: the model knows no word of the text: predict gives probability 0"
    assert answer(classifier(["well", "ill"]), "unheard of")[0] == unheard
    # What is known is behind the first two words, which alone are read.
    assert unheard in answer(classifier(["well", "ill"], 2), "unheard of a good film")
    assert answer(classifier(["well", "ill"], 2), "good film " * 600)[0] == (
        "caution: only the first 2 of 1,200 words are read"
    )


@pytest.mark.parametrize("text", ["", " \t\n", "\u3000"])
def test_a_text_without_words_gets_no_label(text: str) -> None:
    assert answer(classifier(["well", "ill"]), text) == [NO_WORDS]


def test_many_labels_and_long_names_fit_the_terminal() -> None:
    labels = [f"{'很长的名字' * 20}{number}" for number in range(77)]
    lines = answer(classifier(labels), "good " + "x" * 300)
    assert lines[10] == "   80.3%  (67 other labels)"  # 67 / (e^2 + 76)
    columns = [sum(2 if character > "\u2e80" else 1 for character in line) for line in lines]
    assert max(columns) <= 79


def test_a_text_in_another_script_is_answered_as_any_other() -> None:
    lines = answer(classifier(["ja", "nein"], words=("שלום", "你好")), "שלום עולם")
    assert lines[-2:] == ["   +2.00  שלום", "   +0.00  (bias)"]
