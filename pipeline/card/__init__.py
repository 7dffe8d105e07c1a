"""The model card of a run, and Markdown that is safe whatever is in it."""
