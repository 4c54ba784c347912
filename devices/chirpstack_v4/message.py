"""The typed shape of an event of ChirpStack v4, as far as it is used.

The eight events share one struct: what an event has not is None. Proto3 JSON: a value that is zero, false or
empty is left out, null stands for left out, 64-bit integers are texts, and any number may be one. Labels
that are not listed are skipped without being built.

Source: chirpstack/chirpstack, api/proto/integration/integration.proto and api/proto/gw/gw.proto (MIT).
"""

from typing import Annotated, Any

from msgspec import Meta, Struct, field

Port = Annotated[int, Meta(ge=0, le=255)]
Count = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]


class DeviceInfo(Struct, gc=False, rename="camel"):
    application_id: str | None = None
    application_name: str | None = None
    device_profile_id: str | None = None
    device_profile_name: str | None = None
    device_name: str | None = None
    dev_eui: str | None = None
    tags: dict[str, Any] | None = None


class RxInfo(Struct, gc=False, rename="camel"):
    gateway_id: str | None = None
    rssi: float | None = None
    snr: float | None = None


class Lora(Struct, gc=False, rename="camel"):
    bandwidth: float | None = None
    spreading_factor: Port | None = None


class Modulation(Struct, gc=False, rename="camel"):
    lora: Lora | None = None
    fsk: dict[str, Any] | None = None
    lr_fhss: dict[str, Any] | None = None


class TxInfo(Struct, gc=False, rename="camel"):
    frequency: float | None = None
    power: float | None = None
    modulation: Modulation | None = None


class Location(Struct, gc=False, rename="camel"):
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    altitude: float | None = None
    accuracy: float | None = None


class Message(Struct, gc=False, rename="camel"):
    """Any event; `application_3` and `eui_3` are how version 3 begins."""

    time: str | None = None
    device_info: DeviceInfo | None = None
    dev_addr: str | None = None
    dr: Port | None = None
    f_cnt: Count | None = None
    f_port: Port | None = None
    confirmed: bool | None = None
    data: str | None = None
    object: dict[str, Any] | None = None
    rx_info: list[RxInfo] | None = None
    tx_info: TxInfo | None = None
    queue_item_id: str | None = None
    acknowledged: bool | None = None
    f_cnt_down: Count | None = None
    downlink_id: int | str | None = None
    gateway_id: str | None = None
    level: str | int | None = None
    code: str | int | None = None
    description: str | None = None
    margin: float | None = None
    external_power_source: bool | None = None
    battery_level_unavailable: bool | None = None
    battery_level: float | None = None
    location: Location | None = None
    integration_name: str | None = None
    event_type: str | None = None
    application_3: str | int | None = field(name="applicationID", default=None)
    eui_3: str | None = field(name="devEUI", default=None)


EVENTS = ("up", "status", "join", "ack", "txack", "log", "location", "integration")
"""The last level of the topic."""


def told_event(message: Message) -> str | None:
    """Which event a message is, by what it holds; None where nothing tells."""
    if message.integration_name or message.event_type:
        return "integration"
    if message.gateway_id or message.downlink_id is not None:
        return "txack"
    if message.acknowledged is not None or message.queue_item_id:
        return "ack"
    if message.level is not None or message.code is not None or message.description:
        return "log"
    if message.location is not None:
        return "location"
    if message.margin is not None or message.battery_level is not None or message.external_power_source:
        return "status"
    if message.rx_info or message.data or message.object is not None or message.f_port is not None:
        return "up"
    return "join" if message.dev_addr else None
