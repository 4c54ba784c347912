"""What a configured value must look like: URLs, ports, topics, device types, places, tags.

Each rule takes a `Table` and a key and answers the checked value; where it complains, what it answers is of no use.
Topic rules: MQTT version 5.0, section 4.7 (filters) and 4.8.2 (shared subscriptions).
Limits: thing 128 characters, tag value 256 characters, topic 65,535 bytes.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from devices.files import only_refused
from devices.spec.device import Device
from devices.spec.errors import DescriptionError
from gateway.config.types import RECORDING, REPLAY, WINDOWS_PORT
from gateway.config.usb import USB, UsbPort
from textfile import Table, begins_with, listed, nearest, one_line, shown

RESERVED_TAGS = frozenset({"thing", "device", "source", "time"})
_TAG_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_HOST = re.compile(r"[A-Za-z0-9_.:%-]+")
_DURATION = re.compile(r"(?:[1-9][0-9]{0,5}[wdh])+|INF")
_SERIAL_URLS = ("socket", "rfc2217")


def _split(table: Table, key: str, expected: str) -> tuple[str, SplitResult]:
    text = table.text(key, expected)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        table.fail(key, expected)
        return "", SplitResult("", "", "", "", "")
    if parts.username is not None or parts.password is not None:
        table.fail(key, f"{expected}, with the user and the password in keys of their own")
    if port == 0 or not parts.hostname or not _HOST.fullmatch(parts.hostname) or " " in text:
        table.fail(key, expected)
    return text, parts


def http_url(table: Table, key: str) -> str:
    expected = "a URL such as http://127.0.0.1:8086"
    text, parts = _split(table, key, expected)
    if parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        table.fail(key, expected)
    return "" if table.wrong(key) else text.rstrip("/")


def broker_url(table: Table, key: str) -> str:
    expected = "a URL such as mqtt://host:1883 or mqtts://host:8883"
    text, parts = _split(table, key, expected)
    if parts.scheme not in ("mqtt", "mqtts") or parts.path.strip("/") or parts.query or parts.fragment:
        table.fail(key, expected)
    return "" if table.wrong(key) else text.rstrip("/")


def _is_recording(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return begins_with(opened.read(4 * (len(RECORDING) + 1)), RECORDING)
    except OSError:
        return False


def serial_port(table: Table, key: str) -> str:
    expected = "a path such as /dev/serial/by-id/…, COM3, usb:serial=…, socket://host:port or rfc2217://host:port"
    text = table.text(key, expected)
    if text.startswith(USB):
        try:
            return str(UsbPort.of(text))
        except ValueError as error:
            table.fail(key, str(error))
            return text
    if text.startswith(REPLAY):
        file = table.beside(key, text.removeprefix(REPLAY))
        if not _is_recording(file):
            table.fail(key, "replay: and a recording, as `parkgate decode --port … --record FILE` writes it")
        return f"{REPLAY}{file.absolute()}"
    if "://" in text:
        _, parts = _split(table, key, expected)
        if parts.scheme not in _SERIAL_URLS or parts.port is None:
            table.fail(key, expected)
    elif not WINDOWS_PORT.fullmatch(text):
        if "/" not in text:
            table.fail(key, f"{expected}; a path relative to this file needs a slash, as ./{text}")
        return str(table.beside(key, text).absolute())
    return text


def listen_address(table: Table, key: str, default: str) -> str:
    """`host:port`; port 0 takes a free one."""
    if not table.has(key):
        return default
    expected = 'an address such as "127.0.0.1:8080"'
    text = table.text(key, expected)
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal() or len(port) > 5 or int(port) > 65535:
        table.fail(key, expected)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not _HOST.fullmatch(bare) or (":" in bare and bare == host):
        table.fail(key, expected)
    return text


def api_token(table: Table, key: str) -> str | None:
    """Long enough not to be guessed."""
    expected = 'a token of 16 characters or more without blanks, as "${PARKGATE_API_TOKEN}" (`openssl rand -hex 32`)'
    text = table.text_or_none(key, expected)
    if text is not None and (len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text):
        table.fail(key, expected)
    return text


def duration_or_none(table: Table, key: str) -> str | None:
    """Weeks, days, hours. Nothing shorter: InfluxDB 1.x wants an hour at least."""
    text = table.text_or_none(key, 'a duration such as "30d"')
    if text is not None and not _DURATION.fullmatch(text):
        table.fail(key, 'a duration such as "30d", "4w", "1d12h" or "INF"')
    return text


def interval_or_none(table: Table, key: str) -> float | None:
    """Seconds between two readings; 0 where none is ever missed, None where nothing is said."""
    return table.number(key, 0.0, 0, 366 * 86400) if table.has(key) else None


def device_type(table: Table, devices: Mapping[str, Device], link: str) -> Device | None:
    """The device type that `device` names; it must speak over `link` ("serial" or "mqtt"). None if it is wrong."""
    name = table.text("device", f"a device type that speaks {link}")
    try:
        found = devices.get(name)
    except DescriptionError as error:  # of a package
        table.fail("device", f"a device type that can be used; {error}")
        return None
    if found is None and only_refused(devices, name):
        return None
    if found is None:
        right = sorted(_speaking(devices, link))
        meant = nearest(name, right) or nearest(name, devices)
        hint = f'did you mean "{meant}"?' if meant else f"such as {listed(right[:4])}" if right else "there is none yet"
        table.fail("device", f"a device type that speaks {link}, {hint}")
    elif found.link != link:
        place = "[[serial]]" if found.link == "serial" else "[[mqtt.NAME.subscription]]"
        table.fail("device", f"a device type that speaks {link}; {name} speaks {found.link} and belongs under {place}")
    return None if table.wrong("device") else found


def _speaking(devices: Mapping[str, Device], link: str) -> Iterator[str]:
    """The names of the types that speak over `link`, and can be used."""
    for name in devices:
        with suppress(DescriptionError):
            if devices[name].link == link:
                yield name


def thing_name(table: Table) -> str:
    text = table.text("thing", "the name of the thing")
    if len(text) > 128 or text != text.strip() or text.endswith("\\"):
        table.fail("thing", "a name of at most 128 characters, without blanks around it or a backslash at its end")
    return text


def topic_pattern(table: Table, key: str) -> str:
    """An MQTT topic filter in which one whole level may be `{thing}`."""
    expected = 'an MQTT topic filter such as "park/{thing}/up"'
    text = table.text(key, expected)
    if len(text.encode()) > 65535:
        table.fail(key, "an MQTT topic filter of at most 65535 bytes")
    levels = text.split("/")
    if levels[0] == "$share":
        if len(levels) < 3 or not levels[1] or any(char in levels[1] for char in "+#{}"):
            table.fail(key, "a shared subscription $share/GROUP/FILTER")
        levels = levels[2:]
        if levels == [""]:
            table.fail(key, "a shared subscription $share/GROUP/FILTER")
    for position, level in enumerate(levels):
        if "#" in level and (level != "#" or position != len(levels) - 1):
            table.fail(key, 'a topic filter with "#" only as the whole last level')
        if "+" in level and level != "+":
            table.fail(key, 'a topic filter with "+" only as a whole level')
        if "{thing}" in level and level != "{thing}":
            table.fail(key, 'a topic filter with "{thing}" only as a whole level')
        if level.startswith("{") and level.endswith("}") and level != "{thing}":
            table.fail(key, f'a topic filter in which the only name in braces is "{{thing}}", not {shown(level)}')
    if levels.count("{thing}") > 1:
        table.fail(key, 'a topic filter with "{thing}" once')
    return "" if table.wrong(key) else text


def topic_name(table: Table, key: str) -> str:
    text = table.text(key, "an MQTT topic name")
    if "+" in text or "#" in text or len(text.encode()) > 65535:
        table.fail(key, 'an MQTT topic name, without "+" and "#"')
    return text


def location(table: Table) -> tuple[float, float] | None:
    """`[latitude, longitude]` in degrees, WGS 84."""
    if not table.has("location"):
        return None
    value = table.raw["location"]
    expected = "[latitude, longitude] in degrees"
    if not isinstance(value, list) or len(value) != 2:
        table.fail("location", expected)
        return None
    pair: list[float] = []
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int | float) or not -180 <= number <= 180:
            table.fail("location", f"{expected}, from -90 to 90 and from -180 to 180")
            return None
        pair.append(float(number))
    if not -90 <= pair[0] <= 90:
        table.fail("location", f"{expected}, from -90 to 90 and from -180 to 180, latitude first")
    return pair[0], pair[1]


def tags(table: Table, device: Device | None) -> dict[str, str]:
    """Further tags of a thing. None may be called like a field of its device type."""
    if not table.has("tags"):
        return {}
    if not isinstance(table.raw["tags"], dict):
        table.fail("tags", 'a table of texts such as { zone = "lake" }')
    inner = table.table("tags", None)
    if inner is None:
        return {}
    fields = {field.name for field in device.fields} if device else set()
    found: dict[str, str] = {}
    for name in inner.raw:
        value = inner.text(name, "a text")
        if not _TAG_NAME.fullmatch(name):
            inner.fail(name, "a tag name of at most 64 letters, digits, _ and -, beginning with a letter")
        if name in RESERVED_TAGS:
            inner.fail(name, f"another tag name; {listed(sorted(RESERVED_TAGS))} are taken by the gateway")
        if device and name in fields:
            inner.fail(name, f"another tag name; {device.name} has a field of that name")
        if len(value) > 256 or value != value.strip() or value.endswith("\\"):
            inner.fail(name, "at most 256 characters, without blanks around them or a backslash at the end")
        found[name] = value
    return found


def pem_file(table: Table, key: str, url: str, scheme: str) -> Path | None:
    """A file of a connection to `url` that has TLS where it begins with `scheme`."""
    path = table.path_or(key, None, "a PEM file")
    if path is not None and url and not url.startswith(scheme):
        table.fail(key, f"an {scheme} URL where certificates are given")
    if path is not None and not os.access(path, os.R_OK):
        table.fail(key, f"a PEM file that can be read; there is none at {one_line(str(path))}")
    return path
