"""The script beside an exported model that labels a text or an image with nothing of this project."""

from __future__ import annotations

from collections.abc import Sequence

from ..text.encoder import TextEncoder
from ..text.similar_words import MIN_PREFIX, MIN_SHARE

EXAMPLE = "example.py"
_LOAD = {
    "keras": """
model = keras.saving.load_model(folder / "model.keras")
outputs = model(inputs)
""",
    "saved_model": """
model = tf.saved_model.load(str(folder / "model"))
outputs = model.signatures["serving_default"](tf.constant(inputs))
""",
    "onnx": """
session = onnxruntime.InferenceSession(folder / "model.onnx")
given, names = session.get_inputs()[0].name, ["logits", "probabilities"]
outputs = dict(zip(names, session.run(names, {given: inputs})))
""",
    "tflite": """
run = Interpreter(str(folder / "model.tflite")).get_signature_runner()
outputs = run(**{name: inputs for name in run.get_input_details()})
""",
}
_IMPORTS = {
    "keras": "import keras",
    "saved_model": "import tensorflow as tf",
    "onnx": "import onnxruntime",
    "tflite": "from ai_edge_litert.interpreter import Interpreter",
}
_HEAD = '''"""Label {what} with {needs} alone: `python example.py {words}`."""

import json
{standard}
from pathlib import Path

{imports}

folder = Path(__file__).parent
vocabulary = json.loads((folder / "vocabulary.json").read_text("utf-8"))
'''
_TOKENS = """tokenizer, ids, gap = vocabulary["tokenizer"], vocabulary["ids"], vocabulary["between_columns"]


def encode(text):
    text = unicodedata.normalize("NFC", text).replace("\\u2019", "'").replace("\\u00ad", "")
    text = text.lower() if tokenizer["lowercase"] else text
    tokens = regex.findall(tokenizer["pattern"], text)
    return [{look_up} for token in tokens]

"""
_SIMILAR = f"""
def similar(token):
    shared = {{word: len(os.path.commonprefix([token, word])) for word in ids if len(word) >= {MIN_PREFIX}}}
    most = max(shared.values(), default=0)
    longest = most / {MIN_SHARE} if most >= {MIN_PREFIX} else 0
    fits = [word for word in shared if shared[word] == most and len(word) <= longest]
    nearest = min(fits, key=lambda word: (abs(len(word) - len(token)), ids[word]), default=None)
    return ids[nearest] if nearest and len(token) <= longest else vocabulary["unknown"]

"""
_ROW = """
row, free = [], tokenizer["maximum_length"]
for text in sys.argv[1:] or {texts}:  # one for each column
    tokens = encode(text)[:free]
    row, free = row + [0] * gap + tokens, free - len(tokens)
inputs = np.array([row], np.int32)
"""
_PIXELS = """height, width, channels = (vocabulary[name] for name in ("height", "width", "channels"))
mode = "L" if channels == 1 else "RGB"
image = Image.open(sys.argv[1]) if len(sys.argv) > 1 else Image.new(mode, (width, height))
image = ImageOps.exif_transpose(image).convert(mode)
image = ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
inputs = np.asarray(image, np.uint8).reshape(1, height, width, channels)
"""
_TEXT_SIGNATURE = """between = "\\x1f"  # the texts of two columns
text = between.join(sys.argv[1:] or {texts})
model = tf.saved_model.load(str(folder / "model"))
outputs = model.signatures["text"](tf.constant([text]))
"""
_PRINT = """probabilities = np.asarray(outputs["probabilities"])[0]
for place in (-probabilities).argsort(kind="stable")[:5]:
    print(f"{probabilities[place]:.1%}  {vocabulary['labels'][place]}")
"""


def text_example(form: str, encoder: TextEncoder, columns: int, from_text: bool) -> str:
    """Return the script for texts, which `from_text` a SavedModel takes as they are."""
    words = " ".join([word for word in encoder.words if word.isalpha()][:5])
    texts = repr([words] * columns)
    if from_text:
        body = _TEXT_SIGNATURE.format(texts=texts)
        return _script(form, "a text", '"a text"', [], [], body + _PRINT)
    is_similar = encoder.options.unseen == "similar"
    unknown = "ids[token] if token in ids else similar(token)"
    look_up = unknown if is_similar else 'ids.get(token, vocabulary["unknown"])'
    parts = [_TOKENS.format(look_up=look_up), _SIMILAR if is_similar else "", _ROW.format(texts=texts)]
    standard = ["os", "unicodedata"] if is_similar else ["unicodedata"]
    return _script(
        form, "a text", '"a text"', standard, ["import regex"], "".join(parts) + _LOAD[form] + _PRINT
    )


def image_example(form: str) -> str:
    """Return the script for image files."""
    pillow = ["from PIL import Image, ImageOps"]
    return _script(form, "an image", "image.png", [], pillow, _PIXELS + _LOAD[form] + _PRINT)


def _script(form: str, what: str, words: str, standard: Sequence[str], more: Sequence[str], body: str) -> str:
    """Return a script with these imports of the standard library, beside sys, and of others, beside numpy."""
    lines = sorted([_IMPORTS[form], "import numpy as np", *more], key=lambda line: line.split()[1])
    names = [line.split()[1].partition(".")[0] for line in lines]
    needs = f"{', '.join(names[:-1])} and {names[-1]}"
    standard_lines = "\n".join(f"import {name}" for name in sorted(["sys", *standard]))
    head = _HEAD.format(
        what=what, needs=needs, words=words, standard=standard_lines, imports="\n".join(lines)
    )
    return head + body
