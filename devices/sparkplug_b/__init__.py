"""Sparkplug B: industrial edge nodes that are born, say what changes, and die."""

from devices.sparkplug_b.device import DEVICE
from devices.sparkplug_b.encode import aliased, aliases_of, birth, death
from devices.sparkplug_b.sequence import Counted, count
from devices.sparkplug_b.topic import Place, place

__all__ = ["DEVICE", "Counted", "Place", "aliased", "aliases_of", "birth", "count", "death", "place"]
