"""The catalogue: which device types there are, by name.

Made once at the start and handed to the rooms that need it; there is none for the whole process.
A type is imported when it is first asked for, so that a heavy library costs nobody who has no
such device.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import NoReturn

from devices.spec.device import Device
from devices.spec.errors import DescriptionError

BUILT_IN = (
    "plantower.pms5003",
    "plantower.pms5003t",
    "plantower.pms5003s",
    "plantower.pms5003st",
    "plantower.pms7003",
    "plantower.pmsa003",
    "plantower.pms3003",
    "nova.sds011",
    "nova.sds018",
    "nova.sds021",
    "nova.sds198",
    "nmea0183",
    "winsen.mhz19b",
    "winsen.mhz19c",
    "davis.davis_vantage",
    "davis.davis_vantage_mm",
    "p1.dsmr",
    "p1.dsmr_v2",
    "modbus.modbus_rtu",
    "honeywell.hpma115s0",
    "honeywell.hpma115c0",
    "sensirion.sps30",
    "sensirion.scd30",
    "mcu680",
    "bci.bci_oximeter",
    "bci.bci_oem",
    "bci.berrymed",
    "contec_v7",
    "contec_recorded",
    "jpi_bp",
    "lorawan.cayenne_lpp",
    "senml",
    "ttn_v3",
    "chirpstack_v4",
    "vda5050",
    "mavlink",
    "ld06",
    "irobot.irobot_oi",
    "irobot.irobot_create1",
    "irobot.irobot_mqtt",
    "zigbee2mqtt",
    "ble_gatt",
    "ruuvi",
    "nonin.nonin_df2",
    "nonin.nonin_palmsat",
    "sparkplug_b",
    "ieee11073.ieee11073_float",
    "ieee11073.ieee11073_sfloat",
    "tasmota",
    "shelly.shelly_gen1",
    "shelly.shelly_gen2",
    "homie",
    "home_assistant",
    "owntracks",
    "meshtastic",
    "wmbusmeters",
    "rtl_433",
)
"""The types that parkgate brings: modules below `devices`, each with a `DEVICE` that has the module's name."""

PROFILES = (
    "sdm120",
    "sdm230",
    "sdm630",
    "soil-7in1",
    "soil-npk",
    "rs-cfsfx",
    "sen0482",
    "sen0483",
    "rain-gauge",
    "sen0575",
    "sen0657",
    "sen0658",
    "xy-md02",
    "rs-ws-n01",
)
"""The types that parkgate brings as register maps: files of `devices/modbus/profiles`, read when a type is used."""

ALIASES: Mapping[str, tuple[str, ...]] = {
    "bosch-mcu680": ("mcu680",),
    "bci-5byte": ("berrymed", "bci-oximeter", "bci-oem"),
    "cms50d-plus": ("bci-oximeter", "contec-recorded", "contec-v7"),
    "cms50e": ("bci-oximeter", "contec-recorded"),
    "contec-cms50dplus": ("bci-oximeter", "contec-recorded", "contec-v7"),
    "homie4": ("homie",),
    "homie5": ("homie",),
    "irobot-create2": ("irobot-oi",),
    "irobot-oi-stream": ("irobot-oi", "irobot-create1"),
    "irobot-open-interface": ("irobot-oi", "irobot-create1"),
    "irobot-roomba-oi": ("irobot-oi",),
    "ldrobot-ld06": ("ld06",),
    "ldrobot-ld19": ("ld06",),
    "lorawan-payload": ("ttn-v3",),
    "mavlink1": ("mavlink",),
    "mavlink2": ("mavlink",),
    "honeywell-hpma": ("hpma115s0", "hpma115c0"),
    "novasds": ("sds011", "sds198", "sds018", "sds021"),
    "davis-loop": ("davis-vantage", "davis-vantage-mm"),
    "dsmr-p1": ("dsmr", "dsmr-v2"),
    "modbus": ("modbus-rtu",),
    "modbus-crc16": ("modbus-rtu",),
    "plantower": ("pms5003", "pms3003", "pms5003t", "pms5003st", "pms5003s", "pms7003", "pmsa003"),
    "ruuvi-df3": ("ruuvi",),
    "ruuvi-df5": ("ruuvi",),
    "sensirion-shdlc": ("sps30",),
    "senml-cbor": ("senml",),
    "senml-json": ("senml",),
    "sparkplug-b-sequence": ("sparkplug-b",),
    "ttn-v3-event": ("ttn-v3",),
    "ttn-v3-uplink": ("ttn-v3",),
    "winsen-mhz": ("mhz19b", "mhz19c"),
    "ha-discovery": ("home-assistant",),
}
"""Names of protocols, as those write who publish recordings of them, and the types that speak them: where the bytes
do not tell, the first is meant."""

GROUP = "parkgate.devices"
"""Entry points of installed packages: `name = "module:DEVICE"`, the name being the type's."""

RESERVED = frozenset({"gateway", "gateway_device", "gateway_event", "things"})
"""Measurements in which a gateway keeps what it says of itself: no type is stored there."""

Maker = Callable[[], object]


class Catalogue(Mapping[str, Device]):
    """The device types by name. KeyError for a name it does not have, DescriptionError for a type that is none.

    `refused` are the names of types that were described and cannot be, "" where one has none that could be read;
    `left_out` says of what installed packages bring and nobody can name why it is not there.
    """

    def __init__(
        self, makers: Mapping[str, Maker], refused: frozenset[str] = frozenset(), left_out: tuple[str, ...] = ()
    ) -> None:
        self._makers = dict(makers)
        self.refused = refused
        self.left_out = left_out
        self._made: dict[str, Device] = {}

    def __getitem__(self, name: str) -> Device:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = _device(name, self._makers[name])
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def plus(self, devices: Iterable[Device]) -> "Catalogue":
        """This catalogue with further types. DescriptionError where a name or a measurement is taken."""
        makers = dict(self._makers)
        stems = {_stem(name): name for name in makers}
        for device in devices:
            other = stems.setdefault(device.measurement, device.name)
            if device.measurement in RESERVED:
                raise DescriptionError(
                    f"device type {device.name}: {device.measurement} is what gateways say of themselves"
                )
            if device.name in makers or other != device.name:
                raise DescriptionError(f"device type {device.name}: there is a type {other} already")
            makers[device.name] = partial(_itself, device)
        return Catalogue(makers, self.refused, self.left_out)

    def without(self, name: str) -> "Catalogue":
        """This catalogue, and one name more that was refused."""
        return Catalogue(self._makers, self.refused | {name}, self.left_out)


def left_out(devices: Mapping[str, Device]) -> tuple[str, ...]:
    """Why what installed packages bring is not there; empty where the types are no catalogue."""
    return devices.left_out if isinstance(devices, Catalogue) else ()


def built_in() -> Catalogue:
    """The types that parkgate brings."""
    modules = {_name(module): partial(_built_in, module) for module in BUILT_IN}
    return Catalogue({**modules, **{name: partial(_profile, name) for name in PROFILES}})


def installed() -> Catalogue:
    """The types that parkgate brings, and those of installed packages (entry points of GROUP).

    A type that a package cannot bring has its name here all the same, and says why when it is asked for; where the
    name is that of a type of parkgate, that one stays.
    """
    makers = dict(built_in()._makers)
    stems = {_stem(name): "parkgate" for name in makers}
    names: dict[str, str] = {}
    left_out: list[str] = []
    try:
        points = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    except Exception as error:  # noqa: BLE001  # whatever stands in the files of installed packages
        return Catalogue(makers, left_out=(f"the list of installed packages cannot be read: {_words(error)}",))
    for point in points:
        who = f"device type {point.name} of {_package(point)}"
        if point.name in names:
            makers[point.name] = partial(_cannot, f"{who}: {names[point.name]} has one of that name, too")
        elif point.name in makers:
            left_out.append(f"{who}: parkgate has one of that name, which stays")
        elif _stem(point.name) in RESERVED:
            makers[point.name] = partial(_cannot, f"{who}: the name is the gateways' own")
        elif _stem(point.name) in stems:
            makers[point.name] = partial(_cannot, f"{who}: {stems[_stem(point.name)]} has one of that name")
        else:
            makers[point.name] = partial(_loaded, point, who)
            names[point.name] = stems[_stem(point.name)] = _package(point)
    return Catalogue(makers, left_out=tuple(left_out))


def _package(point: EntryPoint) -> str:
    """The package, and what it offers: `package acme-parkgate (acme_wind:DEVICE)`."""
    return f"package {point.dist.name} ({point.value})" if point.dist is not None else f"package {point.value}"


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _cannot(why: str) -> NoReturn:
    raise DescriptionError(why)


def _loaded(point: EntryPoint, who: str) -> Device:
    try:
        made = point.load()
    except (Exception, SystemExit) as error:  # a package's code runs, which is not ours and raises what it likes
        raise DescriptionError(f"{who}: cannot be imported: {_words(error)}") from error
    return _described(who, point.name, made)


def _name(module: str) -> str:
    return module.rpartition(".")[2].replace("_", "-")


def _stem(name: str) -> str:
    return name.replace("-", "_")


def _itself(device: Device) -> Device:
    return device


def _built_in(module: str) -> object:
    return import_module(f"devices.{module}").DEVICE


def _profile(name: str) -> object:
    from devices.modbus import profile

    return profile.built_in(name)


def _device(name: str, make: Maker) -> Device:
    try:
        made = make()
    except (ImportError, AttributeError) as error:
        raise DescriptionError(f"device type {name}: cannot be imported: {error}") from error
    return _described(f"device type {name}", name, made)


def _described(who: str, name: str, made: object) -> Device:
    if not isinstance(made, Device):
        raise DescriptionError(f"{who}: expected a description, got {type(made).__name__}")
    if made.name != name:
        raise DescriptionError(f"{who}: its description calls it {made.name}")
    return made
