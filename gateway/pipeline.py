"""From what sources bring to the spool: one commit, and only then the acknowledgements.

    serial ---- PortIntake.bytes() ----.
                                       >-- Intake --(one commit)--> spool --> acknowledgements
    MQTT --- BrokerIntake.message() ---'

Sources call in synchronously (`decode`); nothing is awaited and nothing is queued by message.
What has arrived lies in one open `Intake`; the commit loop swaps it for an empty one, appends
it to the spool (one transaction, one fsync, off the event loop) and then releases the
acknowledgements in receive order. While one intake is being committed the next one fills:
the busier the gateway, the larger its commits.

Bounds: QoS 1 is held by receive maximum, since nothing is acknowledged before its commit.
QoS 0 is held by pausing the connection at MAX_PENDING lines. Serial cannot be held: beyond
MAX_PENDING lines its oldest go, counted by thing.

What cannot be decoded is kept in the quarantine with the reason, committed like any reading
and acknowledged like any message: a poisonous payload is not redelivered for ever.
"""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Mapping

from devices.spec.events import IntegrityError, Noise, SanityError
from gateway.clock import Clock
from gateway.intake import Acknowledger, Intake, Quarantined
from gateway.spool import DiskFull, Spool, SpoolError, SpoolFull
from gateway.stats import Stats
from gateway.tee import Fate, Stored, Tee

log = logging.getLogger("parkgate.pipeline")

MAX_PENDING = 20_000
"""Lines and quarantined items that may wait for a commit before their source is paused."""

MAX_QUARANTINED = 60_000
"""Quarantined items that may wait: MAX_PENDING, and what one more receive buffer (256 KiB) holds of
the smallest messages, since a connection stops only behind that. Further ones are only counted."""

MAX_KEPT = 4096
"""Bytes of one undecodable frame or payload that the quarantine keeps."""

LINGER_S = 0.01
"""How long a commit waits for company: one fsync then serves many messages."""

LEISURE_S = 0.1
"""How long it waits where nobody waits for an acknowledgement (serial, QoS 0): a power failure
takes what came in that time, as it takes what is still in the cable."""

BUSY = 500
"""Lines that came while lingering, from which on there is no leisure: QoS 0 at full rate."""

FULL_RETRY_S = 0.5
"""How often a full spool or disk is asked again."""

_OWN = ("gateway", "things,")
_THING = re.compile(r",thing=((?:\\.|[^,\s\\])*)")
_KINDS = {Noise: "noise", IntegrityError: "integrity", SanityError: "sanity"}


class Pipeline:
    """One open intake and the loop that commits it. `state` is "ok" or what stands in the way."""

    def __init__(self, spool: Spool, clock: Clock, stats: Stats) -> None:
        self.intake = Intake()
        self.spool = spool
        self.clock = clock
        self.stats = stats
        self.stages = stats.stages
        self.tee = Tee()
        self.state = "ok"
        self._held: Intake | None = None
        self._wake = asyncio.Event()
        self._paused: set[Acknowledger] = set()

    def wake(self) -> None:
        """Something has arrived: let the commit loop go."""
        self._wake.set()

    async def run(self) -> None:
        """Commit what arrives until cancelled; a commit under way is finished first."""
        if self._held is not None:
            self.state = "the last commit failed for a reason nobody named (see the log)"
            self.wake()
        while True:
            await self._wake.wait()
            await self.clock.sleep(LINGER_S)
            if not self.intake.acks and len(self.intake.lines) < BUSY and self._held is None:
                await self.clock.sleep(LEISURE_S - LINGER_S)
            self._wake.clear()
            while not self.intake.empty or self._held is not None:
                commit = asyncio.ensure_future(self._commit())
                try:
                    progress = await asyncio.shield(commit)
                except asyncio.CancelledError:
                    await commit
                    raise
                if self._held is not None and not progress:
                    await self.clock.sleep(FULL_RETRY_S)

    async def finish(self) -> None:
        """After `run` has ended: commit what is left and release its acknowledgements."""
        if not self.intake.empty or self._held is not None:
            await self._commit()

    async def _commit(self) -> bool:
        """Try to commit everything that has arrived, or as much of it as the spool has room for.

        The rest is held. True if anything was committed. Whatever the spool raises, what has
        arrived stays here: it is known as taken, so its redelivery would not be stored again.
        """
        intake, self.intake = self.intake, Intake()
        if self._held is not None:
            intake, self._held = self._joined(self._held, intake), None
        self._held = intake
        intake, rest, why, dropped = await self._append(intake)
        if dropped is None:
            return False
        self._held = None
        self._stored(intake, dropped)
        for connection, packet_ids in intake.acks.items():
            connection.acknowledge(packet_ids)
        if rest is not None:
            self._hold(rest, why)
            return True
        if self.state != "ok":
            log.warning("the spool takes data again")
            self.state = "ok"
            self.tee.tell(Fate("flowing", self.clock.now_ns()))
        for connection in self._paused:
            connection.resume()
        self._paused.clear()
        return True

    async def _append(self, intake: Intake) -> tuple[Intake, Intake | None, str, Mapping[str, int] | None]:
        """Append `intake`, or its older part where not all of it fits.

        Answers what was appended, the rest, why there is one, and what was dropped (None where
        nothing was appended and all of it is held).
        """
        rest: Intake | None = None
        why = ""
        alone = False
        while True:
            try:
                return intake, rest, why, (await self.spool.append(intake, alone=alone)).dropped
            except (DiskFull, SpoolFull) as full:
                why = f"{'disk' if isinstance(full, DiskFull) else 'spool'} full: {full}"
                parts = intake.divide()
                if parts is None and isinstance(full, SpoolFull) and not alone:
                    alone = True  # one message may be larger than the quota: held, it would be held for ever
                    continue
                if parts is None:
                    if rest is not None:
                        intake.join(rest)
                    await self._refused(intake, why, full)
                    return intake, None, why, None
                intake, newer = parts
                if rest is not None:
                    newer.join(rest)
                rest = newer

    async def _refused(self, intake: Intake, why: str, full: SpoolError) -> None:
        """Hold what cannot be divided further; a full quota still takes serial points for older ones."""
        serial = Intake(drop_lines=intake.drop_lines, drop_things=intake.drop_things, drop_tickets=intake.drop_tickets)
        if isinstance(full, SpoolFull) and not serial.empty:
            intake.drop_lines, intake.drop_things, intake.drop_tickets = [], {}, []
            try:
                self._stored(serial, (await self.spool.append(serial)).dropped)
            except DiskFull:
                intake.drop_lines, intake.drop_things = serial.drop_lines, serial.drop_things
                intake.drop_tickets = serial.drop_tickets
        self._hold(intake, why)

    def _joined(self, held: Intake, newer: Intake) -> Intake:
        """Both as one, in order and within bounds."""
        if len(held.drop_lines) + len(newer.drop_lines) > MAX_PENDING:
            self._give_up_serial(held)
        held.join(newer)
        self.stages.unkept += max(0, len(held.quarantined) - MAX_QUARANTINED)
        held.quarantined = held.quarantined[-MAX_QUARANTINED:]
        return held

    def _stored(self, intake: Intake, dropped: Mapping[str, int]) -> None:
        self.stages.spooled += len(intake.lines) + len(intake.drop_lines)
        self.stages.quarantined += len(intake.quarantined)
        if intake.tickets or intake.drop_tickets:
            self.tee.tell(Stored(self.clock.now_ns(), (*intake.tickets, *intake.drop_tickets)))
        self._count_dropped(dropped, "the spool is full, or they were older than max_age_s")

    def _hold(self, intake: Intake, why: str) -> None:
        """Keep an intake that could not be committed, unacknowledged; stop its brokers."""
        if self.state != why:
            log.error("%s; MQTT is held at the broker, serial gives up its oldest points", why)
            self.state = why
            self.tee.tell(Fate("held", self.clock.now_ns(), why=why))
        self._held = intake
        for connection in intake.acks:
            self.pause(connection)

    def pause(self, connection: Acknowledger) -> None:
        """Stop reading from a broker until the next good commit."""
        if connection not in self._paused:
            self._paused.add(connection)
            connection.pause()

    def owed(self, connection: Acknowledger) -> list[int]:
        """The packet identifiers whose messages have come and are not acknowledged yet."""
        held = [] if self._held is None else self._held.acks.get(connection, [])
        return held + self.intake.acks.get(connection, [])

    def _count_dropped(self, dropped: Mapping[str, int], why: str) -> None:
        for thing, points in dropped.items():
            self.stages.dropped += points
            self.tee.tell(Fate("dropped", self.clock.now_ns(), "", thing, points, why))
            for stats in self.stats.devices.values():
                if stats.thing == thing:
                    stats.dropped += points
                    break

    def drop(self, thing: str, lines: list[str]) -> None:
        """Take lines that may be given up: a serial thing's, or the gateway's own."""
        intake = self.intake
        intake.drop_lines += lines
        intake.drop_things[thing] = intake.drop_things.get(thing, 0) + len(lines)
        if len(intake.drop_lines) > MAX_PENDING:
            self._give_up_serial(intake)
        self._wake.set()

    def _give_up_serial(self, intake: Intake) -> None:
        """Nothing can be committed and memory is bounded: forget the oldest quarter, counted by thing."""
        gone = Counter(map(_thing_of, intake.drop_lines[: MAX_PENDING // 4]))
        intake.forget_drop_lines(MAX_PENDING // 4)
        for thing, points in gone.items():
            intake.drop_things[thing] = max(0, intake.drop_things.get(thing, 0) - points)
        self._count_dropped(gone, "nothing can be stored and memory is bounded")

    def quarantine(self, source: str, device: str, thing: str, event: Noise | IntegrityError | SanityError) -> None:
        """Keep what could not be decoded, with the reason; beyond MAX_QUARANTINED it is only counted."""
        kept = self.intake.quarantined
        if self.tee.lookers:
            kind = _KINDS[event.__class__] if len(kept) < MAX_QUARANTINED else "unkept"
            self.tee.keep(source, kind, event.detail)
        if len(kept) < MAX_QUARANTINED:
            now, kind = self.clock.now_ns(), _KINDS[event.__class__]
            kept.append(Quarantined(now, source, device, thing, "decode", kind, event.detail, event.data[:MAX_KEPT]))
        else:
            self.stages.unkept += 1
        self._wake.set()


def _thing_of(line: str) -> str:
    """Whose a line is, as `drop` was told: a thing's, or the gateway's own."""
    match = None if line.startswith(_OWN) else _THING.search(line)
    return re.sub(r"\\(.)", r"\1", match[1]) if match else "gateway"
