"""What is told to a looker (`tee`) of one message or one read, once all that it became is known.

Called only while somebody looks.
"""

from collections.abc import Sequence

from devices.spec.events import Event, Reading
from gateway.decode.names import clean_tag
from gateway.decode.subscription import Subscription
from gateway.pipeline import Pipeline
from gateway.tee import Kept, Ticket

REDELIVERED = Kept("redelivered", "the broker sends it again; it was taken before")
RETAINED = Kept("retained", "a retained message that does not say when it was true; not stored")


def look_read(
    pipeline: Pipeline, source: str, device: str, thing: str, data: bytes, events: Sequence[Event], points: int
) -> None:
    """A read of a port whose `points` lines are about to be given to `Pipeline.drop`."""
    if data or events:
        number = pipeline.tee.passed(pipeline.clock.now_ns(), source, device, (thing,), "", data, events, points)
        if points:
            start = len(pipeline.intake.drop_lines)
            pipeline.intake.drop_tickets.append(Ticket(number, source, (thing,), points, start))


def look_message(
    pipeline: Pipeline,
    source: str,
    subscription: Subscription | None,
    thing: str,
    topic: str,
    payload: bytes,
    events: Sequence[Event] = (),
    start: int | None = None,
    *kept: Kept,
) -> None:
    """A message whose points are the intake's lines from `start` on; `thing` is what its topic names.

    Without a subscription where none matches, without a start where it became nothing.
    """
    intake = pipeline.intake
    points = 0 if start is None else len(intake.lines) - start
    things = (thing,) if thing else _named(subscription, events)
    device = "" if subscription is None else subscription.device.name
    number = pipeline.tee.passed(pipeline.clock.now_ns(), source, device, things, topic, payload, events, points, *kept)
    if points and start is not None:
        intake.tickets.append(Ticket(number, source, things, points, start))


def _named(subscription: Subscription | None, events: Sequence[Event]) -> tuple[str, ...]:
    """The things that the readings name, or else the configuration."""
    default = "" if subscription is None else subscription.config.thing or ""
    found = dict.fromkeys(clean_tag(event.thing or default) for event in events if isinstance(event, Reading))
    return tuple(found) or ((clean_tag(default),) if default else ())
