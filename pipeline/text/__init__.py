"""Texts to token ids and word vectors."""
