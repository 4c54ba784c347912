"""`parkgate demo`: a whole testbed in one process."""

from gateway.cli.demo.command import demo

__all__ = ["demo"]
