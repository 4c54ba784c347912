"""A smart meter at its P1 port: a house on three phases, a gas meter on channel 1 and a water meter on channel 2.

The telegram says the house now, and of the others what they showed last: gas and water each five minutes with
version 5, each hour with version 2 (`dsmr-v2`), again in every telegram until there is something newer.

Limits: two tariffs, nothing is given back to the mains.
Source: DSMR P1 companion standard 5.0.2, 6.13 (the example telegram).
"""

from devices.p1.family import CHANNEL, FIELDS, encode, encode_v2, joined
from devices.spec.events import Reading, Value
from simulators.peer import Epoch, Frame, Instrument
from simulators.scene import QUANTITIES, Scene, settle
from simulators.signals import DAY_S, NOWHERE, Spot, hour

NAMED = {field.name: field for field in FIELDS}
SAID = (
    "energy_import_t1_kwh", "energy_import_t2_kwh", "energy_export_t1_kwh", "energy_export_t2_kwh", "power_import_kw",
    "power_export_kw", *(
        f"{name}_l{phase}_{unit}"
        for phase in (1, 2, 3)
        for name, unit in (("voltage", "v"), ("current", "a"), ("power_import", "kw"), ("power_export", "kw"))
    ),
)  # fmt: skip
COUNTED = ("power_failures", "long_power_failures")
EVERY_S = {"dsmr": 300.0, "dsmr-v2": 3600.0}
SAYS = {"dsmr": encode, "dsmr-v2": encode_v2}
GAS, WATER = NAMED["gas_m3"], NAMED["water_m3"]
SINCE = 1_577_836_800.0


def epoch(seed: int, _topic: str, _spot: Spot = NOWHERE) -> Epoch:
    """What a meter of version 5 says; a telegram has the time of its second."""
    scene = Scene.of(seed)

    def at(moment: float) -> list[Reading]:
        fields: dict[str, Value] = {"version": "50"}
        fields |= {name: settle(NAMED[name], QUANTITIES[name](scene, moment)) for name in SAID}
        fields |= {"tariff": scene.mains.tariff(moment), "breaker_position": 1}
        fields |= dict.fromkeys(COUNTED, 3)
        return [Reading(fields, int(moment) * 1_000_000_000)]

    return at


def epoch_v2(seed: int, topic: str, spot: Spot = NOWHERE) -> Epoch:
    """The same in version 2, which says neither version nor time."""
    made = epoch(seed, topic, spot)

    def at(moment: float) -> list[Reading]:
        (reading,) = made(moment)
        version_2 = {name: value for name, value in reading.fields.items() if name not in ("version", *COUNTED)}
        return [Reading(version_2, None)]

    return at


class SmartMeter(Instrument):
    """See the module."""

    def _frames(self, moments: list[float]) -> list[Frame]:
        every_s, say = EVERY_S[self.device.name], SAYS[self.device.name]
        beside = (self._beside(moment // every_s * every_s) for moment in moments)
        return [
            frame._replace(data=joined((frame.data, *map(say, readings))))
            for frame, readings in zip(super()._frames(moments), beside, strict=True)
        ]

    def _beside(self, moment: float) -> list[Reading]:
        """What the meters on the channels showed at a time."""
        days = (moment - SINCE) / DAY_S
        shown = {"1": (GAS, 1.9 * days), "2": (WATER, 0.31 * days + 0.004 * hour(moment) / 24.0)}
        return [
            Reading({field.name: settle(field, value)}, int(moment) * 1_000_000_000, tags={CHANNEL: channel})
            for channel, (field, value) in shown.items()
        ]
