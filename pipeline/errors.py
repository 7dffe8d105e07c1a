"""The error that a user can mend, and the result that a user may not like."""


class InputError(Exception):
    """One line: what is wrong, where (file, line, column), what was expected, what to do.

    `python -m pipeline` prints it without a traceback and exits with code 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class StoreUnreachable(InputError):
    """The tracking server does not answer: nothing is wrong with what was asked."""


class Diverged(InputError):
    """The training's loss is no finite number."""


class Refused(Exception):
    """What was asked for was not done, for reasons that are a result and no fault.

    `python -m pipeline` prints the line and exits with code 1.
    """


def is_interrupt(error: BaseException | None) -> bool:
    """Whether it is one, or comes of one: numba makes of an interrupt at a kernel's door a chain of other
    errors."""
    return isinstance(error, KeyboardInterrupt) or (error is not None and is_interrupt(error.__cause__))
