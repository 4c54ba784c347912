"""What is said at a broker for commands, and where answers are heard: counted, in turn, given back."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from devices.spec.events import Publish
from gateway.config import MqttConfig, SubscriptionConfig
from gateway.routes import covers
from gateway.sources.mqtt.filters import AskedFilters
from gateway.sources.mqtt.link import ConnectionEnded, Wanted
from gateway.sources.mqtt.subscriptions import Subscriptions
from gateway.sources.mqtt.talk import MOST_HEARD, Talk
from tests.gateway.virtual import VirtualClock


class Line:
    """A connection that remembers what it was asked for; it grants with `code`, or ends."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.said: list[tuple[str, bytes, int, bool]] = []
        self.asked: list[str] = []
        self.gone = False

    async def subscribe(self, wanted: Sequence[Wanted]) -> list[int]:
        await asyncio.sleep(0)
        if self.gone:
            raise ConnectionEnded("the connection broke")
        self.asked += [f"+{each.filter}" for each in wanted]
        return [self.code for _ in wanted]

    async def unsubscribe(self, filters: Sequence[str]) -> list[int]:
        await asyncio.sleep(0)
        if self.gone:
            raise ConnectionEnded("the connection broke")
        self.asked += [f"-{each}" for each in filters]
        return [0 for _ in filters]

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        self.said.append((topic, payload, qos, retain))


def talk(tmp_path: Path, line: Line | None, granted: Sequence[str] = ()) -> tuple[Talk, AskedFilters]:
    config = MqttConfig("main", "mqtt://h", "id", (SubscriptionConfig("a/+/state", "senml"),))
    asked = AskedFilters(tmp_path / "subscriptions.json", config.session)
    subscriptions = Subscriptions(config, VirtualClock(), asked, lambda _words: None)
    subscriptions._granted = set(granted)
    made = Talk(subscriptions, asked)
    made.link = line  # type: ignore[assignment]
    return made, asked


async def test_topics_are_subscribed_to_once_and_given_back_by_the_last(tmp_path: Path) -> None:
    line = Line()
    one, asked = talk(tmp_path, line)
    first, second = await asyncio.gather(one.hear(["x/reply", "x/error"]), one.hear(["x/reply"]))
    assert (first, second) == ("", "")
    assert line.asked == ["+x/reply", "+x/error"]
    assert asked.read() == {"x/reply", "x/error"}
    assert await one.leave(["x/reply", "x/error"]) == ["x/error"]
    assert one.heard("x/reply")
    assert await one.leave(["x/reply"]) == ["x/reply"]
    assert line.asked == ["+x/reply", "+x/error", "-x/error", "-x/reply"]
    assert asked.read() == set()


async def test_what_the_broker_refuses_is_said_and_not_waited_for(tmp_path: Path) -> None:
    one, asked = talk(tmp_path, Line(0x87))
    assert await one.hear(["x/reply"]) == "the broker does not let its answer be heard: 'x/reply' not authorized"
    assert not one.heard("x/reply")
    assert asked.read() == set()


async def test_what_a_lost_connection_could_not_give_back_stays_written_down(tmp_path: Path) -> None:
    line = Line()
    one, asked = talk(tmp_path, line)
    assert await one.hear(["x/reply"]) == ""
    line.gone = True
    assert await one.leave(["x/reply"]) == []
    assert asked.read() == {"x/reply"}
    assert await one.hear(["y/reply"]) == "the connection broke"
    one.link = None
    assert await one.hear(["y/reply"]) == "there is no connection to the broker"
    assert not one.say(Publish("x/set", b"1"))


async def test_there_is_a_bound(tmp_path: Path) -> None:
    one, _ = talk(tmp_path, Line())
    assert await one.hear([f"x/{n}" for n in range(MOST_HEARD)]) == ""
    assert await one.hear(["one/more"]) == f"answers are waited for on {MOST_HEARD} topics already"
    assert await one.hear(["x/1"]) == ""


async def test_what_is_said_is_not_retained(tmp_path: Path) -> None:
    line = Line()
    one, _ = talk(tmp_path, line, ["a/+/state"])
    assert one.say(Publish("x/set", b"1", 1))
    assert line.said == [("x/set", b"1", 1, False)]
    assert one.brought("a/robot/state")
    assert not one.brought("a/robot/factsheet")


@pytest.mark.parametrize(
    ("filter_", "other", "expected"),
    [
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("a/#", "b", False),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/b", "a/b", True),
        ("+/b", "$a/b", False),
        ("a/+", "a/+", True),
        ("a/+", "a/#", False),
        ("a/+/c", "a/b/c", True),
        ("a/b", "a/b", True),
        ("a/b", "a/+", False),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("$share/g/a/#", "a/b", False),
    ],
)
def test_which_filters_bring_all_of_another(filter_: str, other: str, expected: bool) -> None:
    assert covers(filter_, other) is expected
