"""How the inner loops are compiled: by numba when they run, and into a library ahead of time."""
