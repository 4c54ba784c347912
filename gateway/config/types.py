"""What can be configured: frozen typed objects with their defaults.

Everybody imports them from `gateway.config`, which reads them from the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from devices.catalogue import built_in
from devices.spec.device import Device
from gateway.network import TlsFiles
from textfile import Mistaken

REPLAY = "replay:"
RECORDING = "# parkgate recording"
"""A port that is played from a file, and how such a file begins."""

WINDOWS_PORT = re.compile(r"COM[0-9]{1,3}", re.IGNORECASE)


class ConfigError(Mistaken):
    """The configuration cannot be used. `str()` is one line for each mistake, for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    name: str = "parkgate"
    state_dir: Path = Path("var")
    listen: str = "127.0.0.1:8080"
    api_token: str | None = None
    types_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class SpoolConfig:
    max_bytes: int = 1 << 30
    max_age_s: float = 7 * 86400.0
    quarantine_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class InfluxConfig:
    """`username` and `password` for 1.x, `token` for 2.x and 3. `gzip` None: only off loopback.

    `ca_file`, `client_cert` and `client_key` are for an https:// URL.
    """

    url: str
    database: str
    token: str | None = None
    username: str | None = None
    password: str | None = None
    api: Literal["v1", "v2", "v3"] = "v1"
    org: str | None = None
    retention: str | None = None
    batch_points: int = 5000
    in_flight: int = 2
    timeout_s: float = 10.0
    gzip: bool | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None

    @property
    def tls(self) -> TlsFiles | None:
        """The files of the connection; None where it has no TLS."""
        if not self.url.startswith("https:"):
            return None
        keys = ("influxdb.ca_file", "influxdb.client_cert", "influxdb.client_key")
        return TlsFiles(self.ca_file, self.client_cert, self.client_key, *keys)


@dataclass(frozen=True, slots=True)
class LocalConfig:
    path: Path


Allowed = tuple[str, ...] | dict[str, tuple[str, ...]]
"""Names of commands that may be told to every thing of a source, or to some things by name."""


def allows(allowed: Allowed, thing: str) -> tuple[str, ...]:
    """The commands that may be told to one thing."""
    return allowed.get(thing, ()) if isinstance(allowed, dict) else allowed


@dataclass(frozen=True, slots=True)
class CommandsConfig:
    """`brokers` are the names of those at which commands are taken; `per_minute` is for each thing; the ledger is
    kept for `keep_days`."""

    brokers: tuple[str, ...] = ()
    per_minute: int = 30
    keep_days: float = 30.0


@dataclass(frozen=True, slots=True)
class SubscriptionConfig:
    """`topic` is a pattern: an MQTT topic filter in which one level may be `{thing}`.

    It may begin with `$share/<group>/`. `thing` names the thing where the topic does not.
    `expected_every_s`: None is learned, 0 is never missed.
    """

    topic: str
    device: str
    thing: str | None = None
    qos: Literal[0, 1] = 1
    location: tuple[float, float] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    expected_every_s: float | None = None
    commands: Allowed = ()


@dataclass(frozen=True, slots=True)
class WillConfig:
    """`birth` is published to the same topic after each connect, and retained alike."""

    topic: str
    payload: str = "offline"
    qos: Literal[0, 1] = 1
    retain: bool = True
    birth: str = "online"


@dataclass(frozen=True, slots=True)
class MqttConfig:
    """One broker. `url` is mqtt://host:port or mqtts://host:port."""

    name: str
    url: str
    client_id: str
    subscriptions: tuple[SubscriptionConfig, ...]
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    keepalive_s: int = 30
    session_expiry_s: int = 86400
    receive_maximum: int = 4000
    max_payload: int = 1 << 18
    max_things: int = 10_000
    will: WillConfig | None = None

    @property
    def tls(self) -> TlsFiles | None:
        """The files of the connection; None where it has no TLS."""
        return TlsFiles(self.ca_file, self.cert_file, self.key_file) if self.url.startswith("mqtts:") else None

    @property
    def session(self) -> str:
        """What names the broker's session: packet identifiers and subscriptions mean something within it."""
        return f"mqtt:{self.name} {self.client_id} {self.url.rpartition('@')[2].rpartition('//')[2]}"


@dataclass(frozen=True, slots=True)
class ThingConfig:
    """One thing that is asked, on the line of a port.

    `unit` is its number (0 for a type without). It is asked every `every_s` and its answer waited for
    for `timeout_s`; None is the device type's own. `expected_every_s`: None is `every_s`, 0 is never missed.
    """

    device: str
    thing: str
    unit: int = 0
    every_s: float | None = None
    timeout_s: float | None = None
    location: tuple[float, float] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    expected_every_s: float | None = None
    commands: Allowed = ()


@dataclass(frozen=True, slots=True)
class SerialConfig:
    """One port. `port` is a path, a socket:// or rfc2217:// URL, or `replay:` and the path of a recording.

    `baud` and `parity` override the device type's own settings where given.
    `expected_every_s`: None is learned, 0 is never missed.

    Where devices are asked, they are the `things`: one, named by `device` and `thing` as well, or those
    of `[[serial.thing]]`, and then `device` and `thing` are empty.
    """

    port: str
    device: str
    thing: str
    location: tuple[float, float] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    baud: int | None = None
    parity: Literal["N", "E", "O"] | None = None
    expected_every_s: float | None = None
    commands: Allowed = ()
    things: tuple[ThingConfig, ...] = ()

    @property
    def recording(self) -> Path | None:
        """The recording that stands for a port, if one does."""
        return Path(self.port.removeprefix(REPLAY)) if self.port.startswith(REPLAY) else None


@dataclass(frozen=True, slots=True)
class WatchdogConfig:
    """When silence is too long, and what is done about it.

    A thing is silent after `factor` times its expected interval, not before `min_silence_s`.
    `pause_s` is the first pause between two attempts to heal; each further one is twice as long.
    """

    factor: float = 5.0
    min_silence_s: float = 10.0
    heal: bool = True
    pause_s: float = 10.0


@dataclass(frozen=True, slots=True)
class CodecsConfig:
    """A folder of codecs, whose values are stored where the network has decoded, too, and what a call may take."""

    dir: Path
    prefer: Literal["network", "codec"] = "network"
    time_limit_s: float = 0.25
    memory_limit: int = 16 << 20


@dataclass(frozen=True, slots=True)
class Config:
    """What one gateway is built from. `devices` are the device types that it knows, `types` those that it describes."""

    gateway: GatewayConfig
    spool: SpoolConfig
    influxdb: InfluxConfig | None
    local: LocalConfig | None
    mqtt: tuple[MqttConfig, ...]
    serial: tuple[SerialConfig, ...]
    watchdog: WatchdogConfig = WatchdogConfig()
    codecs: CodecsConfig | None = None
    commands: CommandsConfig = CommandsConfig()
    devices: Mapping[str, Device] = field(default_factory=built_in, compare=False, repr=False)
    types: tuple[Device, ...] = field(default=(), compare=False, repr=False)

    @property
    def commands_allowed(self) -> bool:
        """Whether anything may be told to anything."""
        ports = any(each.commands or any(thing.commands for thing in each.things) for each in self.serial)
        return ports or any(each.commands for broker in self.mqtt for each in broker.subscriptions)
