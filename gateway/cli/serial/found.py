"""What is looked for on a port, what was found, and the words for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.spec.device import Device, SerialSettings
from gateway.cli.decode import Port

MOST_NAMED = 6
"""Further types, and closest guesses, that are named; `--json` has all."""

LEAST_SHARE = 0.3
"""Of the bytes, that a type has to explain to be an answer and not a guess."""

MOST_SHOWN = 32
"""Bytes of what came that are shown."""

LONGER = 5
"""Lines that are advised to be waited for, of LEAST_FOR_S to MOST_FOR_S in all."""
LEAST_FOR_S, MOST_FOR_S = 30.0, 3600.0


@dataclass(frozen=True, slots=True)
class Search:
    """`unit` is the number that is asked, None those that types are delivered with."""

    port: Port
    devices: Mapping[str, Device]
    unit: int | None
    ask: bool
    for_s: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A type that makes something of what is on a port. `share` is how much of it, 0 to 1: of the bytes that came, or
    of the values that were asked for. `frames` are its valid frames, or its answers."""

    device: str
    settings: SerialSettings
    own: SerialSettings
    share: float
    frames: int
    values: int
    sure: bool
    unit: int | None = None

    @property
    def rank(self) -> tuple[bool, float, int, int]:
        """What one fit is better by than another."""
        return self.sure, round(self.share, 2), self.frames, self.values

    @property
    def said(self) -> str:
        if self.unit is not None and not self.values:
            return f"{self.device} (it answers, and has nothing to report yet)"
        if self.unit is not None:
            return f"{self.device} ({self.share:.0%} of its values)"
        many = "1 frame" if self.frames == 1 else f"{self.frames} frames"
        return f"{self.device} ({many}, {self.share:.0%} of the bytes)"


@dataclass(slots=True)
class Found:
    """`fits` are the types, the best first. `sample` is what came at `settings`, or None where nothing did; `asked`
    are the types that were asked; `few` those that read the lines that came, which are too few to be sure, with how
    many frames each found."""

    port: str
    fits: list[Fit] = field(default_factory=list)
    settings: SerialSettings | None = None
    sample: bytes = b""
    shapes: list[str] = field(default_factory=list)
    few: list[tuple[Device, int]] = field(default_factory=list)
    opened: bool = True
    asked: list[str] = field(default_factory=list)
    waited_s: float = 0.0

    def add(self, fits: Iterable[Fit]) -> None:
        """Further fits; of each type the best stays."""
        best: dict[str, Fit] = {}
        for fit in sorted([*self.fits, *fits], key=lambda fit: fit.rank, reverse=True):
            best.setdefault(fit.device, fit)
        self.fits = list(best.values())

    @property
    def best(self) -> list[Fit]:
        """Those that nothing tells apart from the first; none where that does not fit well."""
        first = self.fits[0] if self.fits else None
        if first is None or not (first.sure or first.share >= LEAST_SHARE):
            return []
        return [fit for fit in self.fits if fit.rank == first.rank]

    def words(self) -> list[str]:
        """What was found, for people."""
        if not self.opened:
            return []  # why stands on stderr
        if self.best:
            first = self.best[0]
            said = f"{self.port} at {framing(first.settings)}: {first.said}"
            others = [fit.device for fit in self.best[1:]]
            if others:
                said += f", or {listed(others)}: only you can tell which it is, they say the same on the wire"
            return [said, *self._also()]
        return [f"{self.port}: nothing recognisable", *self._came(), *self._also()]

    def _also(self) -> list[str]:
        others = [fit.said for fit in self.fits if fit not in self.best]
        word = "it also fits" if self.best else "closest are"
        return [f"{word} {listed(others)}"] if others else []

    def _came(self) -> list[str]:
        lines = []
        if self.sample:
            assert self.settings is not None
            shown = self.sample[-MOST_SHOWN:].hex(" ")
            text = self.sample[-MOST_SHOWN:].decode("ascii", "replace") if self.sample.isascii() else ""
            lines.append(f"{len(self.sample)} bytes came, at {framing(self.settings)} for example: {shown}")
            lines += [f"as text: {text!r}"] if text.strip() and text.isprintable() else []
            lines += self._too_few() or [
                f"{shape}: `parkgate learn --port {self.port}` makes a device type of it" for shape in self.shapes
            ]
        else:
            lines.append(
                f"no byte came within {self.waited_s:g} s; is it plugged in and powered, and are its lines right?"
            )
        if self.asked:
            lines.append(f"no answer from {listed(self.asked)}; another unit number? --unit N")
        return lines

    def _too_few(self) -> list[str]:
        """What reads the lines, where there are so few that it could be chance."""
        if not self.few:
            return []
        frames = max(many for _, many in self.few)
        often = "1 frame" if frames == 1 else f"{frames} frames"
        wait_s = LONGER * max(device.expected_every_s for device, _ in self.few)
        return [
            f"{listed(device.name for device, _ in self.few)} may be it ({often}, too few to be sure): listen "
            f"longer, --for {min(MOST_FOR_S, max(LEAST_FOR_S, wait_s)):.0f}"
        ]

    def toml(self) -> str:
        """What to paste into a configuration."""
        from gateway.learn import table_text, value_text

        first = self.best[0]
        table: dict[str, Any] = {"port": named(self.port), "device": first.device}
        others = [fit.device for fit in self.best[1:]]
        if first.settings.baud != first.own.baud:
            table["baud"] = first.settings.baud
        if first.settings.parity != first.own.parity:
            table["parity"] = first.settings.parity
        if first.unit:
            table["unit"] = first.unit
        text = table_text("serial", {**table, "thing": f"{first.device}-1"})
        line = f"device = {value_text(first.device)}"
        return text.replace(line, f"{line}  # or {', '.join(others)}") if others else text

    def fields(self) -> dict[str, Any]:
        """The same, for programs."""
        return {
            "port": named(self.port),
            "found": [fit.device for fit in self.best],
            "fits": [
                {
                    "device": fit.device,
                    "baud": fit.settings.baud,
                    "parity": fit.settings.parity,
                    "bits": fit.settings.bits,
                    "share": round(fit.share, 3),
                    "frames": fit.frames,
                    "values": fit.values,
                    "unit": fit.unit,
                }
                for fit in self.fits
            ],
            "shapes": self.shapes,
            "few": [device.name for device, _ in self.few],
            "bytes": len(self.sample),
            "sample": self.sample[-MOST_SHOWN:].hex(),
            "asked": self.asked,
            "toml": self.toml() if self.best else None,
        }


def named(port: str) -> str:
    """The name of a port that belongs into a file: the stable one where there is one."""
    from gateway.sources.serial import present

    if "://" in port or "/" not in port:
        return port
    return next((each.name for each in present() if port in (each.name, each.path)), port)


def framing(settings: SerialSettings) -> str:
    """9600 baud, 8N1."""
    return f"{settings.baud} baud, {settings.bits}{settings.parity}{settings.stop}"


def listed(words: Iterable[str]) -> str:
    """The first few, with `or` before the last."""
    all_words = list(words)
    shown, more = all_words[:MOST_NAMED], len(all_words) - MOST_NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
