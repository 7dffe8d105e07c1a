"""Write the classifier in a format that other libraries load with nothing of this project, and check it.

Reads a trained model/ and the corpus's validation rows; writes the model, vocabulary.json and example.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..artifacts import CorpusFolder, RunFolder, read_inputs
from ..config import loading, words
from ..config.command_line import Words
from ..errors import InputError
from ..inputs import Images, Sequences
from ..manifest import MANIFEST
from ..prediction.classifier import Classifier, load_network
from ..reading import read_table
from ..release.chosen_model import model_folder
from ..terminal import say, wrapped

MAX_ROWS = 10_000  # that are checked


def run(given: Words) -> None:
    form = given[words.FORMAT]
    if given[words.MODEL] and (Path(given[words.MODEL]) / MANIFEST).is_file():
        raise InputError(
            f"MODEL={given[words.MODEL]} is a folder, and an export is compared on the corpus's validation "
            "rows: name the corpus and the model"
        )
    source = model_folder("export", given[words.CORPUS], given[words.MODEL])
    folder = RunFolder(loading.run_folder(*loading.resolved(given[words.CORPUS], given[words.MODEL])))
    output = Path(given[words.EXPORT_OUTPUT] or folder.export(form)).resolve()
    classifier = Classifier.load(source, "float32")
    rows, texts = _validation_rows(folder.corpus, classifier)
    from ..exports.exporter import export  # here, as TensorFlow takes seconds to start

    exported = export(form, output, classifier, load_network(source), rows, texts)
    say("\n".join([wrapped(line) for line in exported.lines]))
    say(given[words.EXPORT_OUTPUT] or folder.export(form))


def _validation_rows(corpus: CorpusFolder, classifier: Classifier) -> tuple[Sequences | Images, list[str]]:
    """Return the first MAX_ROWS of the validation part as inputs, and their texts; of images none.

    Raises InputError where there are none that fit the classifier.
    """
    table = read_table(corpus.rows)
    places = np.flatnonzero(table["part"] == "validation")[:MAX_ROWS]
    table, inputs = table.iloc[places], read_inputs(corpus).select(places)
    if not len(places) or inputs.shape != classifier.encoder.shape:
        raise InputError(f"{corpus.rows} has no validation rows that fit the model: train again")
    texts = table["text"].tolist() if "text" in table else []
    return classifier.encoder.encode_table(table, inputs), texts
