"""Bytes and payloads to readings, readings to lines of line protocol."""

from gateway.decode.broker import BrokerIntake
from gateway.decode.fault import AHEAD_NS, EARLIEST_NS
from gateway.decode.known import KnownThings
from gateway.decode.lane import earliest_ns
from gateway.decode.names import clean_tag
from gateway.decode.point import Series
from gateway.decode.port import PortIntake
from gateway.decode.subscription import Subscription
from gateway.decode.thing import ThingIntake
from gateway.decode.things import Known

__all__ = [
    "AHEAD_NS",
    "EARLIEST_NS",
    "BrokerIntake",
    "Known",
    "KnownThings",
    "PortIntake",
    "Series",
    "Subscription",
    "ThingIntake",
    "clean_tag",
    "earliest_ns",
]
