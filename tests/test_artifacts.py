from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline import artifacts
from pipeline.artifacts import ChampionFiles, CorpusFolder, FoldAssignmentFiles, RunFolder
from pipeline.errors import InputError
from pipeline.files import images_writer, write_arrays, write_json
from pipeline.inputs import Sequences, UnseenWords


def test_data_lie_where_the_environment_says_or_in_the_current_directory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", "/elsewhere")
    assert artifacts.build_folder() == Path("/elsewhere/build")
    monkeypatch.setenv("CONVTEXT_DATA", "")
    assert artifacts.data_folder() == Path("data")


def test_a_fold_has_the_images_of_all_rows_and_cross_validations_of_other_settings_other_folders(
    tmp_path: Path,
) -> None:
    corpus = CorpusFolder(tmp_path / "folds.csv")
    fold = corpus.fold("folds.csv-01of10-seed1", "")
    assert not corpus.is_fold
    assert fold.is_fold
    assert fold.path == tmp_path / "folds.csv" / "folds" / "folds.csv-01of10-seed1"
    assert fold.images == fold.all_rows.images == corpus.path / "folds" / "all" / "images.npy"
    assert corpus.fold("all", "TEXT=body").path.parent != fold.path.parent
    assert RunFolder(fold.path / "kim-rand").corpus.path == fold.path


def test_the_assignment_of_folds_lies_beside_all_rows_by_number_and_seed(tmp_path: Path) -> None:
    all_rows = CorpusFolder(tmp_path / "mr").fold("all", "")
    files = all_rows.fold_assignment(10, 3)
    assert files.folds == all_rows.path / "of10-seed3.npz"
    assert FoldAssignmentFiles(all_rows.path / "of10-seed3").options == files.options
    assert files.corpus.path == all_rows.path


def test_sequences_come_back_as_they_were_and_images_are_preferred(tmp_path: Path) -> None:
    corpus = CorpusFolder(tmp_path)
    artifacts.write_sequences(corpus.sequences, Sequences.from_rows([[3, 4], []]))
    assert artifacts.read_sequences(corpus.sequences).lengths.tolist() == [2, 0]
    assert artifacts.read_inputs(corpus).kind == "text"
    with images_writer(corpus.images, (1, 2, 1)) as write:
        write(b"\x01\x02")
    assert artifacts.read_inputs(corpus).padded().tolist() == [[[[1], [2]]]]


@given(st.lists(st.text(st.characters(exclude_characters="\n"), min_size=1), unique=True))
@example(["\ud800", "\r", "\u2028"])
def test_words_outside_the_vocabulary_come_back_as_they_were(words: list[str]) -> None:
    numbers = np.arange(2, 4 + len(words), dtype=np.int32)
    ids = np.where(numbers < 4, numbers, 1).astype(np.int32)
    with TemporaryDirectory() as folder:
        path = Path(folder, "sequences.npz")
        artifacts.write_sequences(
            path, Sequences(ids, np.array([0, 1, len(ids)]), numbers, UnseenWords(words))
        )
        again = artifacts.read_sequences(path)
    assert again.unseen.words == words
    np.testing.assert_array_equal(again.words, numbers)
    np.testing.assert_array_equal(again.ids, ids)
    assert again.words.dtype == again.ids.dtype == np.int32
    assert again.spell(again.words, ["good", "film"]) == ["good", "film", *words]


def test_a_damaged_file_of_sequences_or_images_is_one_line(tmp_path: Path) -> None:
    corpus = CorpusFolder(tmp_path)
    corpus.sequences.write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(InputError, match=r"sequences.npz cannot be read .*: remove .* and train again"):
        artifacts.read_inputs(corpus)
    corpus.images.write_bytes(b"cut")
    with pytest.raises(InputError, match=r"images.npy cannot be read"):
        artifacts.read_inputs(corpus)


def test_a_network_is_built_on_the_shape_of_images_or_the_vectors_of_words(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "corpus" / "model")
    write_arrays(folder.vectors, vectors=np.ones((3, 2), np.float32))
    start = artifacts.read_start(folder, Sequences.from_rows([[1]]))
    assert isinstance(start, np.ndarray)
    assert start.shape == (3, 2)


@given(
    st.text("./\\\0 '\"aZ0-_é\n%~", max_size=20)
    | st.sampled_from(["..", "a/../..", "/etc/passwd", "~", "a" * 200])
)
def test_an_id_is_refused_or_names_one_file_and_quotes_nothing(text: str) -> None:
    try:
        checked = artifacts.checked_id(text)
    except InputError:
        return
    assert Path("folder", checked).resolve().parent == Path("folder").resolve()
    assert "'" not in checked and len(checked.encode()) < 200


@pytest.mark.parametrize(
    "value", ["", ".", "..", "../victim", "/victim", "a/b", "a'b", "-rf", "a\n", None, 7, ["a"]]
)
def test_what_is_no_id_of_mlflows_becomes_no_path(value: object) -> None:
    with pytest.raises(InputError, match="is no id of MLflow's"):
        ChampionFiles.model(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["0123456789abcdef" * 2, f"m-{'0123456789abcdef' * 2}", "local-1", "7"])
def test_ids_of_runs_models_and_versions_are_taken(value: str) -> None:
    assert artifacts.checked_id(value) == value


@pytest.mark.parametrize("record", [{}, [], 7, {"mlflow_run": "../../victim"}, {"mlflow_run": None}])
def test_a_record_without_a_runs_id_is_one_line_with_the_remedy(record: object, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "kim-rand")
    write_json(folder.run, record)
    with pytest.raises(InputError, match="run.json has no run's id: remove .*kim-rand and train again"):
        artifacts.tracked_run(folder)
