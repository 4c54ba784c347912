"""Which known device type is on a port.

    listen  at each framing that a known type has, and at the usual speeds: which types have valid frames in it?
    ask     where nothing was said: at each framing of types that are asked, what is harmless
    speak   where nobody answered: what types have to hear before they talk (`opening`), and harmless commands
    listen  on, where that was in vain: some speak twice a minute

Where lines of text come, and so few that they tell little (one a second, one in ten), a framing is listened to until
a type is sure of them, or there are FEWEST lines that none reads.

A framing is left once a type with an integrity check explains most of what comes (SURE); else all are tried and the
best taken: of two types the one with a check, then with the greater share of the bytes, more frames, more values. Types
that come out equal are all named. On a pty, or over a network, the framing has no meaning here and one listening is
enough.

Limits: LISTEN_S of silence at the first framing before anybody is asked; TRY_BYTES or TRY_S after the first byte at
each, and `for_s` after it for so few lines; a type that does not answer costs its timeout, one that is spoken to
ANSWER_S. Nothing is written but openings, and questions and commands that descriptions call harmless.
"""

import asyncio
import contextlib
import logging
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from devices.spec.command import To
from devices.spec.device import Device, PolledDevice, SerialSettings, StreamDevice
from devices.spec.events import Empty, Noise, Reading
from gateway.cli.decode import ANYTHING, Port, reading, run_on_port
from gateway.cli.serial.ask import answers
from gateway.cli.serial.found import Fit, Found, Search
from gateway.learn import PRINTABLE, few, look

LISTEN_S = 3.0
TRY_BYTES = 2048
TRY_S = 2.5
ANSWER_S = 1.0
SURE = 0.9
FEWEST = 3
"""Frames of a type with a check that are no matter of chance; and lines."""
LEAST_BYTES = 32
"""Fewer say nothing."""

SPEEDS = (9600, 115_200, 57_600, 38_400, 19_200, 4800, 2400, 230_400)


def search(wanted: Search) -> Found:
    """What is on the port. What is wrong with the port goes to stderr."""
    found = Found(wanted.port.name)
    run_on_port(_interruptible(wanted, found), wanted.port, logging.WARNING)
    return found


async def _interruptible(wanted: Search, found: Found) -> None:
    from gateway.cli.loop import on_signals

    over = asyncio.Event()
    on_signals(over.set)
    ended = asyncio.create_task(over.wait())
    looking = asyncio.create_task(look_around(wanted, found))
    await asyncio.wait((looking, ended), return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking


async def look_around(wanted: Search, found: Found) -> None:
    """Listen, ask, listen on; what comes is put into `found`."""
    await _listen(wanted, found, min(LISTEN_S, wanted.for_s))
    if found.opened and not found.sample and wanted.ask:
        await _ask(wanted, found)
        if not found.fits:
            await _speak(wanted, found)
    if found.opened and not found.sample and not found.fits and wanted.for_s > LISTEN_S:
        _say(f"nothing yet: listening on for {wanted.for_s - LISTEN_S:g} s")
        await _listen(wanted, found, wanted.for_s - LISTEN_S)


async def _listen(wanted: Search, found: Found, silence_s: float) -> None:
    """Listen at one framing after the other, until one makes sense; at the first only, where nothing comes."""
    from gateway.sources.serial import has_framing

    plain = has_framing(wanted.port.name)
    for settings in framings(wanted.devices) if plain else [SerialSettings(baud=SPEEDS[0])]:
        heard = await _hear(wanted, settings, silence_s)
        if heard is None:
            found.opened = False
            return
        if not heard:
            found.waited_s += silence_s
            if not found.sample:
                return
            continue
        silence_s = TRY_S + wanted.for_s  # something speaks here: it will again
        fits = fitting(heard, wanted.devices, settings if plain else None)
        if not found.sample or (fits and (not found.fits or fits[0].rank > found.fits[0].rank)):
            found.settings, found.sample = settings, heard
            found.shapes = [guess.words for guess in look(heard, ()).guesses if guess.shape not in (None, "text")]
            found.few = [] if fits else few(heard, wanted.devices.values())
        found.add(fits)
        if fits and fits[0].sure and fits[0].share >= SURE:
            return
        if (found.shapes or found.few) and not fits and settings is found.settings:
            return  # lines that make sense, of a board that is not known, or too few of one that is


def framings(devices: Mapping[str, Device]) -> Iterator[SerialSettings]:
    """How a port may have to be opened, the likely ones first."""
    counts: dict[SerialSettings, int] = defaultdict(int)
    for device in devices.values():
        if isinstance(device, StreamDevice):
            counts[device.serial] += 1
    own = sorted(counts, key=lambda settings: (-counts[settings], settings.baud))
    yield from dict.fromkeys([*own, *(SerialSettings(baud=baud) for baud in SPEEDS)])


class _Ear:
    """A `BytesIntake` that keeps what comes."""

    def __init__(self) -> None:
        self.data = b""
        self.begun = asyncio.Event()
        self.more = asyncio.Event()
        self.enough = asyncio.Event()
        self.lost = False

    def bytes(self, data: bytes) -> int:
        self.data += data
        self.begun.set()
        self.more.set()
        if len(self.data) >= TRY_BYTES:
            self.enough.set()
        return 1

    def closed(self) -> None:
        self.lost = True
        self.more.set()
        self.enough.set()


async def _hear(wanted: Search, settings: SerialSettings, silence_s: float, opening: bytes = b"") -> bytes | None:
    """What is said at a framing, after `opening`; empty where nothing is for `silence_s`, None where the port cannot be
    opened."""
    ear = _Ear()
    opened = Port(wanted.port.name, settings.baud, settings.parity, None, None)
    anything = replace(ANYTHING, serial=settings, opening=opening)
    async with reading(opened, settings.baud, anything, ear, None) as (_, stats):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(silence_s):
                await ear.begun.wait()
            async with asyncio.timeout(TRY_S):
                await ear.enough.wait()
        if ear.data and not opening and wanted.for_s > TRY_S:
            await _hear_more(wanted, ear)
        if not stats.connects:
            return None
    return ear.data


async def _hear_more(wanted: Search, ear: _Ear) -> None:
    """Listen on while what came tells too little, until `for_s` after the first byte."""
    said = False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wanted.for_s - TRY_S):
            while not ear.lost and undecided(ear.data, wanted):
                if not said:
                    said = True
                    _say(f"{len(ear.data)} bytes so far: listening on, for {wanted.for_s - TRY_S:g} s at most")
                ear.more.clear()
                await ear.more.wait()


def undecided(sample: bytes, wanted: Search) -> bool:
    """Whether more of what came at a framing would tell what it is: few lines, or hardly a byte where there is but one
    framing."""
    from gateway.sources.serial import has_framing

    seen = look(sample, wanted.devices.values())
    if any(guess.device is not None for guess in seen.guesses):
        return False
    if seen.printable >= PRINTABLE and sample.strip():
        return (len(seen.lines) < FEWEST and len(sample) < TRY_BYTES) or bool(few(sample, wanted.devices.values()))
    return len(sample) < LEAST_BYTES and not has_framing(wanted.port.name)


def fitting(sample: bytes, devices: Mapping[str, Device], settings: SerialSettings | None) -> list[Fit]:
    """The types that find valid frames in what was said, the best first. `settings` None: they mean nothing there."""
    found = []
    for guess in look(sample, devices.values()).guesses:
        device = None if guess.device is None else devices[guess.device]
        if not isinstance(device, StreamDevice):
            continue
        events = (decoder := device.decoder()).feed(sample) + decoder.flush()
        noise = sum(len(event.data) for event in events if isinstance(event, Noise))
        good = sum(isinstance(event, Reading | Empty) for event in events)
        shown = {field.name for field in device.fields if field.panel}  # not its version, which any byte may be
        values = sum(len(shown & event.fields.keys()) for event in events if isinstance(event, Reading))
        share = 1 - noise / len(sample)
        at = settings or device.serial
        sure = device.checked and good >= FEWEST
        own = at == device.serial and share >= SURE
        found.append(Fit(device.name, at, device.serial, share, good, values, sure or own))
    return sorted(found, key=lambda fit: fit.rank, reverse=True)


async def _ask(wanted: Search, found: Found) -> None:
    """Ask the types that speak only then, framing by framing, until one has most of its values answered."""
    groups: dict[SerialSettings, list[PolledDevice]] = defaultdict(list)
    for device in wanted.devices.values():
        if isinstance(device, PolledDevice) and (not device.units or wanted.unit in (None, *device.units)):
            groups[device.serial].append(device)
    many = sum(map(len, groups.values()))
    if many:
        _say(
            f"nothing is said: asking what speaks only then (types: {many}, framings: {len(groups)}), about "
            f"{_asking_s(groups):.0f} s where nobody answers; --no-ask leaves it out"
        )
    for settings, devices in sorted(groups.items(), key=lambda each: -len(each[1])):
        found.asked += [device.name for device in devices]
        fits, said = await answers(wanted.port, settings, devices, wanted.unit)
        found.add(fits)
        if said and not found.fits:
            found.sample, found.settings = said, settings
        if found.fits and found.fits[0].share >= SURE:
            return


async def _speak(wanted: Search, found: Found) -> None:
    """Say what makes types talk that are silent until then, to one after the other, until one does."""
    said = dict.fromkeys(
        (device.serial, words)
        for device in wanted.devices.values()
        if isinstance(device, StreamDevice)
        for words in _harmless_words(device)
    )
    if said:
        _say(f"nobody answers: saying what makes other types talk, {len(said) * ANSWER_S:g} s or so")
    for settings, words in said:
        heard = await _hear(wanted, settings, ANSWER_S, words)
        if heard:
            found.add(fitting(heard, wanted.devices, settings))
            found.sample, found.settings = heard, settings
            if found.best:
                return


def _asking_s(groups: Mapping[SerialSettings, list[PolledDevice]]) -> float:
    """How long one round of questions takes that nobody answers (s)."""
    return sum(
        device.timing.timeout_s * sum(question.harmless for question in device.questions)
        for devices in groups.values()
        for device in devices
    )


def _say(words: str) -> None:
    """What takes its time now, for whoever waits."""
    print(words, file=sys.stderr, flush=True)


def _harmless_words(device: StreamDevice) -> Iterator[bytes]:
    """What may be said to find out whether a device is there."""
    if device.opening:
        yield device.opening
    for command in device.commands:
        if command.harmless and not any(argument.required for argument in command.arguments):
            yield command.encode(command.read({}), To())
