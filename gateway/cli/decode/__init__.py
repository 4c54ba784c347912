"""`parkgate decode`: what given bytes, a payload or a port say."""

from gateway.cli.decode.command import decode
from gateway.cli.decode.listen import Port, reading, run_on_port, running
from gateway.cli.decode.shown import rfc3339
from gateway.cli.decode.speed import ANYTHING, at_the_right_speed

__all__ = ["ANYTHING", "Port", "at_the_right_speed", "decode", "reading", "rfc3339", "run_on_port", "running"]
