"""What a fleet is made of: the description of one thing, and the device that plays it.

`park(n, seed)` draws up a fleet: the first seven are one of each type a park starts with, the
rest follows a mix that a real park has (many small sensors, few robots). At most 64 of them are
on serial links, the rest speaks MQTT.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from devices.spec.device import Device, MessageDevice, PolledDevice
from simulators import (
    ble_gatt,
    davis,
    dsmr,
    home_assistant,
    homie,
    irobot,
    jpi_bp,
    ld06,
    lorawan,
    mavlink,
    meshtastic,
    modbus_line,
    nmea0183,
    nonin,
    owntracks,
    oximeters,
    ruuvi,
    shelly,
    sparkplug_b,
    tasmota,
    vda5050,
    wmbusmeters,
    zigbee2mqtt,
)
from simulators.faults import Faults
from simulators.hpma115 import Honeywell
from simulators.line import Respondent
from simulators.mcu680 import Board
from simulators.mhz19b import Winsen
from simulators.peer import Epoch, Instrument
from simulators.pms5003 import Plantower
from simulators.scd30 import CarbonDioxide
from simulators.scene import KINDS, truth
from simulators.sds011 import Nova
from simulators.signals import CENTRE, METRES_PER_DEGREE, Location, Spot, unit
from simulators.sps30 import Particles

Link = Literal["pty", "tcp", "mqtt"]

MOST_SERIAL = 64
ZONES = ("lake", "gate", "hill", "plaza")

PERIODS: Mapping[str, float] = {
    "pms5003": 1.0, "sds011": 1.0, "nmea0183": 1.0, "bci-oximeter": 1.0 / 60.0,
    "senml": 2.0, "ttn-v3": 5.0, "vda5050": 0.5, "ld06": 0.1,
}  # fmt: skip
"""Seconds between readings in a demonstration, where the type's own pace would be dull."""

NAMES: Mapping[str, str] = {
    "pms5003": "lamp", "sds011": "kiosk", "nmea0183": "cart", "bci-oximeter": "visitor",
    "senml": "post", "ttn-v3": "node", "vda5050": "robot",
}  # fmt: skip

FIRST = ("pms5003", "sds011", "nmea0183", "bci-oximeter", "senml", "ttn-v3", "vda5050")
THEN = ("senml", "ttn-v3", "senml", "pms5003", "senml", "ttn-v3", "vda5050", "senml", "sds011", "nmea0183")
OWN_FIELDS = frozenset(
    (
        *("tasmota", "shelly-gen1", "shelly-gen2", "homie", "home-assistant", "owntracks", "meshtastic"),
        "rtl-433",
    )
)
"""Types with open fields of which a simulated thing says what such a device says, and nothing else."""

NODE_KINDS = ("soil", "weather", "noise", "air")
PARK_KINDS = ("noise", "soil", "parking", "people", "weather", "air", "water", "bin")

PEERS: Mapping[str, type[Instrument]] = {
    **dict.fromkeys(
        ("pms5003", "pms3003", "pms5003t", "pms5003s", "pms5003st", "pms7003", "pmsa003"), Plantower
    ),
    **dict.fromkeys(("sds011", "sds018", "sds021", "sds198"), Nova),
    **dict.fromkeys(("hpma115s0", "hpma115c0"), Honeywell),
    "mcu680": Board, "nmea0183": nmea0183.Receiver,
    "vda5050": vda5050.Robot, "mavlink": mavlink.Link, "irobot-oi": irobot.Roomba, "irobot-create1": irobot.Roomba,
    "zigbee2mqtt": zigbee2mqtt.Bridged, "tasmota": tasmota.Module, "shelly-gen1": shelly.Gen1,
    "shelly-gen2": shelly.Gen2, "homie": homie.Described,
    "home-assistant": home_assistant.Announced, "owntracks": owntracks.Telephone, "meshtastic": meshtastic.Node,
    "ble-gatt": ble_gatt.Peripheral,
    "ruuvi": ruuvi.Tag, "sparkplug-b": sparkplug_b.Node,
    "nonin-df2": nonin.Packets, "nonin-palmsat": nonin.Handheld,
    **dict.fromkeys(("bci-oximeter", "bci-oem", "berrymed"), oximeters.Clip), "contec-v7": oximeters.Live,
    "dsmr": dsmr.SmartMeter, "dsmr-v2": dsmr.SmartMeter,
    "modbus-rtu": modbus_line.Line,
}  # fmt: skip
"""Types that do more than talk and answer as listed."""

EPOCHS: Mapping[str, Callable[[int, str, Spot], Epoch]] = {
    "nmea0183": nmea0183.epoch, "vda5050": vda5050.epoch, "ble-gatt": ble_gatt.epoch,
    "ruuvi": ruuvi.epoch, "mavlink": mavlink.epoch, "jpi-bp": jpi_bp.epoch, "wmbusmeters": wmbusmeters.epoch,
    "irobot-oi": irobot.epoch, "irobot-create1": irobot.create1_epoch,
    "irobot-mqtt": irobot.mqtt_epoch, "ld06": ld06.epoch,
    "nonin-df2": nonin.epoch,
    "dsmr": dsmr.epoch, "dsmr-v2": dsmr.epoch_v2,
    "modbus-rtu": modbus_line.epoch,
    "davis-vantage": davis.epoch, "davis-vantage-mm": davis.epoch_mm,
}  # fmt: skip
"""Types whose readings are more than their fields: seed, topic and spot to epoch."""

RESPONDENTS: Mapping[str, type[Respondent]] = {
    "davis-vantage": davis.Console,
    "davis-vantage-mm": davis.Console,
    "sps30": Particles,
    "mhz19b": Winsen,
    "mhz19c": Winsen,
    "scd30": CarbonDioxide,
}
"""Types that do more than answer when they are asked."""


@dataclass(frozen=True)
class ThingSpec:
    """One simulated thing.

    `location` is (latitude, longitude) in degrees; `kind` a set of fields (scene.KINDS) for
    types that carry any; `port` the symlink to give a pty, or the TCP port number. Of a type that is
    asked, things of one `line` are on one port, each with a `unit` number (None: the type's own).
    One that is `warm` was switched on long before anybody listens: no boot noise, no warm-up.
    """

    name: str
    type: Device
    seed: int = 0
    period_s: float = 1.0
    zone: str = ""
    location: Location | None = None
    kind: str | None = None
    link: Link | None = None
    port: str | int | None = None
    topic: str | None = None
    faults: Faults = field(default_factory=Faults)
    line: str | None = None
    unit: int | None = None
    warm: bool = False

    @property
    def spot(self) -> Spot:
        """Where it belongs, as far as it can say so."""
        return Spot(self.zone, self.location)

    @property
    def device(self) -> str:
        """The name of its type."""
        return self.type.name

    @property
    def via(self) -> Link:
        """The link it speaks on: as said, else a pty for serial types."""
        return self.link or ("mqtt" if self.type.link == "mqtt" else "pty")

    @property
    def topic_name(self) -> str:
        """Where its messages go: as said, else the type's usual topic."""
        if self.topic is not None:
            return self.topic
        return usual_topic(self.type, self.name) if isinstance(self.type, MessageDevice) else ""


def usual_topic(device: MessageDevice, thing: str) -> str:
    """The type's usual topic for `thing`; wildcard levels become `parkgate`, but a `#` that alone can name it."""
    topic = device.reading_topic
    if "{thing}" not in topic and topic.endswith("/#"):
        return topic.removesuffix("#") + thing
    levels = topic.replace("{thing}", thing).split("/")
    return "/".join("parkgate" if level in ("+", "#") else level for level in levels)


def kinds_of(device: Device) -> tuple[str, ...]:
    """The kinds (scene.KINDS) of thing that a type can be simulated as; none where it has fields of its own."""
    if not device.open_fields or device.name in OWN_FIELDS or device.name in EPOCHS:
        return ()
    coded = isinstance(device, MessageDevice) and device.decode_coded is not None
    return tuple(kind for kind in KINDS if kind != lorawan.RAW or coded)


def epoch_of(spec: ThingSpec) -> Epoch:
    """What the device of `spec` would say at any time."""
    make_epoch = EPOCHS.get(spec.device)
    if make_epoch is not None:
        return make_epoch(spec.seed, spec.topic_name, spec.spot)
    one = truth(spec.type, spec.seed, spec.kind, spec.spot)
    if spec.kind == lorawan.RAW:
        one = lorawan.raw(one, spec.name)
    return lambda moment: [one(moment)]


def respondent(spec: ThingSpec) -> Respondent:
    """The simulated device of `spec`, of a type that is asked."""
    device = spec.type
    assert isinstance(device, PolledDevice)
    make = RESPONDENTS.get(spec.device, Respondent)
    return make(spec.name, device, epoch_of(spec), device.unit if spec.unit is None else spec.unit, spec.seed)


def peer(spec: ThingSpec) -> Instrument:
    """The simulated device of `spec`, of a type that talks, not connected to anything."""
    device, epoch = spec.type, epoch_of(spec)
    assert not isinstance(device, PolledDevice)
    make = PEERS.get(spec.device, Instrument)
    thing = spec.name if isinstance(device, MessageDevice) else None
    made = make(device, epoch, spec.period_s, seed=spec.seed, thing=thing, topic=spec.topic_name)
    made.warm = spec.warm
    return made


def park(things: int, seed: int, devices: Mapping[str, Device]) -> list[ThingSpec]:
    """A fleet of `things` things of the types in `devices`, all of which run already.

    From seven on there is at least one of each type in `FIRST`.
    """
    specs: list[ThingSpec] = []
    serial = 0
    counts: dict[str, int] = {}
    for index in range(things):
        name = FIRST[index] if index < len(FIRST) else THEN[(index - len(FIRST)) % len(THEN)]
        device = devices[name]
        if device.link == "serial":
            serial += 1
            if serial > MOST_SERIAL:
                device = devices["senml"]
        number = counts[device.name] = counts.get(device.name, 0) + 1
        kinds = {"senml": PARK_KINDS, "ttn-v3": NODE_KINDS}.get(device.name)
        kind = kinds[(number - 1) % len(kinds)] if kinds else None
        specs.append(
            ThingSpec(
                name=f"{NAMES[device.name]}-{number:02d}",
                type=device,
                seed=seed * 1009 + index,
                period_s=PERIODS[device.name],
                zone=ZONES[index % len(ZONES)],
                location=CENTRE if device.name in EPOCHS else place(seed, index),
                kind=kind,
                warm=True,
            )
        )
    return specs


def zoned(specs: Iterable[ThingSpec]) -> list[ThingSpec]:
    """The same things, those on MQTT below the name of their zone: as where each zone has a broker
    of its own that is bridged under a prefix. One subscription for a zone then knows the zone."""
    return [
        replace(spec, topic=f"{spec.zone}/{spec.topic_name}") if spec.zone and spec.via == "mqtt" else spec
        for spec in specs
    ]


def place(seed: int, index: int) -> Location:
    """A spot within 200 m of the park's centre: (latitude, longitude) in degrees."""
    away, turn = 200.0 * math.sqrt(unit(seed, 2 * index)), 2.0 * math.pi * unit(seed, 2 * index + 1)
    north, east = away * math.cos(turn), away * math.sin(turn)
    longitude = CENTRE[1] + east / (METRES_PER_DEGREE * math.cos(math.radians(CENTRE[0])))
    return round(CENTRE[0] + north / METRES_PER_DEGREE, 6), round(longitude, 6)
