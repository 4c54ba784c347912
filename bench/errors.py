"""What a benchmark says when it cannot be run."""


class BenchError(Exception):
    """A benchmark that cannot be run; the text is one line and says what to do."""
