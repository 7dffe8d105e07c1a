"""Comparison of tracked runs, and the champion: registry, gate and contest with a new run."""
