"""Comparisons of many trainings."""
