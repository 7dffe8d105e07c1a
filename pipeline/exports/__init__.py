"""A trained classifier as a model of other libraries, which load it with nothing of this project."""
