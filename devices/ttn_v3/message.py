"""The typed shape of a message of The Things Stack v3, as far as it is used.

Proto3 JSON: a field that is empty, 0 or false is left out, null stands for left out, 64-bit
integers are texts (`"frequency": "868100000"`), and any number may be one. Everything is therefore
optional; labels that are not listed are skipped without being built. The battery level is a wrapped
number: it is there where it is 0.

Source: The Things Stack documentation, "Data Formats"; api/application.proto of
TheThingsNetwork/lorawan-stack (ApplicationUp and what it holds).
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

Port = Annotated[int, Meta(ge=0, le=255)]
Count = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]


class ApplicationIds(Struct, gc=False):
    application_id: str | None = None


class DeviceIds(Struct, gc=False):
    device_id: str | None = None
    application_ids: ApplicationIds | None = None
    dev_eui: str | None = None


class GatewayIds(Struct, gc=False):
    gateway_id: str | None = None


class RxMetadata(Struct, gc=False):
    gateway_ids: GatewayIds | None = None
    rssi: float | None = None
    channel_rssi: float | None = None
    snr: float | None = None


class Lora(Struct, gc=False):
    bandwidth: float | None = None
    spreading_factor: Port | None = None


class DataRate(Struct, gc=False):
    lora: Lora | None = None


class Settings(Struct, gc=False):
    data_rate: DataRate | None = None
    frequency: str | float | None = None


class Location(Struct, gc=False):
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    altitude: float | None = None


class Battery(Struct, gc=False):
    value: float | None = None


class Version(Struct, gc=False):
    brand_id: str | None = None
    model_id: str | None = None


class Uplink(Struct, gc=False):
    f_port: Port | None = None
    f_cnt: Count | None = None
    frm_payload: str | None = None
    decoded_payload: dict[str, Any] | None = None
    decoded_payload_warnings: list[str] | None = None
    normalized_payload: list[dict[str, Any]] | dict[str, Any] | None = None
    normalized_payload_warnings: list[str] | None = None
    rx_metadata: list[RxMetadata] | None = None
    settings: Settings | None = None
    locations: dict[str, Location] | None = None
    consumed_airtime: str | None = None
    received_at: str | None = None
    confirmed: bool | None = None
    last_battery_percentage: Battery | None = None
    version_ids: Version | None = None


class Fault(Struct, gc=False):
    namespace: str | None = None
    name: str | None = None


class Happening(Struct, gc=False):
    """Any event but an uplink. `downlink` holds the same labels one level further in."""

    f_port: Port | None = None
    f_cnt: Count | None = None
    frm_payload: str | None = None
    confirmed: bool | None = None
    priority: str | None = None
    received_at: str | None = None
    downlink: "Happening | None" = None
    error: Fault | None = None
    service: str | None = None
    data: dict[str, Any] | None = None
    location: Location | None = None
    normalized_payload: list[dict[str, Any]] | dict[str, Any] | None = None
    normalized_payload_warnings: list[str] | None = None


class Message(Struct, gc=False):
    """One message: plain, in a `result` or `data` wrapper."""

    end_device_ids: DeviceIds | None = None
    received_at: str | None = None
    simulated: bool | None = None
    uplink_message: Uplink | None = None
    uplink_normalized: Happening | None = None
    join_accept: Happening | None = None
    downlink_ack: Happening | None = None
    downlink_nack: Happening | None = None
    downlink_sent: Happening | None = None
    downlink_failed: Happening | None = None
    downlink_queued: Happening | None = None
    downlink_queue_invalidated: Happening | None = None
    location_solved: Happening | None = None
    service_data: Happening | None = None
    result: "Message | None" = None
    data: "Message | None" = None


EVENTS = (
    "join_accept",
    "downlink_ack",
    "downlink_nack",
    "downlink_sent",
    "downlink_failed",
    "downlink_queued",
    "downlink_queue_invalidated",
    "location_solved",
    "service_data",
    "uplink_normalized",
)
"""Keys of the messages that are no uplink, one of which a message holds."""
