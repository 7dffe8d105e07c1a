"""Tables of rows in files of any kind: read in batches, and written again with more columns."""
