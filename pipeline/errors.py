"""The error that a user can mend."""


class InputError(Exception):
    """One line: what is wrong, where (file, line, column), what was expected, what to do.

    `python -m pipeline` prints it without a traceback and exits with code 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
