"""Many simulated things at once, from a TOML file or as the demo's park."""

from simulators.fleet.file import FleetConfig, FleetError, load
from simulators.fleet.fleet import Fleet
from simulators.ledger import Ledger
from simulators.things import ThingSpec, park, zoned

__all__ = ["Fleet", "FleetConfig", "FleetError", "Ledger", "ThingSpec", "load", "park", "zoned"]
