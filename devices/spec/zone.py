"""The zone that a payload gives as a text of that name, such as "lake": a tag of its readings, which boards choose by.

Limits: 64 printable characters without blanks around them; a longer text stays a field.
"""

from devices.spec.events import Reading

ZONE = "zone"
MOST = 64
_FIELD = "zone_text"


def take_zone(reading: Reading) -> None:
    """Make the text `zone` a tag of its reading, where the reading has other fields, too."""
    zone = reading.fields.get(_FIELD)
    if (
        isinstance(zone, str)
        and 0 < len(zone) <= MOST
        and zone.isprintable()
        and zone == zone.strip()
        and len(reading.fields) > 1
    ):
        del reading.fields[_FIELD]
        reading.tags[ZONE] = zone
