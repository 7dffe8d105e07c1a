"""The graph of files: what configures it, what its rules need to know, and the inner make that builds it."""
