"""Where the program runs: its checkout, cores, memory and compiled code, and a data folder that was moved."""
