"""The stages of crossval, curve, tune and why: what these commands have done, each from files to files."""
