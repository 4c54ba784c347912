"""Acknowledgements in the order in which messages came, though some are due later than those behind them."""

from collections import deque

from gateway.intake import Acknowledger


class InOrder:
    """Stands for one connection: what is acknowledged here goes out when all before it has.

    Bounded by what a broker sends without an acknowledgement, the receive maximum. `choke` stops reading for another
    reason than a pause does; both have to be over.
    """

    def __init__(self, connection: Acknowledger) -> None:
        self._connection = connection
        self._due: deque[int] = deque()
        self._ready: set[int] = set()
        self._paused = self._choked = False

    @property
    def due(self) -> list[int]:
        """What has come and is not acknowledged yet, in order."""
        return [*self._due]

    def came(self, packet_id: int) -> None:
        self._due.append(packet_id)

    def acknowledge(self, packet_ids: list[int]) -> None:
        self._ready.update(packet_ids)
        out = []
        while self._due and self._due[0] in self._ready:
            packet_id = self._due.popleft()
            self._ready.discard(packet_id)
            out.append(packet_id)
        if out:
            self._connection.acknowledge(out)

    def pause(self) -> None:
        self._paused = True
        self._connection.pause()

    def resume(self) -> None:
        self._paused = False
        self._see()

    def choke(self, on: bool) -> None:
        """Read nothing more for now, or again."""
        if on and not self._choked:
            self._connection.pause()
        if on != self._choked:
            self._choked = on
            self._see()

    def _see(self) -> None:
        if not (self._paused or self._choked):
            self._connection.resume()
