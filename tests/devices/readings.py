"""Random readings of a device type, drawn from its description."""

from collections.abc import Callable

from hypothesis import strategies as st

from devices.spec.device import Device
from devices.spec.events import Reading, Value
from devices.spec.field import Field

ANSWERS = {
    "mode", "power", "firmware", "working_period_min",
}  # fmt: skip
TEXTS: dict[str, st.SearchStrategy[str]] = {
    "device_id": st.integers(0, 0xFFFF).map(lambda number: f"{number:04X}"),
}


def values(field: Field) -> st.SearchStrategy[Value]:
    """Any value the device can say, as the decoder would give it."""
    if field.kind == "flag":
        return st.booleans()
    if field.kind == "state":
        return st.sampled_from(field.states)
    if field.kind == "text":
        return TEXTS[field.name]
    assert field.minimum is not None, field.name
    assert field.maximum is not None, field.name
    assert field.step is not None, field.name
    divisor = round(1 / field.step)
    raws = st.integers(round(field.minimum * divisor), round(field.maximum * divisor))
    if field.kind == "counter":
        return raws
    return raws.map(lambda raw: raw / divisor)


def readings(device: Device) -> st.SearchStrategy[Reading]:
    """Measurements with every required field and any of the optional ones."""
    special = SPECIAL.get(device.name)
    if special is not None:
        return special()
    fields = [field for field in device.fields if field.name not in ANSWERS]
    required = {field.name: values(field) for field in fields if not field.optional}
    optional = {field.name: values(field) for field in fields if field.optional}
    return st.fixed_dictionaries(required, optional=optional).map(lambda drawn: Reading(dict(drawn)))


SPECIAL: dict[str, Callable[[], st.SearchStrategy[Reading]]] = {}
