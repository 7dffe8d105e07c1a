"""Keras layers, optimizers and training, for any architecture."""
