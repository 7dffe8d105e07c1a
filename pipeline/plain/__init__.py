"""A trained classifier in plain arrays, layers and operations, of Keras, ONNX and TensorFlow alone."""
