"""What was taken from a broker's session, and which acknowledgements are due after the commit.

A redelivered QoS 1 message (DUP set, same packet identifier, same checksum of topic name and
payload as the last one taken under that identifier) is acknowledged and not stored again; the
spool remembers identifiers and checksums with the commit itself, so this holds after a crash.
What the broker is known to have heard the acknowledgement of is forgotten: a sensor that says
the same again under the same identifier says something new.

A message that waits for something (a codec) is taken back, and taken when it is there; nothing of it is remembered
in between, so that a crash brings it again. From the first such message of a connection on, its acknowledgements go
through `InOrder`: MQTT wants them in the order of the messages ([MQTT-4.6.0-2]).

Bounded by the packet identifiers: 65,535.
"""

from gateway.decode.order import InOrder
from gateway.intake import Acknowledger, Intake
from gateway.pipeline import Pipeline


class Ledger:
    """One broker's session. `owe` is on the hot path."""

    __slots__ = ("_acks", "_connection", "_open", "_order", "_pipeline", "_session", "_taken", "_taken_now")

    def __init__(self, pipeline: Pipeline, session: str) -> None:
        self._pipeline = pipeline
        self._session = session
        self._taken = pipeline.spool.taken(session)
        self._open: Intake | None = None
        self._connection: Acknowledger | None = None
        self._order: InOrder | None = None  # of this connection, once one of its messages has waited
        self._taken_now: list[int] = []  # of the open intake
        self._acks: list[int] = []  # of the open intake, for this connection

    def owe(self, connection: Acknowledger, packet_id: int, checksum: int, duplicate: bool) -> bool:
        """Note the acknowledgement that is due after the commit. True for a message that was taken before."""
        pipeline = self._pipeline
        if pipeline.intake is not self._open or connection is not self._connection:
            self._begin(connection)
        self._acks.append(packet_id)
        if self._order is not None:
            self._order.came(packet_id)
        if duplicate and self._taken.get(packet_id) == checksum:
            pipeline.stages.redelivered += 1
            return True
        self._taken[packet_id] = checksum
        self._taken_now.append(packet_id << 32 | checksum)
        return False

    def spare(self, connection: Acknowledger, packet_id: int) -> None:
        """Note an acknowledgement alone: the same message is taken from another copy."""
        if self._pipeline.intake is not self._open or connection is not self._connection:
            self._begin(connection)
        self._acks.append(packet_id)
        if self._order is not None:
            self._order.came(packet_id)

    def order(self, connection: Acknowledger) -> InOrder:
        """Have the acknowledgements of a connection go out in order from now on, whenever they are due."""
        if connection is not self._connection:
            self._connection, self._order = connection, None
        if self._order is None:
            self._order = InOrder(connection)
            self._open = None  # to go on under it
        return self._order

    def take_back(self, connection: Acknowledger, packet_id: int) -> int:
        """The message that was just noted is not taken yet, but keeps its turn; its checksum."""
        order = self._order
        self._acks.pop()
        checksum = self._taken_now.pop() & 0xFFFFFFFF
        del self._taken[packet_id]
        if not self._acks and not self._taken_now and self._open is not None:  # nothing to commit for this alone
            del self._open.acks[order or connection], self._open.taken[self._session]
            self._open = None
        if order is None:
            self.order(connection).came(packet_id)
        return checksum

    def take_late(self, connection: Acknowledger, packet_id: int, checksum: int) -> None:
        """Take a message that was taken back. Where its connection is gone, it is known when it comes again."""
        if self._connection is None:
            return
        if self._pipeline.intake is not self._open:
            self._begin(self._connection)
        if connection is self._connection:
            self._acks.append(packet_id)
        self._taken[packet_id] = checksum
        self._taken_now.append(packet_id << 32 | checksum)

    def forget_all(self) -> None:
        """The broker has begun a new session: what was taken before does not come again."""
        self._forget(set(self._taken))

    def settled(self, connection: Acknowledger, packet_ids: set[int]) -> None:
        """The broker has heard these acknowledgements: an identifier now means another message.

        But for those under which another one has been taken already, that is not acknowledged yet.
        """
        owed = self._pipeline.owed(connection)
        if self._order is not None and connection is self._connection:
            owed += self._order.due
        self._forget(packet_ids.difference(owed))

    def _begin(self, connection: Acknowledger) -> None:
        """Go on in the intake that is open now, for this connection."""
        if connection is not self._connection:
            self._order = None
        self._open, self._connection = self._pipeline.intake, connection
        self._taken_now = self._open.taken.setdefault(self._session, [])
        self._acks = self._open.acks.setdefault(self._order or connection, [])

    def _forget(self, packet_ids: set[int]) -> None:
        known = [packet_id for packet_id in packet_ids if self._taken.pop(packet_id, None) is not None]
        if known:
            forgotten = self._pipeline.intake.taken.setdefault(self._session, [])
            forgotten += [packet_id << 32 for packet_id in known]
            self._pipeline.wake()
