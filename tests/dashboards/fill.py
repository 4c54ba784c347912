"""Fill a database the way it is filled in a park: simulators, broker and serial ports, gateway.

One thing of every device type at least, each on its own link. Simulators leave out optional
fields that their signals do not know; so each MQTT type gets one more thing, which says every
field the type has, in the type's own bytes. What meters and vehicles say on a serial line now and then only is
written as the gateway would store it. The gateway's own points are asked for once
a second instead of every ten, so that counters have rates within seconds.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import aiomqtt

from devices.ble_gatt.topics import CHARACTERISTICS
from devices.meshtastic import node_of
from devices.ruuvi.formats import FORMATS as RUUVI_FORMATS
from devices.spec.device import MessageDevice, PolledDevice, StreamDevice
from devices.spec.events import Reading, Value
from devices.spec.field import Field
from devices.zigbee2mqtt import exposes, listed
from gateway.app import Gateway
from gateway.config import load
from gateway.decode.point import Series
from simulators.fleet.fleet import Fleet
from simulators.scene import truth
from simulators.things import Link, ThingSpec, kinds_of, usual_topic
from tests.device_types import BY_NAME, DEVICES
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

DEADLINE_S = 60.0
ROUNDS = 4
BUCKET_NS = 1_000_000_000
"""The test's `$__interval`: each round is in a bucket of its own."""

PLACE = "[22.4270, 114.2110]"


@dataclass(frozen=True)
class Period:
    """From the first to the last point, nanoseconds since 1970."""

    first_ns: int
    last_ns: int


def fill(influxd: Influxd, mosquitto: Mosquitto, folder: Path, database: str) -> Period:
    """Run simulators and gateway until every measurement is there and has rates."""
    first_ns = time.time_ns() - 1_000_000_000
    asyncio.run(_run(influxd, mosquitto, folder, database))
    return Period(first_ns, time.time_ns() + 1_000_000_000)


def things() -> list[ThingSpec]:
    """One thing a type, two of the first, one a kind of those that carry any field."""
    specs = [ThingSpec("pms5003-2", BY_NAME["pms5003"], seed=99, period_s=0.2, link="tcp")]
    for seed, device in enumerate(DEVICES):
        link: Link = "tcp" if device.link == "serial" else "mqtt"
        for number, kind in enumerate(kinds_of(device) or (None,), 1):
            specs.append(ThingSpec(f"{device.name}-{number}", device, seed, 0.2, kind=kind, link=link))
    return specs


def config(influxd: Influxd, mosquitto: Mosquitto, fleet: Fleet, database: str) -> str:
    """The gateway's configuration. The second PMS5003 has no zone, all others are at the lake."""
    parts = [
        '[gateway]\nname = "park-east"\nstate_dir = "state"\nlisten = "127.0.0.1:0"\n',
        f'[influxdb]\nurl = "{influxd.url}"\ndatabase = "{database}"\n',
        f'[mqtt.main]\nurl = "{mosquitto.url}"\nclient_id = "park-east"\n',
    ]
    zone = 'tags = { zone = "lake" }\n'
    for device in DEVICES:
        topics = [device.topic] if isinstance(device, MessageDevice) else []
        if device.name == "vda5050":
            topics.append(topics[0].removesuffix("state") + "connection")
        for topic in topics:
            parts.append(f'[[mqtt.main.subscription]]\ntopic = "{topic}"\ndevice = "{device.name}"\n{zone}')
    for spec in fleet.specs:
        if isinstance(spec.type, StreamDevice | PolledDevice):
            head = f'[[serial]]\nport = "{fleet.ports[spec.name]}"\ndevice = "{spec.device}"\n'
            head += "every_s = 0.5\n" if isinstance(spec.type, PolledDevice) else ""
            tail = "" if spec.name == "pms5003-2" else zone
            parts.append(f'{head}thing = "{spec.name}"\nlocation = {PLACE}\n{tail}')
    return "\n".join(parts)


async def _run(influxd: Influxd, mosquitto: Mosquitto, folder: Path, database: str) -> None:
    fleet = Fleet(things(), broker=("127.0.0.1", mosquitto.port))
    await fleet.open()
    file = folder / "gateway.toml"
    file.write_text(config(influxd, mosquitto, fleet, database))
    gateway = Gateway(load(file, {}, BY_NAME))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(gateway.run(stop))
        playing = group.create_task(fleet.run())
        await until(
            lambda: _unheard(gateway),
            "no reading of these things; a simulated thing of a family says first what it is by `births`",
        )
        await _say_everything(mosquitto)
        gateway.pipeline.drop("talker", _now_and_then())
        for _ in range(ROUNDS):
            await _round(gateway)
        fleet.stop()
        await playing
        stop.set()
        await running
    await fleet.close()


def _called(spec: ThingSpec) -> str:
    """What the gateway calls a thing: of Meshtastic by the node's number."""
    return node_of(spec.name) if spec.device == "meshtastic" else spec.name


def _unheard(gateway: Gateway) -> set[str]:
    """The things that have no reading yet; of a type whose port several share, one of them is enough."""
    heard = {stats.thing for stats in gateway.stats.devices.values() if stats.readings}
    shared = {spec.name for spec in things() if isinstance(spec.type, StreamDevice) and spec.type.shared}
    spoken = {name for name in shared if any(thing.startswith(f"{name}-") for thing in heard)}
    return {_called(spec) for spec in things()} - heard - spoken


async def _round(gateway: Gateway) -> None:
    """The gateway's own points, once; over when they are stored and the next bucket has begun."""
    written, bucket = gateway.stats.stages.written, time.time_ns() // BUCKET_NS
    gateway.pipeline.drop("gateway", [*gateway.points.lines(), _event()])
    await until(
        lambda: () if gateway.stats.stages.written > written and time.time_ns() // BUCKET_NS > bucket else ("gateway",),
        "the gateway's own points are not stored",
    )


async def until(missing: Callable[[], Collection[str]], words: str) -> None:
    """Wait until nothing is missing. Look every 10 ms; counters have no event to wait for."""
    deadline = time.monotonic() + DEADLINE_S
    while left := missing():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {words}: {', '.join(sorted(left))}"
        await asyncio.sleep(0.01)


async def _say_everything(mosquitto: Mosquitto) -> None:
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        for device in DEVICES:
            if isinstance(device, MessageDevice):
                name = f"{device.name}-talker"
                reading = _everything(device, name)
                if device.name == "zigbee2mqtt":  # its bridge has to list it
                    rows = [(name, exposes(reading.fields))]
                    await client.publish("zigbee2mqtt/bridge/devices", listed(rows), qos=1)
                for topic, payload in device.births(usual_topic(device, name), reading) if device.births else ():
                    await client.publish(topic, payload, qos=1, retain=True)
                for topic, payload in _said(device, name, reading):
                    await client.publish(topic, payload, qos=1)


def _said(device: MessageDevice, name: str, reading: Reading) -> list[tuple[str, bytes]]:
    """The messages that say all of it: of GATT values, one of each characteristic; of Ruuvi, one of each format."""
    topic = usual_topic(device, name)
    if device.name == "ruuvi":
        return _formats(device, topic, reading)
    if device.name != "ble-gatt":
        return [(topic, device.encode(reading))]
    said = []
    # no panels, but no glucose without them
    values = reading.fields | {"sequence_number": 1, "glucose_type": "capillary whole blood"}
    for each in CHARACTERISTICS:
        fields = {field: value for field, value in values.items() if field in each.names}
        if fields:
            said.append((f"{topic.rpartition('/')[0]}/{each.uuid:04x}", each.write(fields)))
    return said


def _formats(device: MessageDevice, topic: str, reading: Reading) -> list[tuple[str, bytes]]:
    said = [(f"ruuvi/{reading.thing}/gw_status", device.encode(Reading({"online_flag": True})))]
    for number, known in RUUVI_FORMATS.items():
        names = {"rssi_dbm", known.apart} | known.table.names
        part: dict[str, Value] = {name: value for name, value in reading.fields.items() if name in names}
        if number != 3:  # its ranges are narrower
            whole = Reading(part | {"data_format": known.name, "measurement_sequence": number})
            said.append((topic, device.encode(whole)))
    return said


def _everything(device: MessageDevice, name: str) -> Reading:
    """What the signals know, and for every other shown field a value it can have."""
    reading = truth(device, 7)(time.time())
    for field in device.fields:
        if field.panel and field.name != "connection_state":
            reading.fields.setdefault(field.name, _value(field))
    if device.name in ("ble-gatt", "ruuvi"):  # some of their forms end below the sun at noon
        reading.fields["illuminance_lx"] = 40_000.0
    if device.name == "vda5050":
        reading.fields |= {"version": "3.0.0", "error_count": 1, "fatal_count": 0, "error_level": "WARNING"}
    reading.thing = name
    return reading


def _value(field: Field) -> Value:
    if field.kind == "flag":
        return True
    if field.kind == "state":
        return field.states[0]
    if field.kind == "text":
        return "word"
    if field.kind == "counter":
        return 1
    return float((field.minimum or 0.0) if field.maximum is None else field.maximum)


def _now_and_then() -> list[str]:
    """Points with every field of the types on a serial line, of their first thing."""
    lines = []
    for device in DEVICES:
        if isinstance(device, StreamDevice):
            series = Series(device.measurement, {"zone": "lake", "thing": f"{device.name}-1"})
            fields = {field.name: _value(field) for field in device.fields if field.panel}
            lines.append(series.line(fields, None, time.time_ns()) if fields else None)
    return [line for line in lines if line is not None]


def _event() -> str:
    """A watchdog's event, as the gateway writes it when a port falls silent."""
    series = Series("gateway_event", {"gateway": "park-east", "thing": "pms5003-1", "layer": "port"})
    line = series.line({"title": "Port is silent", "text": "no byte for 30 s"}, None, time.time_ns())
    assert line is not None
    return line
