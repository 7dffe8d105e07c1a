"""The word vectors that networks start from: random, learned from the corpus, or pretrained."""
