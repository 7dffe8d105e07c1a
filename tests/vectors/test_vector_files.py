"""Files of pretrained vectors, whole and damaged."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from csv import DictReader
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.options import Tokenize
from pipeline.text.encoder import TextEncoder
from pipeline.vectors.matrix import coverage
from pipeline.vectors.vector_files import read_vectors

SHARED = Path(__file__).resolve().parents[3] / "shared"
Table = dict[str, list[float]]


def header(table: Table) -> bytes:
    return f"{len(table)} {len(next(iter(table.values())))}\n".encode()


def glove(table: Table) -> bytes:
    return "".join(f"{word} {' '.join(map(repr, row))}\n" for word, row in table.items()).encode()


def word2vec_text(table: Table) -> bytes:
    return header(table) + glove(table)


def fasttext(table: Table) -> bytes:
    return header(table) + glove(table).replace(b"\n", b" \n")


def word2vec_binary(table: Table, end: bytes = b"") -> bytes:
    return header(table) + b"".join(
        word.encode() + b" " + struct.pack(f"<{len(row)}f", *row) + end for word, row in table.items()
    )


def word2vec_binary_with_line_ends(table: Table) -> bytes:
    return word2vec_binary(table, b"\n")


FORMATS = [glove, word2vec_text, fasttext, word2vec_binary, word2vec_binary_with_line_ends]
TABLE: Table = {"the": [0.5, -0.5, 0.25], "of": [1.0, 0.0, -1.0], "café": [0.125, 2.0, 0.0]}
WORDS = ["of", "missing", "café"]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "vectors"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_format_is_recognised_from_its_content(
    form: Callable[[Table], bytes], pack: Callable[[bytes], bytes], file: Callable[[bytes], Path]
) -> None:
    matrix, found, _ = read_vectors(file(pack(form(TABLE))), WORDS, seed=1)
    assert found.tolist() == [True, False, True]
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix[[0, 2, 4]], [[0, 0, 0], TABLE["of"], TABLE["café"]])
    bound = (3 * np.var([TABLE["of"], TABLE["café"]])) ** 0.5
    assert 0 < np.abs(matrix[[1, 3]]).max() <= bound


@pytest.mark.parametrize("form", [glove, word2vec_text, fasttext])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_is_no_part_of_the_first_line(
    form: Callable[[Table], bytes], pack: Callable[[bytes], bytes], file: Callable[[bytes], Path]
) -> None:
    matrix, found, _ = read_vectors(file(pack(b"\xef\xbb\xbf" + form(TABLE))), list(TABLE), seed=1)
    assert found.all()
    np.testing.assert_array_equal(matrix[2:], list(TABLE.values()))


@pytest.mark.parametrize("form", [glove, word2vec_text, fasttext])
@pytest.mark.parametrize("most", [1, 2, 1000])
def test_tabs_are_read_as_blanks_are(
    form: Callable[[Table], bytes], most: int, file: Callable[[bytes], Path]
) -> None:
    content = b"\n".join(line.replace(b" ", b"\t", most) for line in form(TABLE).split(b"\n"))
    assert b"the\t0.5" in content
    matrix, found, _ = read_vectors(file(content), list(TABLE), seed=1)
    assert found.all()
    np.testing.assert_array_equal(matrix[2:], list(TABLE.values()))


def test_a_line_of_tabs_that_is_damaged_is_an_error_that_says_where(file: Callable[[bytes], Path]) -> None:
    with pytest.raises(InputError, match="line 2: 2 numbers; expected a word and 3 numbers"):
        read_vectors(file(b"the\t1\t2\t3\nof\t1\t2\n"), WORDS, seed=1)


def test_missing_words_have_the_variance_of_those_found(file: Callable[[bytes], Path]) -> None:
    rng = np.random.default_rng(0)
    table = {f"w{i}": rng.normal(0, 0.4, 50).tolist() for i in range(200)}
    words = [f"w{i}" for i in range(1000)]
    matrix, found, _ = read_vectors(file(glove(table)), words, seed=3)
    assert found.sum() == 200
    assert matrix[2:][~found].std() == pytest.approx(matrix[2:][found].std(), rel=0.02)
    np.testing.assert_array_equal(matrix, read_vectors(file(word2vec_binary(table)), words, seed=3)[0])


def test_words_match_exactly_and_the_first_of_two_counts(file: Callable[[bytes], Path]) -> None:
    content = b"The 1 1\nthe 2 2\nthe 3 3\n"
    matrix, found, _ = read_vectors(file(content), ["the", "THE"], seed=1)
    assert found.tolist() == [True, False]
    assert matrix[2].tolist() == [2, 2]


@pytest.mark.parametrize("form", [glove, word2vec_binary])
def test_a_word_in_the_other_case_is_taken_if_the_file_has_no_other(
    form: Callable[[Table], bytes], file: Callable[[bytes], Path]
) -> None:
    path = file(form({"Paris": [1.0], "may": [2.0], "May": [3.0], "WHO": [4.0]}))
    matrix, found, _ = read_vectors(path, ["paris", "may", "PARIS", "who"], seed=1)
    assert found.tolist() == [True, True, False, False]
    assert matrix[2:4].tolist() == [[1], [2]]


@pytest.mark.parametrize("form", [glove, word2vec_binary])
def test_what_stands_beside_a_word_is_no_part_of_it(
    form: Callable[[Table], bytes], file: Callable[[bytes], Path]
) -> None:
    path = file(form({"/c/de/film": [1.0], "/c/en/film": [2.0], "akt_NOUN": [3.0]}))
    words = ["film", "akt", "/c/de/film"]
    assert read_vectors(path, words, 1, "^/c/en/")[0][[2, 4]].tolist() == [[2], [1]]
    assert read_vectors(path, words, 1, "_[A-Z]+$")[1].tolist() == [False, True, True]


def test_words_that_hold_blanks_or_are_not_utf8_are_passed_over(file: Callable[[bytes], Path]) -> None:
    content = b". . . 1 1 1\nat name@domain.com 2 2 2\n\xff\xfe 3 3 3\nthe 4 4 4\n"
    assert read_vectors(file(content), ["the", ".", "at"], seed=1)[1].tolist() == [True, False, False]


def test_a_phrase_may_hold_a_number_where_a_header_counts_the_others(file: Callable[[bytes], Path]) -> None:
    lines = b"route 66 1 1 1\n9 to 5 2 2 2\nthe 4 4 4\n"
    assert read_vectors(file(b"3 3\n" + lines), ["the", "route", "9"], seed=1)[1].tolist() == [1, 0, 0]
    with pytest.raises(InputError, match="line 4: 4 numbers; expected a word and 3 numbers"):
        read_vectors(file(b"3 3\n" + lines.replace(b"the 4 4 4", b"of x 1 2 nothing")), ["of"], seed=1)


def test_without_a_header_most_lines_say_how_many_numbers_there_are(file: Callable[[bytes], Path]) -> None:
    with pytest.raises(InputError, match="line 1: 4 numbers; expected a word and 3 numbers"):
        read_vectors(file(b"1 2 1 1 1\n" + glove(TABLE)), WORDS, seed=1)
    cut_off = b"on 1 1\n" + glove(TABLE)
    with pytest.raises(InputError, match="line 1: 2 numbers; expected a word and 3 numbers"):
        read_vectors(file(cut_off), WORDS, seed=1)


@pytest.mark.parametrize("head", [b"4 3\n", b""])
def test_a_control_character_in_a_word_makes_no_text_binary(
    head: bytes, file: Callable[[bytes], Path]
) -> None:
    matrix, found, _ = read_vectors(file(head + b"\x01 1 2 3\n" + glove(TABLE)), WORDS, seed=1)
    assert found.tolist() == [True, False, True]
    assert matrix[2].tolist() == TABLE["of"]


def test_numbers_whose_bytes_are_no_control_characters_are_binary_all_the_same(
    file: Callable[[bytes], Path],
) -> None:
    row = [0.1, 0.2, 0.3]
    assert min(struct.pack("<3f", *row)) > 0x20
    matrix, *_ = read_vectors(file(word2vec_binary({"the": row})), ["the"], seed=1)
    np.testing.assert_array_equal(matrix[2], np.float32(row))


@pytest.mark.parametrize("phrase", ["new york", "new york city", "a b c", "東京 都"])
@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("block", [9, 1 << 22])
def test_a_binary_word_that_holds_a_blank_is_refused_by_its_number(
    phrase: str, end: bytes, block: int, file: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.vectors.vector_stream.BLOCK_BYTES", block)
    random = np.random.default_rng(3)
    words = [*(f"w{i}" for i in range(4)), phrase, *(f"w{i}" for i in range(4, 9))]
    table: Table = {word: random.normal(0, 0.3, 25).astype(np.float32).tolist() for word in words}
    with pytest.raises(InputError, match=f"word 5: `{phrase}` holds a blank.*export the file as text"):
        read_vectors(file(word2vec_binary(table, end)), ["w4"], seed=1)


def test_binary_words_in_another_encoding_are_passed_over(file: Callable[[bytes], Path]) -> None:
    random = np.random.default_rng(3)
    numbers = random.normal(0, 0.3, (20_000, 5)).astype("<f4")
    words = [f"w{i}" if i % 2 else f"\xfc{i}" for i in range(20_000)]
    content = b"20000 5\n" + b"".join(
        word.encode("latin-1") + b" " + row.tobytes() for word, row in zip(words, numbers, strict=True)
    )
    matrix, found, _ = read_vectors(file(content), words, seed=1)
    assert found.tolist() == [False, True] * 10_000
    np.testing.assert_array_equal(matrix[3::2], numbers[1::2])


NUMBERS = b"0.5 0.25 0.125"
LONG: Table = {f"w{i}": [0.5] * 30 for i in range(50)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"9999999999999999999 3\nthe 1 2 3\n",
            "line 1: claims 9,999,999,999,999,999,999 words",
        ),
        (b"of 1 nan 3\nthe 1 2 3\n", "line 1: not a number"),
        (b"of 1 2 -NaN\n", "line 1: not a number"),
        (b"9 3\n", "word 1: the file ends; expected 9 words"),
        (b"9 3\nthe " + NUMBERS + b"\n", "line 1: claims 9 words; expected 1,"),
        (b"1 3\nthe " + NUMBERS + b"\nof 1 2 3\nto 1 2 3", "line 1: claims 1 words; expected 3,"),
        (b"the 1 2 3\nof 1 2\n", "line 2: 2 numbers; expected a word and 3 numbers"),
        (b"the 1 2 3\nof 1 2 3 4\n", "line 2: 4 numbers; expected a word and 3 numbers"),
        (b"the 1 2 3\nof 1 nan 3\n", "line 2: not a number"),
        (b"the 1 2 3\nof 1 x 3\n", "line 2: not a number"),
        (b"2 3\nthe 1 2 3\nof 1 inf 3\n", "line 3: not a number"),
        (b"the 1 2 3\nof 1 1e39 3\n", "line 2: not a number, or beyond 1,000,000"),
        (b"the 1 2 3\nof 1 2", "line 2: 2 numbers"),
        (glove({"nowhere": [1.0, 2.0]}), "none of the vocabulary's 3 words"),
        (word2vec_binary(TABLE)[:-1], "word 3: the file ends; expected 3 words of 3 numbers"),
        (word2vec_binary(TABLE).replace(b"3", b"999999999999999", 1), "word 4: the file ends"),
        (word2vec_binary(TABLE).replace(b"3", b"1", 1), "after word 2: the file goes on"),
        (word2vec_binary(LONG).replace(b"30", b"29", 1), "after word 50: the file goes on|none of the voc"),
        (word2vec_binary({"of": [1.0, float("nan"), 0.0]}), "word 1: NaN"),
        (word2vec_binary({"of": [1.0, float("-inf"), 0.0]}), "word 1: NaN or beyond"),
        (b"9 3\n" + b"\x01" * 20_000, "word 1: no blank in 10,000 bytes"),
        (gzip.compress(glove(TABLE))[:-9], "cannot be read: Compressed file ended"),
        (gzip.compress(glove(TABLE) * 99)[:40], "cannot be read: "),
        (b"\x1f\x8bjunk", "cannot be read: "),
        (gzip.compress(b"")[:10] + b"\xff" * 40, "cannot be read: "),
        (gzip.compress(glove(TABLE))[:-8] + b"\xff" * 8, "cannot be read: CRC check failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_damaged_file_is_an_error_that_says_where(
    content: bytes, message: str, file: Callable[[bytes], Path]
) -> None:
    path = file(content)
    with pytest.raises(InputError, match=message) as caught:
        read_vectors(path, WORDS, seed=1)
    assert str(caught.value).startswith(f"{path}: ")


MANY: Table = {f"w{i}": [0.25, -0.5, 0.125] for i in range(200)}


@pytest.mark.parametrize("form", [word2vec_text, word2vec_binary, word2vec_binary_with_line_ends])
@pytest.mark.parametrize("claimed", [199, 201, 202])
def test_a_count_in_the_header_that_is_off_by_little_is_a_warning(
    form: Callable[[Table], bytes], claimed: int, file: Callable[[bytes], Path]
) -> None:
    path = file(form(MANY).replace(b"200", str(claimed).encode(), 1))
    matrix, found, warnings = read_vectors(path, ["w0", "w199"], seed=1)
    assert matrix[2:].tolist() == [MANY["w0"], MANY["w199"]] and found.all()
    assert warnings == [f"line 1 claims {claimed} words, and there are 200, which were read"]


@pytest.mark.parametrize("form", [word2vec_text, word2vec_binary])
@pytest.mark.parametrize("claimed", [196, 204])
def test_a_count_that_is_off_by_more_is_damage(
    form: Callable[[Table], bytes], claimed: int, file: Callable[[bytes], Path]
) -> None:
    path = file(form(MANY).replace(b"200", str(claimed).encode(), 1))
    with pytest.raises(InputError, match="claims 196 words|claims 204 words|as line 1 claims"):
        read_vectors(path, ["w0"], seed=1)


@pytest.mark.parametrize("cut", [1, 4, 5, 9])
def test_a_binary_file_that_ends_in_a_record_is_damaged(cut: int, file: Callable[[bytes], Path]) -> None:
    with pytest.raises(InputError, match="word 200: the file ends"):
        read_vectors(file(word2vec_binary(MANY)[:-cut]), ["w0"], seed=1)


FIXED = b"".join(f"w{i} {' '.join(['0.1234'] * 5)}\n".encode() for i in range(200))


@pytest.mark.parametrize("head", [b"", b"200 5\n"])
@pytest.mark.parametrize("cut", [2, 3, 4, 5])
def test_a_last_line_that_is_cut_within_a_number_is_damaged(
    head: bytes, cut: int, file: Callable[[bytes], Path]
) -> None:
    ending = "0.1234"[: 7 - cut]
    with pytest.raises(InputError, match=f"the last line: it ends in `{ending}`, without a line end"):
        read_vectors(file(head + FIXED[:-cut]), ["w0"], seed=1)


def test_a_last_line_without_its_end_is_read_with_a_warning_unless_the_header_vouches_for_it(
    file: Callable[[bytes], Path],
) -> None:
    matrix, _, (warning,) = read_vectors(file(FIXED[:-1]), ["w199"], seed=1)
    np.testing.assert_allclose(matrix[2], 0.1234)
    assert warning == "the last line has no end: if the file was cut there, its last number is wrong"
    assert read_vectors(file(b"200 5\n" + FIXED[:-1]), ["w199"], seed=1).warnings == []
    with pytest.raises(InputError, match="the last line: it ends in `0.1234`, without a line end"):
        read_vectors(file(b"201 5\n" + FIXED[:-1]), ["w0"], seed=1)  # a word is missing, too


def test_the_folder_and_the_ending_of_a_file_do_not_matter_nor_does_a_block_boundary(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = {f"w{i}": rng.normal(0, 1, 300).astype(np.float32).tolist() for i in range(5000)}  # 6 MB
    path = tmp_path / "misleading.txt.gz"
    path.write_bytes(word2vec_binary(table))
    matrix, found, _ = read_vectors(str(path), list(table), seed=1)
    assert found.all()
    np.testing.assert_array_equal(matrix[2:], np.array(list(table.values()), np.float32))


FINITE = st.floats(-10, 10, width=32)
TABLES = st.integers(20, 30).flatmap(
    lambda dimensions: st.dictionaries(
        st.text(st.characters(categories=["L", "N"]), min_size=1),
        st.lists(FINITE, min_size=dimensions, max_size=dimensions),
        min_size=1,
        max_size=5,
    )
)
quick = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(TABLES, st.booleans())
def test_all_formats_of_the_same_vectors_give_the_same_matrix(
    tmp_path: Path, table: Table, zipped: bool
) -> None:
    words = ["not in any file", *table]
    path = tmp_path / "vectors"
    results = []
    for form in FORMATS:
        path.write_bytes(gzip.compress(form(table), 1) if zipped else form(table))
        matrix, found, _ = read_vectors(path, words, seed=5)
        assert found.tolist() == [False] + [True] * len(table)
        np.testing.assert_array_equal(matrix[3:], np.array(list(table.values()), np.float32))
        results.append(matrix)
    for matrix in results[1:]:
        np.testing.assert_array_equal(matrix, results[0])


@quick
@given(st.sampled_from(FORMATS), st.booleans(), st.data())
def test_corruption_gives_an_input_error_or_a_finite_matrix(
    tmp_path: Path, form: Callable[[Table], bytes], zipped: bool, data: st.DataObject
) -> None:
    content = bytearray(form({f"w{i}": [0.5, 1.5, -0.25, 1e-3, 3.0] for i in range(20)}))
    if zipped:
        content = bytearray(gzip.compress(bytes(content)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    content = content[: data.draw(st.sampled_from([len(content), len(content) - 3, len(content) // 2]))]
    path = tmp_path / "vectors"
    path.write_bytes(content)
    try:
        matrix, found, _ = read_vectors(path, [f"w{i}" for i in range(30)], seed=1)
    except InputError as error:
        assert "\n" not in str(error) and "expected" in str(error)
    else:
        assert matrix.shape[0] == 32 and len(found) == 30
        assert np.isfinite(matrix).all() and not matrix[0].any()


@pytest.mark.skipif(not (SHARED / "vectors").is_dir(), reason="shared/vectors is not there")
def test_glove_covers_a_third_of_mrs_types_and_four_fifths_of_its_running_words() -> None:
    with open(SHARED / "corpora" / "mr.csv", encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in DictReader(file)]
    encoder = TextEncoder.learn(texts, Tokenize(cleaning="kim", minimum_count=1))
    matrix, found, _ = read_vectors(SHARED / "vectors" / "glove.840B.300d.10k.txt.gz", encoder.words, seed=1)
    covered = coverage(found, encoder.encode(texts))
    assert matrix.shape == (len(encoder.words) + 2, 300)
    assert matrix[2 + encoder.words.index("the"), :3] == pytest.approx([0.2720, -0.0620, -0.1884])
    assert covered.types == pytest.approx(0.32, abs=0.03)
    assert covered.tokens == pytest.approx(0.81, abs=0.05)


@pytest.mark.skipif(not (SHARED / "vectors").is_dir(), reason="shared/vectors is not there")
def test_chinese_characters_have_vectors() -> None:
    matrix, found, _ = read_vectors(SHARED / "vectors" / "tencent.char.200d.txt.gz", ["我", "好"], seed=1)
    assert found.all() and matrix.shape == (4, 200)
