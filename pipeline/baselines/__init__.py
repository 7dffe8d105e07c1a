"""The opponents that every network is compared with."""
