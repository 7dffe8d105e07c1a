"""Strict reading and writing of CSV, at speed."""
