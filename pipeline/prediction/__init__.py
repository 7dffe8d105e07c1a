"""A trained classifier at work: loading, folding, labelling."""
