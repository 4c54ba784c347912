"""A payload and what is known of its metrics, made readings: one for each time that its metrics have.

The time of a metric is its own, else that of the payload. Metrics of one time are one reading; the payload's number,
and what else belongs to the message, is in that of the payload's time, or where no metric has it, in the latest.

Limits: MOST_READINGS times in one payload; of further ones nothing is stored.
"""

from collections.abc import Callable, Mapping

from devices.sparkplug_b.births import BD_SEQ, Definition
from devices.sparkplug_b.payload import Metric, Said
from devices.sparkplug_b.values import put
from devices.spec.events import Reading, Value
from devices.spec.names import MAX_ERRORS, Values

MOST_READINGS = 1000

Known = Callable[[Metric], Definition | None]


def readings(
    said: Said, known: Known, own: Mapping[str, Value], thing: str | None, tags: Mapping[str, str]
) -> tuple[list[Reading], int]:
    """The readings of a payload, that with `own` first; and how many of its metrics are not as they were born."""
    groups: dict[int | None, Values] = {}
    doubtful = 0
    errors: list[str] = []
    for metric in said.metrics:
        if metric.name == BD_SEQ:
            continue
        definition = known(metric)
        if definition is None:
            doubtful += 1
            name = f"alias {metric.alias}" if metric.name is None else metric.name[:60]
            errors.append(f"{name}: no birth has named it")
            continue
        if metric.void or metric.raw is None:
            continue
        time_ms = said.time_ms if metric.time_ms is None else metric.time_ms
        values = groups.get(time_ms)
        if values is None:
            if len(groups) >= MOST_READINGS:
                errors.append(f"{definition.stem[:60]}: more than {MOST_READINGS} times in one payload")
                continue
            values = groups[time_ms] = Values()
        before = len(values.errors)
        put(values, definition.stem, definition.datatype or metric.datatype, metric.raw, definition.unit)
        doubtful += len(values.errors) > before
    main = said.time_ms
    if groups and main not in groups:
        main = max(groups, key=lambda time_ms: -1 if time_ms is None else time_ms)
    first = groups.pop(main, Values())
    fields: dict[str, Value] = {**own, **first.fields}
    found = [_reading(main, fields, thing, tags, [*first.errors, *errors])]
    found += [_reading(time_ms, values.fields, thing, tags, values.errors) for time_ms, values in groups.items()]
    return found, doubtful


def _reading(
    time_ms: int | None, fields: dict[str, Value], thing: str | None, tags: Mapping[str, str], errors: list[str]
) -> Reading:
    time_ns = None if time_ms is None else time_ms * 1_000_000
    return Reading(fields, time_ns, thing, dict(tags), tuple(errors[:MAX_ERRORS]))


def bd_seq(said: Said) -> int | None:
    """The number of the session, of a node's birth or death."""
    for metric in said.metrics:
        if metric.name == BD_SEQ and metric.raw is not None and metric.raw.kind in ("int", "signed"):
            return int(metric.raw.value)
    return None
