"""Comparisons of many trainings, and searches among them, as commands: one module for each."""
