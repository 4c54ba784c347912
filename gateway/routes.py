"""Topic patterns, and what a topic name leads to.

A pattern is an MQTT topic filter in which one level may be `{thing}`, and which may begin
with `$share/<group>/`. Pure.
Source: MQTT 5.0, section 4.7 (topic names and filters) and 4.8.2 (shared subscriptions).
"""

import re


def topic_filter(pattern: str) -> str:
    """What is sent in SUBSCRIBE: the pattern with `{thing}` as a single-level wildcard."""
    return pattern.replace("{thing}", "+")


def matcher(pattern: str) -> re.Pattern[str]:
    """A whole-topic matcher of the pattern, group `thing` holding its `{thing}` level."""
    levels = pattern.split("/")
    if levels[0] == "$share" and len(levels) > 2:
        levels = levels[2:]
    parts = []
    for level in levels:
        if level == "+":
            parts.append("[^/]*")
        elif level == "{thing}":
            parts.append("(?P<thing>[^/]*)")
        elif level != "#":
            parts.append(re.escape(level))
    text = "/".join(parts)
    if levels[-1] == "#":
        # "a/#" takes "a" itself and everything below; a leading wildcard takes no $SYS topic
        text = f"{text}(?:/.*)?" if parts else ".*"
    if levels[0] in ("+", "#", "{thing}"):
        text = rf"(?!\$)(?:{text})"
    return re.compile(text + r"\Z", re.DOTALL)


def covers(filter_: str, other: str) -> bool:
    """Whether a topic filter takes all that another one (or a topic name) takes; shared ones cover nothing."""
    if filter_.startswith("$share/"):
        return False
    wide, narrow = filter_.split("/"), other.split("/")
    if wide[0] in ("+", "#") and narrow[0].startswith("$"):
        return False
    for at, level in enumerate(wide):
        if level == "#":
            return True
        if at >= len(narrow) or (level != narrow[at] and (level != "+" or narrow[at] == "#")):
            return False
    return len(wide) == len(narrow)


def overlap(one: str, other: str) -> bool:
    """Whether some topic name matches both patterns (shared subscriptions by their filters)."""
    return _meet(_levels(one), _levels(other))


def _levels(pattern: str) -> list[str]:
    levels = topic_filter(pattern).split("/")
    return levels[2:] if levels[0] == "$share" and len(levels) > 2 else levels


def _meet(one: list[str], other: list[str]) -> bool:
    if not one or not other:
        return one == other or one == ["#"] or other == ["#"]
    if one[0] == "#" or other[0] == "#":
        return True
    if one[0] != other[0] and "+" not in (one[0], other[0]):
        return False
    return _meet(one[1:], other[1:])
