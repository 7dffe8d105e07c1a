"""One export: a folder with the model, `vocabulary.json` and `example.py`, checked before it has its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..files import atomic_folder, write_json, write_text
from ..inputs import Images, Sequences
from ..networks.backend import keras
from ..prediction.classifier import Classifier
from .example import EXAMPLE
from .exported import Exported
from .formats import FILES
from .image_export import export_images
from .text_export import export_texts
from .vocabulary import VOCABULARY, described


def export(
    form: str,
    output: Path,
    classifier: Classifier,
    network: keras.Model,
    rows: Sequences | Images,
    texts: Sequence[str],
) -> Exported:
    """Write a classifier, with exact numbers, and its Keras network as trained, to a folder.

    `rows` are those to check it on, and `texts` their texts. Raises InputError where the format cannot hold
    the classifier, a library is missing, the logits do not agree, or the folder holds something else.
    """
    _check_replaceable(output)
    with atomic_folder(output) as folder:
        path = folder / FILES[form]
        if rows.kind == "image":
            exported = export_images(form, path, classifier, network, rows)
        else:
            exported = export_texts(form, path, classifier, network, rows.as_sequences(), texts)
        description = described(classifier, form, exported.not_held)
        write_json(folder / VOCABULARY, description | exported.inputs)
        write_text(folder / EXAMPLE, exported.example)
    return exported


def _check_replaceable(output: Path) -> None:
    """Raise InputError for a folder that holds something other than an export, and for a file."""
    names = {path.name for path in output.iterdir()} if output.is_dir() else set()
    is_export = VOCABULARY in names and names <= {*FILES.values(), VOCABULARY, EXAMPLE}
    if (output.exists() and not output.is_dir()) or (names and not is_export):
        raise InputError(
            f"{output} is there already, and no export: name a folder of its own", option="output"
        )
