"""A real mosquitto on 127.0.0.1, restartable on the same port with the same data directory.

Queues are unbounded (`max_queued_messages 0`), so that what a test publishes while its client
is away is all there on its return. `max_inflight_messages 0` leaves the limit to the client:
an MQTT 5 client's receive maximum then holds the broker; a 3.1.1 client has no limit unless
`inflight` gives one.

With `persistence`, an orderly `stop` (or `save`) writes the queues to disk; a `kill` loses what
came since the last save. Source: mosquitto.conf(5), 2.0.11.
"""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from os import kill
from pathlib import Path
from subprocess import run

from tests.servers.process import Process, answers_tcp, find_binary, wait_until


@dataclass(frozen=True, slots=True)
class BrokerTls:
    """PEM files of the server. `require_certificate` refuses clients without one of `ca_file`."""

    ca_file: Path
    cert_file: Path
    key_file: Path
    require_certificate: bool = False


class Mosquitto:
    """Not started by its constructor. `users` maps names to passwords and ends anonymous access;
    `acl` is the text of an ACL file; `config` are further lines of mosquitto.conf."""

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        persistence: bool = False,
        inflight: int = 0,
        users: dict[str, str] | None = None,
        acl: str | None = None,
        tls: BrokerTls | None = None,
        config: Sequence[str] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = port
        self.url = f"{'mqtts' if tls else 'mqtt'}://127.0.0.1:{port}"
        self._conf = directory / "mosquitto.conf"
        lines = [
            "per_listener_settings false",
            "user root",  # as root it would change to a user that cannot read the directory
            "max_queued_messages 0",
            f"max_inflight_messages {inflight}",
            f"allow_anonymous {'false' if users else 'true'}",
            "log_type error",
            "log_type warning",
            "log_type notice",
            f"persistence {'true' if persistence else 'false'}",
            f"persistence_location {directory}/",
            f"listener {port} 127.0.0.1",
            "set_tcp_nodelay true",
        ]
        if tls:
            lines += [f"cafile {tls.ca_file}", f"certfile {tls.cert_file}", f"keyfile {tls.key_file}"]
            lines += ["require_certificate true"] if tls.require_certificate else []
        if users:
            lines.append(f"password_file {self._passwords(users)}")
        if acl is not None:
            (directory / "acl").write_text(acl)
            lines.append(f"acl_file {directory / 'acl'}")
        self._conf.write_text("\n".join([*lines, *config, ""]))
        binary = find_binary("mosquitto") or "mosquitto"
        self.process = Process(
            "mosquitto", [binary, "-c", str(self._conf)], directory / "mosquitto.log", lambda: answers_tcp(port)
        )

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def restart(self, *, hard: bool = False) -> None:
        """End (`hard`: by SIGKILL) and start again on the same port and data."""
        if hard:
            self.kill()
        else:
            self.stop()
        self.start()

    def save(self) -> None:
        """Have the queues written to disk now; with `persistence` only."""
        store = self.directory / "mosquitto.db"
        before = store.stat().st_mtime_ns if store.exists() else 0
        kill(self.process.pid, signal.SIGUSR1)
        wait_until(lambda: store.exists() and store.stat().st_mtime_ns != before, "mosquitto.db saved")

    def _passwords(self, users: dict[str, str]) -> Path:
        path = self.directory / "passwords"
        path.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
        path.chmod(0o600)
        run([find_binary("mosquitto_passwd") or "mosquitto_passwd", "-U", str(path)], check=True, capture_output=True)
        return path
