"""The line, from CSV to CSV: one module for each stage."""
