"""Where the program runs: its checkout, cores and memory, and a data folder that was moved."""
