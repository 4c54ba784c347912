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
MAX_PENDING lines its oldest go, counted by thing (`losses`).

What cannot be decoded is kept in the quarantine with the reason, committed like any reading
and acknowledged like any message: a payload that cannot be read is not redelivered for ever.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import NamedTuple

from devices.spec.events import IntegrityError, Noise, SanityError
from gateway.clock import Clock
from gateway.intake import Acknowledger, Intake, Quarantined
from gateway.losses import MAX_PENDING, MAX_QUARANTINED, Losses
from gateway.spool import DiskFull, Spool, SpoolFull
from gateway.stats import Stats
from gateway.tee import Fate, Stored, Tee

__all__ = ["MAX_KEPT", "MAX_PENDING", "Pipeline"]

log = logging.getLogger("parkgate.pipeline")

MAX_KEPT = 4096
"""Bytes of one undecodable frame or payload that the quarantine keeps."""

LINGER_S = 0.01
"""How long a commit waits for more to come: one fsync then serves many messages."""

LEISURE_S = 0.1
"""How long it waits where nobody waits for an acknowledgement (serial, QoS 0): a power failure
takes what came in that time."""

BUSY = 500
"""Lines that came while lingering, from which on the shorter wait holds: QoS 0 at full rate."""

FULL_RETRY_S = 0.5
"""How often a full spool or disk is asked again."""

_KINDS = {Noise: "noise", IntegrityError: "integrity", SanityError: "sanity"}


class Fitted(NamedTuple):
    """What of an intake was `stored`, each part with the points dropped for it; the `rest` that has to wait, and `why`.

    `progress`: its oldest messages are among what was stored, so that the rest may be tried at once.
    """

    stored: list[tuple[Intake, Mapping[str, int]]]
    rest: Intake | None
    why: str
    progress: bool


async def append_what_fits(spool: Spool, intake: Intake) -> Fitted:
    """Append `intake`, or its older part where not all of it fits. On any other error nothing is stored."""
    rest: Intake | None = None
    why = ""
    alone = False
    while True:
        try:
            return Fitted([(intake, (await spool.append(intake, alone=alone)).dropped)], rest, why, True)
        except (DiskFull, SpoolFull) as full:
            why = f"{full.word if isinstance(full, DiskFull) else 'spool full'}: {full}"
            parts = intake.divide()
            if parts is None and isinstance(full, SpoolFull) and not alone:
                alone = True  # one message may be larger than the quota: held, it would be held for ever
                continue
            if parts is None:
                if rest is not None:
                    intake.join(rest)
                stored = await _append_serial(spool, intake) if isinstance(full, SpoolFull) else []
                return Fitted(stored, intake, why, False)
            intake, newer = parts
            if rest is not None:
                newer.join(rest)
            rest = newer


async def _append_serial(spool: Spool, intake: Intake) -> list[tuple[Intake, Mapping[str, int]]]:
    """What may be dropped of an intake that does not fit, taken out of it: a full quota gives up older such points."""
    serial = Intake(drop_lines=intake.drop_lines, drop_things=intake.drop_things, drop_tickets=intake.drop_tickets)
    if serial.empty:
        return []
    try:
        dropped = (await spool.append(serial)).dropped
    except DiskFull:
        return []
    intake.drop_lines, intake.drop_things, intake.drop_tickets = [], {}, []
    return [(serial, dropped)]


class Pipeline:
    """One open intake and the loop that commits it. `state` is "ok" or what stands in the way."""

    def __init__(self, spool: Spool, clock: Clock, stats: Stats) -> None:
        self.intake = Intake()
        self.spool = spool
        self.clock = clock
        self.stats = stats
        self.stages = stats.stages
        self.tee = Tee()
        self.losses = Losses(stats, clock, self.tee)
        self.state = "ok"
        self._held: Intake | None = None
        self._wake = asyncio.Event()
        self._paused: set[Acknowledger] = set()

    def wake(self) -> None:
        """Something has arrived: wake the commit loop."""
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
            intake = self._joined(self._held, intake)
        self._held = intake
        fitted = await append_what_fits(self.spool, intake)
        self._held = None
        for stored, dropped in fitted.stored:
            self._stored(stored, dropped)
        if fitted.rest is not None:
            self._hold(fitted.rest, fitted.why)
            return fitted.progress
        if self.state != "ok":
            log.warning("the spool takes data again")
            self.state = "ok"
            self.tee.tell(Fate("flowing", self.clock.now_ns()))
        for connection in self._paused:
            connection.resume()
        self._paused.clear()
        return True

    def _joined(self, held: Intake, newer: Intake) -> Intake:
        """Both as one, in order and within bounds."""
        if len(held.drop_lines) + len(newer.drop_lines) > MAX_PENDING:
            self.losses.oldest_serial(held)
        held.join(newer)
        if len(held.quarantined) > MAX_QUARANTINED:
            self.losses.oldest_quarantined(held)
        return held

    def _stored(self, intake: Intake, dropped: Mapping[str, int]) -> None:
        """Count and tell what is on the disk now, and acknowledge it in receive order."""
        self.stages.spooled += len(intake.lines) + len(intake.drop_lines)
        self.stages.quarantined += len(intake.quarantined)
        if intake.tickets or intake.drop_tickets:
            self.tee.tell(Stored(self.clock.now_ns(), (*intake.tickets, *intake.drop_tickets)))
        self.losses.points(dropped, "the spool is full, or they were older than max_age_s")
        for connection, packet_ids in intake.acks.items():
            connection.acknowledge(packet_ids)

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

    def drop(self, thing: str, lines: list[str]) -> None:
        """Take lines that may be given up: a serial thing's, or the gateway's own."""
        intake = self.intake
        intake.drop_lines += lines
        intake.drop_things[thing] = intake.drop_things.get(thing, 0) + len(lines)
        if len(intake.drop_lines) > MAX_PENDING:
            self.losses.oldest_serial(intake)
        self._wake.set()

    def quarantine(self, source: str, device: str, thing: str, event: Noise | IntegrityError | SanityError) -> None:
        """Keep what could not be decoded, with the reason; beyond MAX_QUARANTINED it is only counted."""
        kept = self.intake.quarantined
        stats = self.stats.sources.get(source)
        if stats is not None and not isinstance(event, Noise):
            stats.refused += 1
            stats.last_refused = event.detail
        if self.tee.lookers:
            kind = _KINDS[event.__class__] if len(kept) < MAX_QUARANTINED else "unkept"
            self.tee.keep(source, kind, event.detail)
        if len(kept) < MAX_QUARANTINED:
            now, kind = self.clock.now_ns(), _KINDS[event.__class__]
            kept.append(Quarantined(now, source, device, thing, "decode", kind, event.detail, event.data[:MAX_KEPT]))
        else:
            self.losses.unkept(_KINDS[event.__class__])
        self._wake.set()
