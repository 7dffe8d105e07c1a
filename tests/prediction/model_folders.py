"""Folders of small classifiers, and damage to them that their digests do not show."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from pipeline.folding.fold_network import fold_networks
from pipeline.folding.folded import FORMS, Form
from pipeline.images.encoder import ImageEncoder
from pipeline.inputs import Images
from pipeline.manifest import MANIFEST, write_manifest
from pipeline.networks.keras_network import KerasNetwork
from pipeline.options import Tokenize
from pipeline.prediction.classifier import FORMAT, POOL, VALIDATION, Classifier, save
from pipeline.prediction.pool import Pool
from pipeline.text.encoder import TextEncoder
from tests.prediction.networks import linear_models, network

LABELS = ["bad", "fair", "good"]
WORDS = [f"w{number}" for number in range(2, 10)]
TEXTS = ["w2 w3 w9", "", "w9 w9 w9 w4 w2", "zzz w5", "w2 " * 40]
Arrays = dict[str, np.ndarray]
Damage = Callable[[np.ndarray], np.ndarray | None]


def save_text_model(folder: Path, *columns: str) -> None:
    """Two networks and two linear models, of three classes and eight words; reads review, or the columns."""
    folder.mkdir(parents=True, exist_ok=True)
    networks = fold_networks([network(1), network(2)])
    assert networks is not None
    pool = Pool(networks, linear_models(WORDS), [0.7, 0.4, 0.3])
    encoder = TextEncoder(WORDS, Tokenize(unit="word"))
    classifier = Classifier(pool.rounded, encoder, LABELS, [*columns] or ["review"])
    tokens = encoder.count_tokens(pd.DataFrame({"text": TEXTS}))
    classifier.set_drift_reference(encoder.encode(TEXTS), tokens)
    classifier.set_validation(encoder.encode(TEXTS), np.array([0, 1, 2, 0, 1], np.int32))
    save(folder, classifier, network(1), pool)


def save_image_model(folder: Path) -> None:
    """A dense network on grey images of 4 x 4, of three classes."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = keras.Input((4, 4, 1), dtype="uint8")
    features = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
    model = keras.Model(pixels, keras.layers.Dense(3)(features))
    pool = Pool(KerasNetwork(model), {}, [1.0])
    classifier = Classifier(lambda: pool, ImageEncoder(4, 4, 1), LABELS, ["path"])
    classifier.set_drift_reference(Images.from_pixels(np.zeros((2, 4, 4, 1), np.uint8)), None)
    save(folder, classifier, model, pool)


def rewrite_manifest(folder: Path) -> None:
    """Make the digests fit the files, as a sender would who changed them on purpose."""
    (folder / MANIFEST).unlink(missing_ok=True)
    write_manifest(folder, FORMAT)


def change_json(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Replace the content of a file of JSON, and the digests with it."""
    content = json.loads((folder / name).read_text("utf-8"))
    changed = change(content)
    (folder / name).write_text(json.dumps(content if changed is None else changed), "utf-8")
    rewrite_manifest(folder)


def change_array(folder: Path, name: str, damage: Damage) -> None:
    """Replace an array, a table by its file's name and others by their name in `archive_of`; None removes."""
    if name.endswith(".npy"):
        changed = damage(np.load(folder / name))
        (folder / name).unlink()
        if changed is not None:
            np.save(folder / name, changed)
    else:
        file = archive_of(name)
        key = name.removeprefix("validation.")
        with np.load(folder / file) as archive:
            arrays: Arrays = dict(archive)
        changed = damage(arrays.pop(key))
        if changed is not None:
            arrays[key] = changed
        np.savez(folder / file, **arrays)
    rewrite_manifest(folder)


def archive_of(name: str) -> str:
    """Return the file that holds an array, whose name it is if the array is a table."""
    if name.endswith(".npy"):
        return name
    if name.startswith("validation."):
        return VALIDATION
    return POOL if name == "weights" or name.startswith(("tokens.", "characters.")) else "folded.npz"


ARRAYS = (
    "table-0.int16.npy", "table-1.float32.npy", "0.scale.int16", "1.scale.float32", "0.bias", "1.weights",
    "0.offset", "weights", "tokens.keys", "tokens.idf", "tokens.weights", "tokens.bias", "characters.keys",
    "characters.idf", "characters.weights", "characters.bias", "characters.table",
    "validation.probability", "validation.predicted",  # validation.correct has no byte order to damage
)  # fmt: skip


def _of_another_width(array: np.ndarray) -> np.ndarray:
    widths = {np.int16: np.int32, np.int32: np.int64, np.int64: np.int32}
    widths |= {np.float32: np.float64, np.float64: np.float32}
    return array.astype(widths[array.dtype.type])


DAMAGES: dict[str, Damage] = {
    "missing": lambda array: None,
    "empty": lambda array: array[:0],
    "one row short": lambda array: array[:-1],
    "one row long": lambda array: np.concatenate([array, array[-1:]]),
    "one column short": lambda array: array[..., :-1],
    "a single number": lambda array: np.zeros((), array.dtype),
    "of one dimension less": lambda array: array.ravel() if array.ndim > 1 else array[0],
    "of one dimension more": lambda array: array[..., None],
    "column by column": lambda array: np.asfortranarray(array) if array.ndim > 1 else array[0],
    "big-endian": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "of another width": _of_another_width,
    "of texts": lambda array: array.astype("U1"),
    "of bytes": lambda array: array.astype(np.uint8),
    "of Python objects": lambda array: array.astype(object),
    "of records": lambda array: np.zeros(array.shape, [("a", array.dtype)]),
}


def forms(name: str) -> list[Form]:
    """Return the forms that read an array."""
    return [form for form in FORMS if form in name] or [*FORMS]
