"""convtext: a labelled CSV in; a small, fast, explained, tracked classifier out; the next CSV labelled.

The line, one verb a module, one verb a Makefile target:

    CSV - prepare - tokenize - embed - train - evaluate          CSV - predict - CSV
                            `- baseline -----'

A verb reads files, calls nouns, writes files. Every other module is a noun: it computes, and knows
neither the file layout nor the command line.
"""

__version__ = "0.1.0"
