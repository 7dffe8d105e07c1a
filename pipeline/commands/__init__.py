"""What can be asked beside the line: one module for each command."""
