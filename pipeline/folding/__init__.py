"""The folded form of a trained text network, which predicts by look-ups and needs no TensorFlow."""
