"""A fleet's connections to its broker: one for each thing with a last will, one for all the others together."""

import asyncio
from collections.abc import Callable

from simulators.links import MqttLink
from simulators.peer import Frame, Instrument

BROKER_GRACE_S = 5.0


class BrokerLinks:
    """Connections to `broker`, made when a thing asks for one (never where there is no broker).

    `login` is user and password. `told` is called for a thing that was told something: it may have to speak at once.
    """

    def __init__(
        self,
        broker: tuple[str, int] | None,
        login: tuple[str, str] | None,
        now: Callable[[], float],
        told: Callable[[Instrument], None],
    ) -> None:
        self._broker = broker
        self._login = login
        self._now = now
        self._told = told
        self._links: dict[str, MqttLink] = {}
        self._devices: dict[str, list[Instrument]] = {}  # that speak over each

    def link_of(self, name: str, device: Instrument, group: asyncio.TaskGroup) -> MqttLink:
        """The connection of the thing `name`; a new one runs in `group`."""
        assert self._broker is not None
        own = device.presence("ONLINE", self._now()) is not None
        key = name if own else "fleet"
        sharing = self._devices.setdefault(key, [])
        sharing.append(device)
        if key not in self._links:

            def presence(word: str) -> tuple[str, bytes, bool]:
                frame = device.presence(word, self._now())
                assert frame is not None
                return frame.topic, frame.data, frame.retain

            def births() -> list[tuple[str, bytes, bool]]:
                return [(frame.topic, frame.data, frame.retain) for each in sharing for frame in each.births()]

            def listens() -> set[str]:
                return {filter_ for each in sharing for filter_ in each.listens()}

            def heard(topic: str, payload: bytes) -> list[tuple[str, bytes, bool]]:
                frames: list[Frame] = []
                for each in sharing:
                    frames += each.hear(topic, payload, self._now())
                    if each.due_s() == 0.0:
                        self._told(each)
                return [(frame.topic, frame.data, frame.retain) for frame in frames]

            host, port = self._broker
            user, password = self._login or (None, None)
            link = MqttLink(
                host, port, f"sim-{key}", presence=presence if own else None, births=births,
                listens=listens, heard=heard,
                username=user, password=password,
            )  # fmt: skip
            self._links[key] = link
            group.create_task(link.run(), name=f"broker[{key}]")
        return self._links[key]

    def stop(self) -> None:
        """End each connection: at once where nothing gets through, else after the time for what is on its way."""
        for link in self._links.values():
            if link.up:
                asyncio.get_running_loop().call_later(BROKER_GRACE_S, link.finish)
            else:
                link.finish()

    def finish(self) -> None:
        """End each connection now: nobody has anything more to say."""
        for link in self._links.values():
            link.finish()

    @property
    def trouble(self) -> str:
        """Why nothing goes out, or an empty string."""
        return next((link.trouble for link in self._links.values() if link.trouble), "")
