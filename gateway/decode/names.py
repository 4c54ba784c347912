"""Names for line protocol: what every server takes, and no two names that become one.

A name from outside (a topic level, a payload, the configuration) that every server takes stays as
it is. One that has to be changed (control characters, blanks or a backslash at its end, blanks
before it, a backslash before what is escaped, too long, empty after all that) gets a mark behind
what is left of it, made of the whole name as it came:

    a          a
    a\\         a~774276ed46edbe79          ~ and 16 hex digits: BLAKE2b, 64 bits
    time       time_                       the one exception: a field or tag called `time`

and so does a name that looks as if it had a mark already. So what is stored tells two names apart
whenever they were two. `storable_tag` is for names that have been through `clean_tag` before.

Rules (what each server does with less was tried on InfluxDB 1.6.7 and read in 2.x and 3): a tag never
is empty, never ends in a backslash and has no control character; `time` and names beginning
with `_` are not used as names; a backslash before what must be escaped, or before another,
becomes `_`: 1.x and 2.x take two of them as two, 3.x as one, and what stands behind it is then no
longer escaped.

Limits: tag value 256 characters, name 128 characters, the mark included.
Source: InfluxDB line protocol reference, versions 1.8, 2.7 and 3.
"""

import re
from hashlib import blake2b

MAX_TAG = 256
MAX_NAME = 128

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ESCAPING = re.compile(r"\\(?=[\\,= ])")
_END = re.compile(r"[\\\s]+\Z")
_MARKED = re.compile(r"~[0-9a-f]{16}\Z")
_MARK = 17  # characters
_TAG_ESCAPE = re.compile(r"([, =])")
_MEASUREMENT_ESCAPE = re.compile(r"([, ])")


def clean_tag(value: str) -> str:
    """A tag value that every server takes, unescaped, and no other name's; empty for an empty one."""
    clean = storable_tag(value)
    return marked(clean, value, MAX_TAG) if clean == value and _MARKED.search(value) else clean


def storable_tag(value: str) -> str:
    """The same for a value that may have been cleaned before: it then stays as it is."""
    clean = _ESCAPING.sub("_", _END.sub("", CONTROL.sub("_", value[:MAX_TAG]))).lstrip()
    return value if clean == value else marked(clean, value, MAX_TAG)


def clean_name(name: str) -> str:
    """A tag or field name that every server takes, unescaped, and no other name's."""
    if name == "time":
        return "time_"
    clean = _ESCAPING.sub("_", _END.sub("", CONTROL.sub("_", name[:MAX_NAME]))).lstrip("_# ") or "unnamed"
    if clean == name and name != "time_" and not _MARKED.search(name):
        return name
    return marked(clean, name, MAX_NAME)


def marked(clean: str, name: str, most: int) -> str:
    """`clean` with a mark that only `name` has, at most `most` characters."""
    mark = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{clean[: most - _MARK]}~{mark}"


def escape_tag(text: str) -> str:
    return _TAG_ESCAPE.sub(r"\\\1", text)


def escape_measurement(text: str) -> str:
    return _MEASUREMENT_ESCAPE.sub(r"\\\1", text)
