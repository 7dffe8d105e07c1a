from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import loading
from pipeline.config.assignments import assign, corpus_settings, parse, without_seed
from pipeline.errors import InputError
from pipeline.options import Configuration


def load(assignments: str = "", corpus: str = "docstrings", model: str = "kim-rand") -> Configuration:
    return loading.load(corpus, model, assignments, {})


def test_words_become_options_and_typed_values() -> None:
    assert parse("train.epochs=3 'title=two words' network.windows=[2,3]") == {
        "train.epochs": 3,
        "title": "two words",
        "network.windows": [2, 3],
    }
    assert parse("") == {}


def test_an_option_is_assigned_in_its_section_and_the_given_section_stays_as_it_was() -> None:
    train = {"epochs": 1}
    values = {"train": train, "seed": 3}
    assign(values, "train.epochs", 2)
    assign(values, "source.text", "body")
    assign(values, "seed.x", 1)
    assert values == {"train": {"epochs": 2}, "source": {"text": "body"}, "seed": {"x": 1}}
    assert train == {"epochs": 1}


def test_the_seed_makes_no_other_model() -> None:
    assert without_seed("seed=3 title='a b' train.epochs=2") == "'title=a b' train.epochs=2"


def test_what_was_set_of_the_corpus_is_set_again_to_train_and_the_rest_is_in_the_file() -> None:
    given = "tokenize.lowercase=false network.filters=8 seed=3 split.test=0.2 embed.dimensions=16"
    assert corpus_settings(given) == "tokenize.lowercase=false split.test=0.2"


def test_a_section_of_the_corpus_that_was_set_whole_is_set_again_whole() -> None:
    given = "split='{test: 0.3}' train='{epochs: 3}' title=mine tokenize='{lowercase: false}'"
    again = corpus_settings(given)
    assert again == "'split={test: 0.3}' title=mine 'tokenize={lowercase: false}'"
    assert load(again).split.test == 0.3


@given(st.text(max_size=40))
def test_no_assignment_ends_in_anything_but_options_or_one_line(text: str) -> None:
    try:
        load(text)
    except InputError as error:
        assert "\n" not in str(error)
