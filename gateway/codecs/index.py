"""`index.toml` of a folder of codecs: which of its files is for whom, where the files' names do not say so.

[[codec]]
file = "milesight/em500-udl.js"
profile = ["EM500-UDL", "waste bins"]      # device profile: its name or its id; a text or a list of them
dev_eui = ["24e124713b*", "24E124136C123456"]
model = "milesight-iot/em500-udl"          # brand/model of The Things Stack
thing = "bin-7"                            # what the network calls the device
function = "Decode"                        # of several that the file has
prefer = "codec"                           # or "network": whose values are stored where both have decoded
variables = { offset = "3" }               # what ChirpStack calls variables of the device

[[codec]]
builtin = "cayenne-lpp"                    # in the place of a file: one that needs no JavaScript
profile = "LPP nodes"
"""

import re
from pathlib import Path
from typing import Literal, NamedTuple, cast

from devices.lorawan.codec import BUILT_IN
from textfile import Mistaken, Table, open_toml

INDEX = "index.toml"
FUNCTIONS = ("decodeUplink", "Decoder", "Decode")
PREFER = ("network", "codec")
Prefer = Literal["network", "codec"]

_EUI = re.compile(r"[0-9a-f]{16}|[0-9a-f]{2,15}\*")
_BETWEEN = re.compile(r"[\s:.-]+")
_KEYS = ("file", "builtin", "profile", "dev_eui", "thing", "function", "prefer", "variables")
_WHOM = ("profile", "dev_eui", "thing")


class IndexMistaken(Mistaken):
    """The index cannot be used; one line for each mistake."""


class Entry(NamedTuple):
    """Of one file: for whom it is, and how it is called. `dev_eui` are in lower hex, prefixes with `*` behind."""

    file: str
    profiles: tuple[str, ...] = ()
    dev_euis: tuple[str, ...] = ()
    things: tuple[str, ...] = ()
    function: str = ""
    prefer: Prefer | None = None
    variables: tuple[tuple[str, str | float | bool], ...] = ()
    builtin: str = ""


def read_index(file: Path) -> tuple[Entry, ...]:
    """The entries of an index. IndexMistaken where it is wrong; a file that is not there has none."""
    if not file.exists():
        return ()
    top = open_toml(file, {}, ("codec",), IndexMistaken, "an index of codecs")
    found: dict[str, Entry] = {}
    for table in top.tables("codec", _KEYS):
        entry = _entry(table)
        key = "builtin" if entry.builtin else "file"
        if entry.file in found and not table.wrong(key):
            table.fail(
                key,
                "a codec once only; a key takes a list" if entry.builtin else "a file once only; a key takes a list",
            )
        found[entry.file] = entry
    top.origin.mistakes.check()
    return tuple(found.values())


def _entry(table: Table) -> Entry:
    if table.has("builtin"):
        return _built_in(table)
    name = table.text("file", "the file of a codec, as em500.js")
    if name and not table.beside("file", name).is_file():
        table.fail("file", f"the file of a codec; there is no {name} in this folder")
    if not any(table.has(key) for key in (*_WHOM, "function", "prefer", "variables")):
        table.fail("profile", "for whom the codec is: profile, dev_eui or thing")
    whom = _whom(table, Path(name).as_posix())
    return whom._replace(function=table.choice("function", "", FUNCTIONS), variables=_variables(table))


def _built_in(table: Table) -> Entry:
    name = table.choice("builtin", "", tuple(BUILT_IN))
    for key in ("file", "function", "variables"):
        if table.has(key):
            table.fail(key, "no such key beside builtin")
    if not any(table.has(key) for key in _WHOM):
        table.fail("profile", "for whom the codec is: profile, dev_eui or thing")
    return _whom(table, name)._replace(builtin=name)


def _whom(table: Table, name: str) -> Entry:
    """For whom the codec of that name is."""
    euis = tuple(_BETWEEN.sub("", each).lower() for each in _texts(table, "dev_eui", "a DevEUI"))
    if not all(_EUI.fullmatch(eui) for eui in euis):
        table.fail("dev_eui", "16 hex digits, or the first of them with * behind")
    return Entry(
        file=name,
        profiles=_texts(table, "profile", "the name or id of a device profile"),
        dev_euis=euis,
        things=_texts(table, "thing", "the name of a device"),
        prefer=cast(Prefer, table.choice("prefer", "network", PREFER)) if table.has("prefer") else None,
    )


def _texts(table: Table, key: str, expected: str) -> tuple[str, ...]:
    """A text or a list of texts."""
    value = table.raw.get(key)
    if not isinstance(value, list):
        return () if value is None else (table.text(key, f"{expected}, or a list of them"),)
    if not value or not all(isinstance(each, str) and each for each in value):
        table.fail(key, f"{expected}, or a list of them")
        return ()
    return tuple(value)


def _variables(table: Table) -> tuple[tuple[str, str | float | bool], ...]:
    inner = table.table("variables", None)
    if inner is None:
        return ()
    for name, value in inner.raw.items():
        if not isinstance(value, str | int | float):
            inner.fail(name, "a text, a number, true or false")
    return tuple(cast(dict[str, str | float | bool], inner.raw).items())
