from __future__ import annotations

import numpy as np
import pytest

from pipeline.inputs import Sequences
from pipeline.studies.shifted_inputs import shifted_images, shifted_texts, shifts

IMAGE = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)[None, :, :, None]


def test_an_image_is_moved_in_four_directions_and_its_edge_repeated() -> None:
    moved = [image[0, :, :, 0].tolist() for image in shifted_images(IMAGE, 1)]
    assert moved == [
        [[2, 3, 3], [5, 6, 6], [8, 9, 9]],
        [[1, 1, 2], [4, 4, 5], [7, 7, 8]],
        [[4, 5, 6], [7, 8, 9], [7, 8, 9]],
        [[1, 2, 3], [1, 2, 3], [4, 5, 6]],
    ]


def test_an_image_that_is_not_moved_comes_once() -> None:
    (still,) = shifted_images(IMAGE, 0)
    np.testing.assert_array_equal(still, IMAGE)


def test_a_text_is_moved_by_unknown_words_at_its_front() -> None:
    texts = Sequences.from_rows([[5, 6], [], [7]])
    moved = shifted_texts(texts, 2)
    assert moved.ids.tolist() == [1, 1, 5, 6, 1, 1, 1, 1, 7]
    assert moved.offsets.tolist() == [0, 4, 6, 9]
    assert moved.words.tolist() == moved.ids.tolist() and moved.unseen is texts.unseen
    still = shifted_texts(texts, 0)
    assert still.ids.tolist() == texts.ids.tolist() and still.offsets.tolist() == texts.offsets.tolist()


@pytest.mark.parametrize(("shape", "most"), [((28, 28, 1), 8), ((8, 8, 1), 4), ((32, 6, 3), 3), ((None,), 8)])
def test_images_are_moved_by_half_of_their_side_at_most(shape: tuple[int | None, ...], most: int) -> None:
    assert list(shifts(shape)) == list(range(most + 1))
