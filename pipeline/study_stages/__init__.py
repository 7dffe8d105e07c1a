"""The stages of crossval, tune and why: what these commands have done, each from files to files."""
