"""Linear members are chosen and weighed by held-out rows, and fitted."""

from __future__ import annotations

from time import sleep

import numpy as np
import pytest

from pipeline.arrays import sample
from pipeline.inputs import LabelledInputs, Sequences
from pipeline.linear import members
from pipeline.linear.members import Choice, Fit, LinearModel, Setting
from pipeline.linear.naive_bayes import naive_bayes
from pipeline.linear.svm import C_VALUES
from pipeline.linear.token_ngrams import TokenFeatures, TokenNgrams
from pipeline.measures.stacking import stack
from pipeline.options import Criterion, Ngrams, Tokenize
from pipeline.text.encoder import TextEncoder

NAMES: list[Ngrams] = ["tokens", "characters"]
MACHINES = dict.fromkeys(NAMES, Setting(1.0))
ENCODER = TextEncoder([f"w{number}" for number in range(20)], Tokenize(unit="word"))


def rows(count: int, seed: int, noise: float = 0.3) -> LabelledInputs:
    """Five words each, of which most have even numbers in class 1; a share has a label at random."""
    random = np.random.default_rng(seed)
    words = random.integers(0, 25, (count, 5))  # the last five are outside the vocabulary
    labels = ((words % 2 == 0).sum(axis=1) > 2).astype(np.int32)
    labels = np.where(random.random(count) < noise, random.integers(0, 2, count), labels).astype(np.int32)
    return LabelledInputs(ENCODER.encode([" ".join(f"w{number}" for number in row) for row in words]), labels)


def fit(criterion: Criterion = "accuracy", seed: int = 1) -> Fit:
    return Fit(ENCODER, 2, criterion, seed)


def machine_models(fit: Fit, name: Ngrams, training: LabelledInputs) -> list[LinearModel]:
    """Return the member with each C, without naive Bayes."""
    return [one.model(0) for one in fit._fit(name, training, C_VALUES, lambda epochs: None)]


def chosen(training: LabelledInputs, name: Ngrams, choice: Choice) -> members._Fitted:
    """Return what has the chosen C, fitted after the smaller ones, as its last digits depend on them."""
    fitted = list(fit()._fit(name, training, C_VALUES, lambda epochs: None))
    return fitted[C_VALUES.index(choice.settings[name].C)]


def values(choice: Choice) -> dict[Ngrams, float]:
    return {name: setting.C for name, setting in choice.settings.items()}


def accuracy(model: LinearModel, part: LabelledInputs) -> float:
    return float((model.predict(part.inputs.as_sequences()) == part.labels).mean())


@pytest.mark.parametrize("name", NAMES)
def test_the_c_is_the_smallest_of_those_best_on_the_validation_part(name: Ngrams) -> None:
    training, validation = rows(150, 1), rows(80, 2)
    scores = [accuracy(model, validation) for model in machine_models(fit(), name, training)]
    assert len(scores) == len(C_VALUES) and len(set(scores)) > 1
    choice = fit().choose([name], [(training, validation)], training)
    assert {name: C_VALUES[scores.index(max(scores))]} == values(choice)


@pytest.mark.parametrize("name", NAMES)
def test_by_folds_the_c_is_the_smallest_of_those_best_on_all_folds_together(name: Ngrams) -> None:
    folds = [(rows(150, seed), rows(40 * seed, seed + 10)) for seed in (1, 2, 3)]
    right = [
        [
            (model.predict(held_out.inputs.as_sequences()) == held_out.labels).sum()
            for model in machine_models(fit(), name, training)
        ]
        for training, held_out in folds
    ]
    assert len(set(np.sum(right, axis=0).tolist())) > 1
    choice = fit().choose([name], folds, folds[0][0])
    assert {name: C_VALUES[int(np.sum(right, axis=0).argmax())]} == values(choice)


def test_the_weights_are_those_that_fit_the_held_out_rows_of_all_folds() -> None:
    folds = [(rows(150, seed), rows(60, seed + 10)) for seed in (1, 2)]
    choice = fit().choose(NAMES, folds, folds[0][0])
    logits = []
    for name in NAMES:
        of_machines, of_naive_bayes = [], []
        for training, held_out in folds:
            fitted = chosen(training, name, choice)
            texts = held_out.inputs.as_sequences()
            of_machines.append(fitted.model(0).logits(texts))
            of_naive_bayes.append(fitted.model(1).logits(texts))
        logits += [np.concatenate(of_machines), np.concatenate(of_naive_bayes)]
    labels = np.concatenate([held_out.labels for _, held_out in folds])
    expected = stack(logits, labels)
    assert list(choice.weights) == NAMES
    assert list(choice.weights.values()) == pytest.approx(np.add(expected[::2], expected[1::2]))
    shares = [choice.weights[name] * choice.settings[name].naive_bayes for name in NAMES]
    assert shares == pytest.approx(expected[1::2])


def test_together_they_are_what_was_weighed() -> None:
    """Machines and naive Bayes of both, each with its weight, are the members with theirs."""
    training, held_out = rows(150, 1), rows(80, 2)
    choice = fit().choose(NAMES, [(training, held_out)], training)
    texts = held_out.inputs.as_sequences()
    logits = []
    for name in NAMES:
        fitted = chosen(training, name, choice)
        logits += [fitted.model(0).logits(texts), fitted.model(1).logits(texts)]
    weights = stack(logits, held_out.labels.astype(np.int64))
    expected = np.tensordot(weights, logits, 1)
    np.testing.assert_allclose(choice.together(texts), expected, rtol=1e-4, atol=1e-5)


def test_of_a_single_split_the_members_that_were_weighed_are_kept() -> None:
    training, held_out = rows(150, 1), rows(80, 2)
    choice = fit().choose(NAMES, [(training, held_out)], training)
    assert list(choice.models) == NAMES
    for name, model in choice.models.items():
        again = chosen(training, name, choice).model(choice.settings[name].naive_bayes)
        np.testing.assert_array_equal(model.weights, again.weights)


def test_a_member_is_between_the_machine_and_naive_bayes() -> None:
    training = rows(150, 1)
    features = TokenFeatures(training.inputs.as_sequences())
    ratios = naive_bayes(features.matrix, training.labels.astype(np.int64), 2)
    machine, other = (fit().fit({"tokens": Setting(1.0, share)}, training)["tokens"] for share in (0, 0.25))
    np.testing.assert_allclose(other.weights, 0.75 * machine.weights + 0.25 * ratios, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(other.bias, 0.75 * machine.bias, rtol=1e-6)


@pytest.mark.parametrize("splits", [1, 2])
def test_members_that_were_weighed_on_fewer_rows_are_fitted_to_all(splits: int) -> None:
    training, part = rows(150, 1), rows(80, 2)
    fewer = training.select(np.arange(100))
    choice = fit().choose(NAMES, [(fewer, part)] * splits, training)
    assert choice.settings == fit().choose(NAMES, [(fewer, part)] * splits, fewer).settings
    for name, model in fit().fit(choice.settings, training).items():
        np.testing.assert_array_equal(choice.models[name].weights, model.weights)


def test_of_too_many_rows_a_sample_is_learned() -> None:
    training = rows(150, 1)
    places = sample(np.arange(150), 60, seed=1)
    expected = fit().fit({"tokens": Setting(1.0)}, training.select(places))
    found = fit()._replace(max_rows=60).fit({"tokens": Setting(1.0)}, training)
    np.testing.assert_array_equal(found["tokens"].weights, expected["tokens"].weights)


def test_it_learns_what_the_words_say() -> None:
    training = rows(800, 1, noise=0)
    chosen = fit().fit(fit().choose(NAMES, [(training, rows(100, 2, noise=0))], training).settings, training)
    assert list(chosen) == NAMES
    assert accuracy(chosen["characters"], rows(400, 3, noise=0)) > 0.9
    # To it, words outside the vocabulary are one: a fifth of all words says nothing.
    assert accuracy(chosen["tokens"], rows(400, 3, noise=0)) > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_of_equal_scores_the_smallest_c_is_taken(name: Ngrams) -> None:
    texts = LabelledInputs(ENCODER.encode(["w1 w1", "w2 w2"] * 10), np.array([0, 1] * 10, np.int32))
    assert {name: min(C_VALUES)} == values(fit().choose([name], [(texts, texts)], texts))


def test_the_criterion_chooses_and_weighs_the_classes() -> None:
    """One row in ten of "w1" is of class 1, and no other is: by accuracy it is 0, and weighed up 1."""
    texts = ENCODER.encode(["w1"] * 20 + ["w2"] * 80)
    part = LabelledInputs(texts, np.where(np.arange(100) < 5, 1, 0).astype(np.int32))
    by_accuracy, by_macro_f1 = (
        one.fit(one.choose(["tokens"], [(part, part)], part).settings, part)["tokens"]
        for one in (fit(), fit("macro_f1"))
    )
    w1 = ENCODER.encode(["w1", "w2"])
    assert by_accuracy.predict(w1).tolist() == [0, 0]
    assert by_macro_f1.predict(w1).tolist() == [1, 0]


def test_members_are_fitted_with_the_c_that_they_are_given() -> None:
    training = rows(150, 1)
    fitted = fit().fit({"tokens": Setting(0.07), "characters": Setting(2.0)}, training)
    for name, value in (("tokens", 0.07), ("characters", 2.0)):
        (expected,) = fit()._fit(name, training, (value,), lambda epochs: None)  # type: ignore[arg-type]
        np.testing.assert_array_equal(fitted[name].weights, expected.machine.weights)  # type: ignore[index]
    other = fit().fit({"tokens": Setting(0.7)}, training)
    assert list(other) == ["tokens"] and not np.array_equal(other["tokens"].bias, fitted["tokens"].bias)


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads() -> None:
    splits = [(rows(150, 1), rows(80, 2))]
    together = fit().choose(NAMES, splits, splits[0][0])
    models = fit().fit(together.settings, splits[0][0])
    for name in NAMES:
        assert {name: values(together)[name]} == values(fit().choose([name], splits, splits[0][0]))
        alone = fit().fit({name: together.settings[name]}, splits[0][0])[name]
        np.testing.assert_array_equal(alone.weights, models[name].weights)
        np.testing.assert_array_equal(alone.bias, models[name].bias)


@pytest.mark.parametrize("labels", [[0, 0, 0], [2, 0, 0]])
def test_texts_without_tokens_and_classes_without_rows_are_fitted_too(labels: list[int]) -> None:
    part = LabelledInputs(Sequences.from_rows([[], [], []]), np.array(labels, np.int32))
    fit = Fit(ENCODER, 3, "macro_f1", 1)
    for model in fit.fit(fit.choose(NAMES, [(part, part)], part).settings, part).values():
        logits = model.logits(ENCODER.encode(["w1 zzz", ""]))
        assert np.isfinite(logits).all() and logits[:, 1].max() < logits[:, 0].min()


def test_of_texts_without_spaces_the_triples_of_characters_are_learned() -> None:
    texts = ["他说不很好", "他说很不好", "她想不很好", "她想很不好"] * 15
    encoder = TextEncoder.learn(texts, Tokenize())
    part = LabelledInputs(encoder.encode(texts), np.array([0, 1] * 30, np.int32))
    fitted = Fit(encoder, 2, "accuracy", 1).fit({"tokens": Setting(1.0)}, part)["tokens"]
    assert isinstance(fitted, TokenNgrams) and fitted.longest == 3
    assert accuracy(fitted, part) == 1
    words = fit().fit({"tokens": Setting(1.0)}, rows(50, 1))["tokens"]
    assert isinstance(words, TokenNgrams) and words.longest == 2


def test_a_member_has_no_more_weights_than_memory_is_meant_to_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MAX_WEIGHTS", 25)
    for model in fit().fit(MACHINES, rows(60, 1)).values():
        assert model.weights.shape == (12, 2)


def test_a_model_of_each_name_can_be_read_again() -> None:
    fitted = fit().fit(MACHINES, rows(50, 1))
    assert {name: type(model) for name, model in fitted.items()} == members.MODELS


def test_an_interrupt_ends_the_fits_at_their_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread is interrupted, as the main one is; the other would take ten seconds and more."""
    steps = 0

    def slow(*arrays: object) -> float:
        nonlocal steps
        steps += 1
        sleep(0.1)
        return 1.0

    def interrupted(*arrays: object) -> None:
        sleep(0.2)
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.linear.members.cores", lambda: 4)  # as many as fit both at once
    monkeypatch.setattr("pipeline.linear.svm.descend", slow)
    monkeypatch.setattr("pipeline.linear.members.CharacterFeatures", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit().choose(["characters", "tokens"], [(rows(20, 1), rows(20, 2))], rows(20, 1))
    assert 0 < steps < 20
