"""Linear members by the validation part, and fitted again."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.inputs import Sequences
from pipeline.linear import members
from pipeline.linear.members import Fit, Labelled, Member
from pipeline.linear.svm import C_VALUES
from pipeline.options import Criterion, Ngrams, Tokenize
from pipeline.text.encoder import TextEncoder

NAMES: list[Ngrams] = ["tokens", "characters"]
ENCODER = TextEncoder([f"w{number}" for number in range(20)], Tokenize(unit="word"))


def rows(count: int, seed: int, noise: float = 0.3) -> Labelled:
    """Five words each, of which most have even numbers in class 1; a share has a label at random."""
    random = np.random.default_rng(seed)
    words = random.integers(0, 25, (count, 5))  # the last five are outside the vocabulary
    labels = ((words % 2 == 0).sum(axis=1) > 2).astype(np.int32)
    labels = np.where(random.random(count) < noise, random.integers(0, 2, count), labels).astype(np.int32)
    return ENCODER.encode([" ".join(f"w{number}" for number in row) for row in words]), labels


def fit(criterion: Criterion = "accuracy", seed: int = 1) -> Fit:
    return Fit(ENCODER.words, 2, criterion, seed)


def accuracy(member: Member, part: Labelled) -> float:
    return float((member.model.predict(part[0]) == part[1]).mean())


@pytest.mark.parametrize("name", NAMES)
def test_the_c_is_the_smallest_of_those_best_on_the_validation_part(name: Ngrams) -> None:
    training, validation = rows(150, 1), rows(80, 2)
    chosen = fit().choose([name], training, validation)
    assert list(chosen) == [name]
    every = list(fit()._fit(name, training, C_VALUES))
    assert [member.C for member in every] == list(C_VALUES)
    scores = [accuracy(member, validation) for member in every]
    assert len(set(scores)) > 1
    assert C_VALUES[scores.index(max(scores))] == chosen[name].C
    assert accuracy(chosen[name], validation) == max(scores)


def test_it_learns_what_the_words_say() -> None:
    chosen = fit().choose(NAMES, rows(800, 1, noise=0), rows(100, 2, noise=0))
    assert list(chosen) == NAMES
    assert accuracy(chosen["characters"], rows(400, 3, noise=0)) > 0.9
    # To it, words outside the vocabulary are one: a fifth of all words says nothing.
    assert accuracy(chosen["tokens"], rows(400, 3, noise=0)) > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_of_equal_scores_the_smallest_c_is_taken(name: Ngrams) -> None:
    texts = ENCODER.encode(["w1 w1", "w2 w2"] * 10), np.array([0, 1] * 10, np.int32)
    assert min(C_VALUES) == fit().choose([name], texts, texts)[name].C


def test_the_criterion_chooses_and_weighs_the_classes() -> None:
    """One row in ten of "w1" is of class 1, and no other is: by accuracy it is 0, and weighed up 1."""
    texts = ENCODER.encode(["w1"] * 20 + ["w2"] * 80)
    part = texts, np.where(np.arange(100) < 5, 1, 0).astype(np.int32)
    by_accuracy = fit().choose(["tokens"], part, part)["tokens"].model
    by_macro_f1 = fit("macro_f1").choose(["tokens"], part, part)["tokens"].model
    w1 = ENCODER.encode(["w1", "w2"])
    assert by_accuracy.predict(w1).tolist() == [0, 0]
    assert by_macro_f1.predict(w1).tolist() == [1, 0]


def test_members_are_fitted_to_other_rows_with_their_own_c() -> None:
    training, validation = rows(150, 1), rows(80, 2)
    chosen = fit().choose(NAMES, training, validation)
    chosen["tokens"] = Member(chosen["tokens"].model, 0.07)
    again = fit().refit(chosen, validation)
    assert [member.C for member in again.values()] == [0.07, chosen["characters"].C]
    for name in NAMES:
        (expected,) = fit()._fit(name, validation, (again[name].C,))
        np.testing.assert_array_equal(again[name].model.weights, expected.model.weights)
        assert not np.array_equal(again[name].model.arrays()["bias"], chosen[name].model.arrays()["bias"])


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads() -> None:
    training, validation = rows(150, 1), rows(80, 2)
    together = fit().choose(NAMES, training, validation)
    for name in NAMES:
        alone = fit().choose([name], training, validation)[name]
        assert alone.C == together[name].C
        np.testing.assert_array_equal(alone.model.weights, together[name].model.weights)
        np.testing.assert_array_equal(alone.model.bias, together[name].model.bias)


@pytest.mark.parametrize("labels", [[0, 0, 0], [2, 0, 0]])
def test_texts_without_tokens_and_classes_without_rows_are_fitted_too(labels: list[int]) -> None:
    part = Sequences.from_rows([[], [], []]), np.array(labels, np.int32)
    chosen = Fit(ENCODER.words, 3, "macro_f1", 1).choose(NAMES, part, part)
    for member in chosen.values():
        logits = member.model.logits(ENCODER.encode(["w1 zzz", ""]))
        assert np.isfinite(logits).all() and logits[:, 1].max() < logits[:, 0].min()


def test_a_model_of_each_name_can_be_read_again() -> None:
    chosen = fit().choose(NAMES, rows(50, 1), rows(50, 2))
    assert {name: type(member.model) for name, member in chosen.items()} == members.MODELS
