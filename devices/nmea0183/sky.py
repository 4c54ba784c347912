"""GSV: the satellites in view, told in groups of up to nine sentences of four satellites.

    GSV, sentences, number, in view, { prn, elevation, azimuth, snr } up to 4 [, signal]

One reading a group, once its last sentence has come. A group that a sentence is missing from
is given as far as it came, `group_complete` false: when the next one of the same talker and
signal begins, or at the end of the stream. Groups of several talkers and signals may be
interleaved; at most 32 are open at a time. A number of a satellite that cannot be is left out, and the
satellite where it is its own; the reading of the group says so. Quectel's talker PQ (BeiDou) says the satellite
system behind the signal; that is skipped.

    satellites   [{"prn":28,"elevation_deg":14,"azimuth_deg":150,"snr_db_hz":41}, ...]
                 null where the receiver says nothing; no SNR means not received

PUBX,03 tells the same in one sentence, with two more words for each satellite: whether it is
used for the position (`state` U used, e ephemeris only, - neither) and for how many seconds it
has been tracked (`lock_s`, at most 64).

    PUBX,03, satellites, { prn, state, azimuth, elevation, snr, lock } each

Satellite numbers are the talker's own; only with the talker do they name a satellite.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.nmea0183.columns import TO_JSON
from devices.nmea0183.reasons import NothingSaid
from devices.spec.errors import EncodeError
from devices.spec.events import Reading, Value

OPEN_GROUPS = 32
Satellite = dict[str, int | float | str | None]
KEYS = ("elevation_deg", "azimuth_deg", "snr_db_hz")


@dataclass(slots=True)
class Group:
    talker: str
    signal: str
    total: int
    in_view: int | None
    next: int = 1
    complete: bool = True
    satellites: list[Satellite] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def reading(self, complete: bool) -> Reading:
        fields = sky_fields(self.in_view, self.satellites)
        fields["group_complete"] = complete
        tags = {"sentence": "GSV", "talker": self.talker}
        if self.signal:
            tags["signal"] = self.signal
        return Reading(fields, tags=tags, field_errors=tuple(self.wrong))


def sky_fields(in_view: int | None, satellites: list[Satellite]) -> dict[str, Value]:
    """What is stored of the satellites in view."""
    levels = [level for entry in satellites if isinstance(level := entry["snr_db_hz"], int | float)]
    fields: dict[str, Value] = {} if in_view is None else {"satellites_in_view": in_view}
    fields["satellites_tracked"] = len(levels)
    fields["satellites"] = TO_JSON(satellites)
    if levels:
        fields["snr_max_db_hz"] = float(max(levels))
        fields["snr_mean_db_hz"] = round(sum(levels) / len(levels), 2)
    return fields


def ublox_satellites(items: list[str]) -> tuple[dict[str, Value], list[str]]:
    """The fields of PUBX,03, and what is wrong with those left out. ValueError where it cannot be read."""
    if not any(items[2:]):
        raise NothingSaid("no values")
    in_view = int(items[2])
    if not 0 <= in_view <= 999:
        raise ValueError(f"{in_view} satellites")
    satellites: list[Satellite] = []
    wrong: list[str] = []
    for at in range(3, min(3 + 6 * in_view, len(items) - 5), 6):
        number, state, azimuth, elevation, level, lock = items[at : at + 6]
        prn, elevation_deg, azimuth_deg, snr = _satellite([number, elevation, azimuth, level], wrong)
        if prn is None:
            continue
        entry: Satellite = {"prn": prn, "elevation_deg": elevation_deg, "azimuth_deg": azimuth_deg, "snr_db_hz": snr}
        satellites.append(entry | {"state": state, "lock_s": _salvaged(lock, f"satellite {prn}: lock_s", wrong)})
    if len(items) - 3 < 6 * in_view:
        wrong.append(f"satellites: {in_view} in view, {max(0, len(items) - 3) // 6} of them told")
    fields = sky_fields(in_view, satellites)
    fields["satellites_used"] = sum(entry["state"] == "U" for entry in satellites)
    return fields, wrong


def _place_in_group(items: list[str]) -> tuple[int, int]:
    """Of how many sentences, and which. NothingSaid where no item says anything; ValueError where it cannot be."""
    try:
        total, number = int(items[1]), int(items[2])
    except ValueError:
        if any(items[1:]):
            raise
        raise NothingSaid("no values") from None
    if 1 <= number <= total <= 99:
        return total, number
    if total == number == 0 and not any(text.strip("0") for text in items[3:]):
        return 1, 1  # how some say that there is no satellite
    raise ValueError(f"sentence {number} of {total}")


def _in_view(text: str, wrong: list[str]) -> int | None:
    if text.isdecimal() and len(text) <= 3:
        return int(text)
    number = _salvaged(text, "satellites_in_view", wrong)
    return None if number is None else int(number)


def _satellite(texts: list[str], wrong: list[str]) -> list[int | float | None]:
    """Number, elevation, azimuth and signal of one satellite; what cannot be is None and said in `wrong`."""
    prn = _salvaged(texts[0], "satellite", wrong)
    if prn is None:
        return [None] * 4
    named = zip(KEYS, texts[1:], strict=True)
    return [prn, *(_salvaged(text, f"satellite {prn}: {key}", wrong, signed=True) for key, text in named)]


def _salvaged(text: str, name: str, wrong: list[str], signed: bool = False) -> int | float | None:
    try:
        return _whole_or_signed(text) if signed else _whole(text)
    except ValueError:
        wrong.append(f"{name} {text!r} is no number from 0 to 999")
        return None


def _whole(text: str) -> int | float | None:
    if not text:
        return None
    value = float(text) if "." in text else int(text)
    if not 0 <= value < 1000:
        raise ValueError(f"{text} is not what a satellite has")
    return value


class Sky:
    """The open groups of one stream."""

    __slots__ = ("_groups",)

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], Group] = {}

    def take(self, talker: str, items: list[str], checked: bool) -> list[Reading]:
        """The next GSV sentence; the groups it completes. ValueError where it cannot be read.

        Without a checksum (`checked` false) everything has to be as it must.
        """
        if len(items) < 4:
            raise ValueError(f"{len(items) - 1} items, expected at least 3")
        total, number = _place_in_group(items)
        wrong: list[str] = []
        in_view = _in_view(items[3], wrong)
        rest = items[4:-1] if talker == "PQ" and len(items) % 4 == 2 else items[4:]
        signal = rest.pop() if len(rest) % 4 == 1 else ""
        if len(rest) % 4 == 3:
            rest.append("")  # the last satellite is not received, and not even its comma was sent
        elif len(rest) % 4 == 2:
            wrong.append(f"satellite {rest[-2]!r} is cut short")
        satellites: list[Satellite] = []
        for at in range(0, len(rest) - len(rest) % 4, 4):
            try:
                prn, elevation, azimuth, level = map(_whole_or_signed, rest[at : at + 4])
            except ValueError:
                prn, elevation, azimuth, level = _satellite(rest[at : at + 4], wrong)
            if prn is not None:
                satellites.append({"prn": prn, "elevation_deg": elevation, "azimuth_deg": azimuth, "snr_db_hz": level})
        if wrong and (not checked or not satellites):
            raise ValueError(wrong[0])
        done: list[Reading] = []
        group = self._group((talker, signal), total, number, in_view, done)
        group.satellites += satellites
        group.wrong += wrong
        if number == total:
            del self._groups[talker, signal]
            done.append(group.reading(group.complete))
        return done

    def _group(self, key: tuple[str, str], total: int, number: int, in_view: int | None, done: list[Reading]) -> Group:
        """The open group that a sentence belongs to; into `done` the groups that end where it begins one."""
        group = self._groups.get(key)
        if group is not None and (number < group.next or total != group.total):
            done.append(self._groups.pop(key).reading(complete=False))
            group = None
        if group is None:
            if len(self._groups) >= OPEN_GROUPS:
                done.append(self._groups.pop(next(iter(self._groups))).reading(complete=False))
            group = self._groups[key] = Group(*key, total, in_view)
        group.complete = group.complete and number == group.next and in_view == group.in_view
        group.next = number + 1
        return group

    def close(self) -> list[Reading]:
        """The groups that never got their last sentence."""
        groups, self._groups = self._groups, {}
        return [group.reading(complete=False) for group in groups.values()]


def _whole_or_signed(text: str) -> int | float | None:
    """An elevation may be below the horizon."""
    if text.startswith("-"):
        value = _whole(text[1:])
        return None if value is None else -value
    return _whole(text)


def group_items(fields: Mapping[str, Value], signal: str) -> list[list[str]]:
    """The items of each sentence of the group that says `fields`; EncodeError if none could."""
    known = {
        "satellites_in_view",
        "satellites_tracked",
        "satellites",
        "group_complete",
        "snr_max_db_hz",
        "snr_mean_db_hz",
    }
    unknown = fields.keys() - known
    if unknown:
        raise EncodeError(f"{', '.join(sorted(unknown))}: not in a GSV sentence")
    if fields.get("group_complete") is False:
        raise EncodeError("an incomplete group cannot be sent")
    try:
        rows = json.loads(str(fields.get("satellites", "[]")))
        entries = [
            [_item(row["prn"], 2), *(_item(row.get(key), 3 if key == KEYS[1] else 2) for key in KEYS)] for row in rows
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise EncodeError(f"satellites: not a JSON list of satellites ({error})") from error
    in_view = fields.get("satellites_in_view", len(rows))
    if not isinstance(in_view, int) or not len(rows) <= in_view <= 99:
        raise EncodeError(f"satellites_in_view: {in_view!r}, with {len(rows)} satellites listed")
    total = max(1, -(-len(entries) // 4))
    return [
        [
            str(total), str(number + 1), f"{in_view:02d}",
            *(item for entry in entries[4 * number : 4 * number + 4] for item in entry),
            *([signal] if signal else []),
        ]
        for number in range(total)
    ]  # fmt: skip


def _item(value: object, digits: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return f"{value:0{digits}d}" if isinstance(value, int) else f"{value:g}"
