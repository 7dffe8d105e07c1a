"""The fields of a block's records."""

from __future__ import annotations

import csv

from tests.delimited.reading import CsvFile


def test_other_readers_keep_their_field_limit(path):
    before = csv.field_size_limit()
    path.write_bytes(b'a,b\n1,2\n3,"4\n')
    with CsvFile(path, field_limit=7) as file:
        for _ in file:
            assert csv.field_size_limit() == before
    assert csv.field_size_limit() == before
