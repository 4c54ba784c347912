"""A folder of codecs: which files there are, and which of them an uplink is for.

The first of these that is there is taken, for each an entry of `index.toml` before the name of a file:

    DevEUI            24e124136c123456.js
    its beginning     24e124.js, the longest one; six hex digits at least
    the device        bin-7.js, by the name that the network has for it
    device profile    of ChirpStack by its id, then by its name: "Milesight EM500-UDL" is milesight-em500-udl.js;
                      brand/model of The Things Stack is milesight-iot-em500-udl.js, milesight-iot/em500-udl.js,
                      what a device repository names (`repository`), or em500-udl.js

Names are compared in lower case, with `-` for whatever is neither letter nor digit. Folders within are looked
through, too; there a file is named by itself, and with `brand/model` also by its folder. What two files are called is
nobody's name: the index says which is meant.

The folder is looked at every second, in a thread; what has changed is taken when two looks agree, so that a file that
is just being written is not. Limits: MOST_FILES, three folders within each other.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from devices.spec.coded import Raw
from gateway.codecs.index import INDEX, Entry, IndexMistaken, Prefer, read_index
from gateway.codecs.repository import codec_file
from gateway.codecs.standing import Standing

MOST_FILES = 5000
MOST_CHOSEN = 20_000
DEPTH = 4
GONE = "gone"
"""In the place of an index's stamp where there is no folder: none is like it."""

ENDINGS = (".js", ".mjs", ".cjs")

_OTHER = re.compile(r"[^a-z0-9]+")
_HEX = re.compile(r"[0-9a-f]{6,16}")
_EUI_SIZE = 16


class Script:
    """One file of the folder. `stamp` changes when it does."""

    __slots__ = ("entry", "name", "path", "stamp", "standing")

    def __init__(self, folder: Path, name: str, stamp: str, entry: Entry) -> None:
        self.name = name
        self.path = folder / name
        self.stamp = stamp
        self.entry = entry
        self.standing = Standing()

    @property
    def prefer(self) -> Prefer | None:
        return self.entry.prefer

    @property
    def builtin(self) -> str:
        """The name of a codec that needs no file."""
        return self.entry.builtin


class Look(NamedTuple):
    """What the folder held. `problem` says why it, or its index, could not be read."""

    files: tuple[tuple[str, str], ...]
    entries: tuple[Entry, ...]
    index_stamp: str
    problem: str = ""


class Shelf:
    """The scripts of a folder. `look` may run in a thread; all else is the event loop's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scripts: dict[str, Script] = {}
        self.problem = ""
        self._taken: Look | None = None
        self._seen: Look | None = None
        self._names: dict[str, Script | None] = {}
        self._prefixes: list[tuple[str, Script]] = []
        self._chosen: dict[tuple[str, ...], Script | None] = {}

    def look(self) -> Look:
        """What the folder holds now."""
        try:
            files = tuple(sorted(_walk(self.folder)))[:MOST_FILES]
        except OSError as error:
            return Look((), (), GONE, f"{self.folder}: {error.strerror or error}: expected a folder of codecs")
        index = _stamp(self.folder / INDEX)
        if self._taken is not None and index == self._taken.index_stamp:
            return Look(files, self._taken.entries, index, self._taken.problem)
        try:
            return Look(files, read_index(self.folder / INDEX), index)
        except IndexMistaken as error:
            entries = self._taken.entries if self._taken is not None else ()
            return Look(files, entries, index, str(error))

    def take(self, look: Look, at_once: bool = False) -> bool:
        """Go by what was seen, the second time that it is; whether anything has changed."""
        again, self._seen = look == self._seen, look
        if look == self._taken or not (again or at_once):
            return False
        self._taken = look
        self.problem = look.problem
        entries = {entry.file: entry for entry in look.entries}
        scripts: dict[str, Script] = {}
        for name, stamp in look.files:
            entry, script = entries.get(name, Entry(name)), self.scripts.get(name)
            if script is None or script.stamp != stamp:
                script = Script(self.folder, name, stamp, entry)
            script.entry = entry
            scripts[name] = script
        for entry in look.entries:
            if entry.builtin:
                script = self.scripts.get(entry.file) or Script(self.folder, entry.file, "", entry)
                script.entry = entry
                scripts[entry.file] = script
        self.scripts = scripts
        self._name_all(look.entries)
        return True

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Of the index."""
        return () if self._taken is None else self._taken.entries

    def choose(self, uplink: Raw, thing: str = "") -> Script | None:
        """The script for an uplink; `thing` is what its topic calls who sent it."""
        key = (uplink.dev_eui, uplink.device or thing, uplink.profile_id, uplink.profile)
        try:
            return self._chosen[key]
        except KeyError:
            pass
        if len(self._chosen) >= MOST_CHOSEN:
            self._chosen.clear()
        found = self._chosen[key] = self._find(*key)
        return found

    def _find(self, dev_eui: str, thing: str, profile_id: str, profile: str) -> Script | None:
        eui = dev_eui.lower()
        if not eui and len(thing) == _EUI_SIZE and _HEX.fullmatch(thing.lower()):
            eui = thing.lower()
        names = (f"eui:{eui}", f"file:{eui}") if eui else ()
        found = self._first(names)
        if found is None and eui:
            found = next((script for prefix, script in self._prefixes if eui.startswith(prefix)), None)
        if found is None:
            found = self._first((*_named("thing", thing), *_named("profile", profile_id), *_named("profile", profile)))
        brand, _, model = profile.partition("/")
        if found is None and slug(model):
            found = self._first((f"file:{slug(brand)}/{slug(model)}",))
            found = found or self.scripts.get(codec_file(self.folder, brand, model) or "")
            found = found or self._first((f"file:{slug(model)}",))
        return found

    def _first(self, names: Iterable[str]) -> Script | None:
        """What is called by the first of these names that something is called by."""
        return next((found for found in map(self._names.get, names) if found is not None), None)

    def _name_all(self, entries: tuple[Entry, ...]) -> None:
        self._names, self._prefixes, self._chosen = {}, [], {}
        for entry in entries:
            script = self.scripts.get(entry.file)
            if script is None:
                continue
            for eui in entry.dev_euis:
                if eui.endswith("*"):
                    self._prefixes.append((eui[:-1], script))
                else:
                    self._name(f"eui:{eui}", script)
            for kind, texts in (("profile", entry.profiles), ("thing", entry.things)):
                for text in texts:
                    self._name(f"{kind}:{slug(text)}", script)
        indexed = {prefix for prefix, _ in self._prefixes}
        for name, script in self.scripts.items():
            *folders, stem = name.rsplit(".", 1)[0].split("/")
            own = slug(stem)
            self._name(f"file:{own}", script)
            if folders:
                self._name(f"file:{slug(folders[-1])}/{own}", script)
            if _HEX.fullmatch(own) and len(own) < _EUI_SIZE and own not in indexed:
                self._prefixes.append((own, script))
        self._prefixes.sort(key=lambda each: -len(each[0]))

    def _name(self, name: str, script: Script) -> None:
        """What is called so; None where that is two."""
        self._names[name] = script if self._names.setdefault(name, script) is script else None


def slug(text: str) -> str:
    """A name as it is compared."""
    return _OTHER.sub("-", text.lower()).strip("-")


def _named(kind: str, text: str) -> tuple[str, ...]:
    own = slug(text)
    return (f"{kind}:{own}", f"file:{own}") if own else ()


def _walk(folder: Path, within: str = "", depth: int = DEPTH) -> Iterator[tuple[str, str]]:
    """Name, from the folder on, and stamp of each script. OSError where the folder cannot be read."""
    with os.scandir(folder / within) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = f"{within}/{entry.name}" if within else entry.name
            if entry.is_dir():
                if depth > 1 and entry.name != "node_modules":
                    yield from _walk(folder, name, depth - 1)
            elif name.endswith(ENDINGS):
                yield name, _stamp(folder / name)


def _stamp(file: Path) -> str:
    """What changes when a file does; empty where there is none."""
    try:
        found = file.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns}.{found.st_size}.{found.st_ino}"
