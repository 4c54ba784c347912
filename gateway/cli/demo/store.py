"""Reading the demo's store: the last values for the table, and the audit at the end.

The audit asks the store alone: every simulated reading carries a count in its values
(devices/spec/sequence.py), so what is missing or there twice shows without any list of what
was sent but its length, series by series (a thing and the tags of its readings).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from devices.spec.device import Device
from devices.spec.events import Value
from devices.spec.sequence import audit
from gateway.intake import Sink
from gateway.sinks.local import LocalSink
from simulators.fleet import Ledger, ThingSpec
from simulators.ledger import Entry

RECENT = "INTERVAL 2 MINUTE"
COLUMNS = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'main' AND table_name = ?"

Stored = dict[tuple[object, ...], list[int]]
"""Thing and tag values to the audit numbers in the order of time."""


@dataclass(frozen=True, slots=True)
class TypeTotals:
    """What the store holds of one device type against what was sent."""

    things: int
    sent: int
    stored: int
    lost: int
    duplicates: int


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def latest(sink: Sink, specs: Sequence[ThingSpec]) -> dict[str, dict[str, Value]]:
    """The newest value of every field of the things, as far as the last two minutes hold one."""
    found: dict[str, dict[str, Value]] = {}
    if not isinstance(sink, LocalSink):
        return found
    for device in {spec.device: spec.type for spec in specs}.values():
        things = [spec.name for spec in specs if spec.device == device.name]
        table = device.measurement
        described = {field.name for field in device.fields}
        rows = await sink.query(COLUMNS, [table])
        fields = [column for column, kind in rows if column in described or kind not in ("VARCHAR", "TIMESTAMP_NS")]
        if not fields:
            continue
        newest = ", ".join(f"arg_max({quoted(field)}, time)" for field in fields)
        asked = ", ".join("?" for _ in things)
        since = f"(SELECT max(time) - {RECENT} FROM {quoted(table)})"
        sql = f"SELECT thing, {newest} FROM {quoted(table)} WHERE time >= {since} AND thing IN ({asked}) GROUP BY thing"
        for thing, *values in await sink.query(sql, things):
            found[thing] = {field: value for field, value in zip(fields, values, strict=True) if value is not None}
    return found


def audited(file: Path, ledger: Ledger, devices: Mapping[str, Device]) -> dict[str, TypeTotals]:
    """Device type to what the store holds of it. Raises duckdb.Error where the file is no store."""
    types: dict[str, list[Entry]] = {}
    for entry in ledger.things.values():
        types.setdefault(entry.device, []).append(entry)
    with duckdb.connect(str(file), read_only=True) as store:
        return {name: _of_type(store, devices[name], entries) for name, entries in types.items()}


def _of_type(store: duckdb.DuckDBPyConnection, device: Device, entries: list[Entry]) -> TypeTotals:
    tags = sorted({name for entry in entries for series in entry.sent for name in entry.stored(series)[1]})
    stored = _stored(store, device, tags)
    things = {key[0] for key, numbers in stored.items() if numbers}
    sent = held = lost = duplicates = 0
    for entry in entries:
        for series, count in entry.sent.items():
            thing, words = entry.stored(series)
            key = (thing, *(words.get(name) for name in tags))
            result = audit(count, stored.get(key, []), device.sequence.modulus)
            sent, held = sent + result.sent, held + result.stored
            lost, duplicates = lost + result.lost, duplicates + result.duplicates
    return TypeTotals(len(things), sent, held, lost, duplicates)


def _stored(store: duckdb.DuckDBPyConnection, device: Device, tags: Sequence[str]) -> Stored:
    """The audit numbers of every series of a device type."""
    known = {str(row[0]) for row in store.execute(COLUMNS, [device.measurement]).fetchall()}
    if not known:
        return {}
    places = (device.sequence.parts, *device.sequence.others)
    parts = list(dict.fromkeys(part.field for place in places for part in place))
    wanted = [quoted(name) if name in known else "NULL" for name in ("thing", *tags, *parts)]
    found: Stored = {}
    rows = store.execute(f"SELECT {', '.join(wanted)} FROM {quoted(device.measurement)} ORDER BY time")
    while row := rows.fetchone():
        key, values = row[: 1 + len(tags)], row[1 + len(tags) :]
        number = device.sequence.extract(dict(zip(parts, values, strict=True)))
        if number is not None:
            found.setdefault(key, []).append(number)
    return found
