"""The catalogue: which device types there are, by name.

Made once at the start and handed to the rooms that need it; there is none for the whole process.
A type is imported when it is first asked for, so that a heavy library costs nobody who has no
such device.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points

from devices.spec.device import Device, DeviceType
from devices.spec.errors import DescriptionError

BUILT_IN = (
    "plantower.pms5003",
    "plantower.pms5003t",
    "plantower.pms3003",
    "nova.sds011",
    "nova.sds198",
    "nmea0183",
    "modbus.sdm120",
    "modbus.soil_7in1",
    "mhz19b",
    "bci_oximeter",
    "contec_recorded",
    "senml",
    "ttn_v3",
    "vda5050",
    "zigbee2mqtt",
)
"""The types that parkgate brings: modules below `devices`, each with a `DEVICE` that has the module's name."""

GROUP = "parkgate.devices"
"""Entry points of installed packages: `name = "module:DEVICE"`, the name being the type's."""

RESERVED = frozenset({"gateway", "gateway_device", "gateway_event", "things"})
"""Measurements in which a gateway keeps what it says of itself: no type is stored there."""

Maker = Callable[[], object]


class Catalogue(Mapping[str, Device]):
    """The device types by name. KeyError for a name it does not have, DescriptionError for a type that is none.

    `refused` are the names of types that were described and cannot be, "" where one has none that could be read.
    """

    def __init__(self, makers: Mapping[str, Maker], refused: frozenset[str] = frozenset()) -> None:
        self._makers = dict(makers)
        self.refused = refused
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
        return Catalogue(makers, self.refused)

    def without(self, name: str) -> "Catalogue":
        """This catalogue, and one name more that was refused."""
        return Catalogue(self._makers, self.refused | {name})


def built_in() -> Catalogue:
    """The types that parkgate brings."""
    return Catalogue({_name(module): partial(_built_in, module) for module in BUILT_IN})


def installed() -> Catalogue:
    """The types that parkgate brings, and those of installed packages (entry points of GROUP).

    DescriptionError where two packages bring a type of one name.
    """
    catalogue = built_in()
    makers = dict(catalogue._makers)
    stems = {_stem(name): "parkgate" for name in makers}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        package = point.dist.name if point.dist is not None else point.value
        other = stems.setdefault(_stem(point.name), package)
        if _stem(point.name) in RESERVED:
            raise DescriptionError(f"device type {point.name} of package {package}: the name is the gateways' own")
        if point.name in makers or other != package:
            raise DescriptionError(f"device type {point.name} of package {package}: {other} has one of that name")
        makers[point.name] = point.load
    return Catalogue(makers)


def _name(module: str) -> str:
    return module.rpartition(".")[2].replace("_", "-")


def _stem(name: str) -> str:
    return name.replace("-", "_")


def _itself(device: Device) -> Device:
    return device


def _built_in(module: str) -> object:
    return import_module(f"devices.{module}").DEVICE


def _device(name: str, make: Maker) -> Device:
    try:
        made = make()
    except (ImportError, AttributeError) as error:
        raise DescriptionError(f"device type {name}: cannot be imported: {error}") from error
    if not isinstance(made, DeviceType):
        raise DescriptionError(f"device type {name}: expected a description, got {type(made).__name__}")
    if made.name != name:
        raise DescriptionError(f"device type {name}: its description calls it {made.name}")
    return made  # type: ignore[return-value]  # Device is the union of the kinds of DeviceType
