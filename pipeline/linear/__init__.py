"""Linear models on n-grams of tokens and of characters, which a classifier weighs in beside its networks."""
