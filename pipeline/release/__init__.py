"""The champion: registry, gate and comparison with a new run."""
