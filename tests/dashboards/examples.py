"""A device type that exists nowhere, with a field of every kind: what boards are tested on."""

from devices.spec.device import MessageDevice
from devices.spec.field import Field, Threshold
from devices.spec.sequence import Bits, Sequence

WEATHER = MessageDevice(
    name="weather-post",
    title="Weather post",
    domain="park",
    source="made up for the tests",
    expected_every_s=60.0,
    sequence=Sequence((Bits("rain_count", 8),)),
    topic="weather/{thing}",
    decode=lambda topic, payload, received_ns: [],
    encode=lambda reading: b"",
    fields=(
        Field("temperature_c", "Cel", "Air temperature in the shade", minimum=-40.0, maximum=85.0, step=0.1),
        Field(
            "pm2_5_ug_m3",
            "ug/m3",
            "Fine dust",
            minimum=0.0,
            maximum=999.9,
            step=0.1,
            thresholds=(Threshold(0.0, "good"), Threshold(15.0, "fair"), Threshold(35.0, "poor")),
        ),
        Field("battery_pct", "%", "State of charge", minimum=0.0, maximum=100.0, step=1.0),
        Field("rain_count", "1", "Tips of the rain gauge since it was mounted", kind="counter"),
        Field("door_open", "1", "Whether the cabinet is open", kind="flag"),
        Field("mode", "1", "What the post is doing", kind="state", states=("idle", "measuring")),
        Field("note", "1", "Words of the post", kind="text", optional=True),
        Field("raw_v", "V", "Reference voltage, for the workshop", panel=False),
    ),
)
