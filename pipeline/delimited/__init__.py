"""Strict reading of delimited text, such as CSV, in blocks of bytes and at speed."""
