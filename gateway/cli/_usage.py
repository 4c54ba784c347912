"""The one error that commands raise for what was typed."""


class UsageError(ValueError):
    """The command line asks for what cannot be; `str()` is one line. Exit code 2."""
