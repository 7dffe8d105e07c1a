"""Parquet in batches of bounded bytes.

A few bytes of Parquet may stand for many: one long string of a dictionary in every row, a run of a million
list elements, a page that zstd packs to nothing. So the rows read at once are as many as fit at their
longest, which the file's metadata and its dictionaries tell before any row is decoded. Metadata that lie are
not found out: pyarrow does not show the headers of pages, which alone would tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import InputError, is_lack_of_memory
from ..reading import is_decompression_bomb
from ..stores.remote_file import Location

BATCH_ROWS = 16_384
BATCH_BYTES = 4 << 20  # of decoded values
READ_BYTES = 32 << 20  # decoded at once, if every value were as long as the longest of its column
RANGE_BYTES = (64 << 10, 4 << 20)  # that a column of a file in a store is read in: the least and the most
CELL_BYTES = 64  # what a value of a batch costs at least, as a Python object


class ParquetBatches:
    """A Parquet file, open for passes over its rows. Opening raises InputError where it cannot be read."""

    def __init__(self, path: Location) -> None:
        self.path = path
        if not path.is_file():  # such as a pipe, which would be waited for
            raise InputError(
                f"{path} {'is not a file' if path.exists() else 'does not exist'}: name a Parquet file"
            )
        with _damage(f"{path}: damaged or no Parquet file"):
            reader = _reader(path)
            self._file = reader()
        # An interrupt ends the main thread alone, which so has to read what is read by Python, as in stores.
        self._threads = isinstance(path, Path)
        self.schema = self._file.schema_arrow
        self.rows = self._file.metadata.num_rows
        schema = self._file.schema
        self._leaves = [schema.column(number) for number in range(len(schema))]
        strings = [leaf.path for leaf in self._leaves if _holds_strings(leaf)]
        self._dictionaries = reader(
            metadata=self._file.metadata,
            read_dictionary=strings,
            arrow_extensions_enabled=False,  # JSON then comes as a dictionary of strings too
        )

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches of at most BATCH_ROWS, and of BATCH_BYTES unless a single row is longer.

        Raises InputError for damage, and for a column that unpacks as a decompression bomb does.
        """
        rows = 0
        batches = self._decoded()
        while True:
            with _damage(f"{self.path}, after row {rows}: damaged"):
                batch = next(batches, None)
            if batch is None:
                return
            rows += batch.num_rows
            yield from _pieces(batch)

    def _decoded(self) -> Iterator[pa.RecordBatch]:
        for group in range(self._file.num_row_groups):
            if self._file.metadata.row_group(group).num_rows:
                for batch in self._file.iter_batches(
                    self._rows_at_once(group), row_groups=[group], use_threads=self._threads
                ):
                    batch.validate(full=True)  # also that strings are UTF-8
                    yield batch

    def _rows_at_once(self, group: int) -> int:
        """Return how many rows of a row group are of READ_BYTES at most."""
        metadata = self._file.metadata.row_group(group)
        row_bytes = 0
        for number, leaf in enumerate(self._leaves):
            chunk = metadata.column(number)
            longest = self._longest_value(group, chunk, leaf)
            row_values = -(-chunk.num_values // metadata.num_rows)  # more than 1 in lists alone
            self._refuse_bomb(chunk, leaf, max(row_values * longest, chunk.total_uncompressed_size))
            row_bytes += row_values * max(CELL_BYTES, longest)
        return min(BATCH_ROWS, max(1, READ_BYTES // max(1, row_bytes)))

    def _refuse_bomb(self, chunk: Any, leaf: Any, unpacked: int) -> None:
        """Raise InputError if a column of a row group unpacks to absurdly more bytes than it is packed in."""
        if leaf.max_repetition_level:  # all values of a list may be in one row, which is never cut
            unpacked = max(unpacked, 4 * chunk.num_values)
        packed = min(chunk.total_compressed_size, chunk.total_uncompressed_size)
        if is_decompression_bomb(packed, unpacked):
            raise InputError(
                f"{self.path}: column '{leaf.path}' unpacks from {packed:,} to {unpacked:,} bytes, as in a "
                "decompression bomb: write it again, in smaller row groups"
            )

    def _longest_value(self, group: int, chunk: Any, leaf: Any) -> int:
        """Return a bound on the bytes of a decoded value; of strings outside the dictionary, their mean."""
        if not _holds_strings(leaf):
            return max(8, int(leaf.length))
        size = int(chunk.total_uncompressed_size)
        if "DELTA_BYTE_ARRAY" in chunk.encodings:  # each value may repeat all of the one before
            return size
        values = self._dictionaries.iter_batches(
            1, row_groups=[group], columns=[leaf.path], use_threads=self._threads
        )
        first = next(values, None)
        # A path may name two columns, where a name has a dot.
        lengths = [_longest_of_dictionary(column) for column in first.columns] if first else [None]
        known = [length for length in lengths if length is not None]
        return size if len(known) < len(lengths) else max(*known, size // max(1, int(chunk.num_values)))


def _reader(path: Location) -> Callable[..., pq.ParquetFile]:
    """Return what opens a file: mapped into memory, or of a store, by ranges of its columns.

    The ranges of all columns, of which each has one in memory, take READ_BYTES if they are not too many.
    """
    if isinstance(path, Path):
        return partial(pq.ParquetFile, path, memory_map=True)
    least, most = RANGE_BYTES
    file = path.open("rb", least)
    columns = len(pq.ParquetFile(file).schema)
    range_bytes = max(least, min(most, READ_BYTES // max(1, columns)))
    # Without `pre_buffer`, which reads whole columns, and in threads that no interrupt ends.
    return partial(pq.ParquetFile, file, buffer_size=range_bytes, pre_buffer=False)


@contextmanager
def _damage(what: str) -> Iterator[None]:
    """Turn what pyarrow raises into an InputError with the remedy; a lack of memory is no damage."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        if is_lack_of_memory(error):
            raise
        raise InputError(f"{what} ({error}): write it again") from error


def _holds_strings(leaf: Any) -> bool:
    return bool(leaf.physical_type == "BYTE_ARRAY" and leaf.logical_type.type != "DECIMAL")


def _longest_of_dictionary(values: pa.Array) -> int | None:
    """Return the bytes of the longest string of the dictionary that a column holds, None if it holds none."""
    while not pa.types.is_dictionary(values.type):
        if pa.types.is_struct(values.type):
            values = values.field(0)
        elif hasattr(values, "values"):  # of a list or a map
            values = values.values
        else:
            return None
    return pc.max(pc.binary_length(values.dictionary)).as_py() or 0


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield the batch in halves of halves, until each is of BATCH_BYTES or is one row."""
    if batch.num_rows < 2 or sum(map(_decoded_bytes, batch.columns)) <= BATCH_BYTES:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half))
    yield from _pieces(batch.slice(half))


def _decoded_bytes(column: pa.Array) -> int:
    """Return the bytes of a column's values, those of a dictionary of strings once for each row."""
    if not pa.types.is_dictionary(column.type) or not _is_binary(column.type.value_type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary)
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))
