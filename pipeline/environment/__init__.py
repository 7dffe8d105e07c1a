"""Where the program runs: its checkout, what it is called, its cores, and its data folder after a move."""
