"""Topics of Sparkplug B.

    spBv1.0/<group>/<type>/<node>[/<device>]      type: NBIRTH NDATA NDEATH NCMD, DBIRTH DDATA DDEATH DCMD
    spBv1.0/STATE/<host>                          (STATE/<host> before 3.0): whether a host application is there

What stands before `spBv1.0` (a bridge's prefix) belongs to all topics of a node.

Source: Eclipse Sparkplug 3.0.0, chapter 4 "Topics and messages".
"""

from typing import NamedTuple

NAMESPACE = "spBv1.0"
OF_NODES = frozenset(("NBIRTH", "NDATA", "NDEATH", "NCMD"))
OF_DEVICES = frozenset(("DBIRTH", "DDATA", "DDEATH", "DCMD"))


class Place(NamedTuple):
    """Whose message a topic brings; `device` is "" for the node itself, `type` "STATE" for a host."""

    prefix: str
    group: str
    type: str
    node: str
    device: str = ""

    @property
    def thing(self) -> str:
        return f"{self.node}/{self.device}" if self.device else self.node

    def topic(self, type_: str, device: str = "") -> str:
        """Another topic of the same node."""
        levels = [self.prefix, NAMESPACE, self.group, type_, self.node, device]
        return "/".join(level for level in levels if level)


def place(topic: str) -> Place | None:
    """Whose message it is; None where the topic is none of Sparkplug's."""
    levels = topic.split("/")
    if NAMESPACE not in levels:
        return Place("", "", "STATE", levels[-1]) if levels[-2:-1] == ["STATE"] else None
    at = levels.index(NAMESPACE)
    prefix, rest = "/".join(levels[:at]), levels[at + 1 :]
    if rest[:1] == ["STATE"]:
        return Place(prefix, "", "STATE", "/".join(rest[1:]))
    if len(rest) < 3 or not all(rest[:3]):
        return None
    group, type_, node = rest[:3]
    if type_ in OF_NODES and len(rest) == 3:
        return Place(prefix, group, type_, node)
    if type_ in OF_DEVICES and len(rest) == 4 and rest[3]:
        return Place(prefix, group, type_, node, rest[3])
    return None
