"""Files of labelled examples to checked, split rows."""
