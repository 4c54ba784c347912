"""A place as a network server's message has it."""

from devices.spec.events import Value


def place(latitude: float | None, longitude: float | None, altitude: float | None, fields: dict[str, Value]) -> None:
    """Put a place into `fields` where they have none; of one that is there, what was left out is zero (proto3)."""
    if "latitude_deg" in fields or "longitude_deg" in fields:
        return
    if latitude is not None or longitude is not None:
        fields["latitude_deg"] = latitude or 0.0
        fields["longitude_deg"] = longitude or 0.0
        fields["altitude_m"] = altitude or 0.0
    elif altitude is not None:
        fields["altitude_m"] = altitude
