"""Whether a connection reads, and what it knows to have been heard.

A broker sends message by message, and waking up costs more than a message does. While messages
come thick and fast, reading rests for 2 ms after each chunk, so that the next one holds many;
a single message is read at once.
"""

import asyncio

REST_S = 0.002
BRISK_S = 0.0002  # chunks that follow each other faster than this
MANY = 8  # messages in one chunk
FULL_BYTES = 1 << 16  # a chunk that was worth waking up for


class Hold:
    """What keeps a connection from reading."""

    INTAKE = 1  # the spool is full, or too much waits for a commit
    CHOKED = 2  # the broker does not take what we send
    STOPPED = 4  # for good
    REST = 8


class Flow:
    """The transport reads while nothing holds it. Once it is `over` it reads anyway: what still comes
    is dropped, for closing with unread data would reset the connection."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._holds = 0
        self._over = False
        self._read_at = 0.0

    @property
    def paused(self) -> bool:
        return bool(self._holds & Hold.INTAKE)

    @property
    def stopped(self) -> bool:
        return bool(self._holds & Hold.STOPPED)

    def hold(self, why: int) -> None:
        self._holds |= why
        self._apply()

    def release(self, why: int) -> None:
        self._holds &= ~why
        self._apply()

    def over(self) -> None:
        self._over = True
        self._apply()

    def took(self, messages: int, nbytes: int, now: float) -> None:
        """A chunk of so many messages and bytes was read at `now`: rest where the next one comes at once."""
        if nbytes < FULL_BYTES and (messages >= MANY or now - self._read_at < BRISK_S):
            self.hold(Hold.REST)
            asyncio.get_running_loop().call_later(REST_S, self.release, Hold.REST)
        self._read_at = now

    def _apply(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self._holds and not self._over:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()


class Heard:
    """Acknowledgements that the broker is not yet known to have read.

    A PINGRESP says that it has read what was sent before its PINGREQ.
    """

    def __init__(self) -> None:
        self._sent: set[int] = set()
        self._asked: set[int] = set()  # sent before the first ping that is still unanswered
        self._pings = 0  # unanswered

    def sent(self, packet_ids: list[int]) -> int:
        """Note what was acknowledged; how many nobody has asked about."""
        self._sent.update(packet_ids)
        return 0 if self._pings else len(self._sent)

    def pinged(self) -> None:
        if not self._pings:
            self._asked, self._sent = self._sent, set()
        self._pings += 1

    def answered(self) -> set[int] | None:
        """A PINGRESP: what has been heard and not acknowledged anew since; None where nobody asked."""
        if not self._pings:
            return None
        self._pings -= 1
        heard, self._asked = self._asked - self._sent, set()
        return heard
