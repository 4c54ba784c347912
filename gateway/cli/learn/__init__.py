"""`parkgate learn`: from a board that nobody has described to a configuration that reads it."""

from gateway.cli.learn.command import learn

__all__ = ["learn"]
