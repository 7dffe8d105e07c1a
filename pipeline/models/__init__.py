"""The architectures: one file each, found by its name, with its `Options` and `build` side by side."""
