"""Adding what was learned to a configuration: behind what stands there, checked before it replaces it."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gateway.cli.usage import UsageError
from gateway.config import WINDOWS_PORT
from gateway.learn import table_text, value_text
from textfile import Mistaken, followed, open_toml

HEAD = '[gateway]\nname = "bench"\nstate_dir = "var"\n'
"""What a new file begins with."""


def existing(path: Path) -> dict[str, Any]:
    """The tables of the file, empty where there is none. UsageError where it cannot be read."""
    if not path.exists():
        return {}
    try:
        return open_toml(path, {}, None, Mistaken, "a configuration file").raw
    except Mistaken as error:
        raise UsageError(f"{error}; mend it first (`parkgate check {path}`)") from error


def broker_of(tables: Mapping[str, Any], url: str) -> str | None:
    """The name of the broker that the configuration has under `url`."""
    brokers = tables.get("mqtt", {})
    for name, table in brokers.items() if isinstance(brokers, dict) else ():
        if isinstance(table, dict) and str(table.get("url", "")).rstrip("/") == url.rstrip("/"):
            return str(name)
    return None


def reads(tables: Mapping[str, Any], config: Path, port: str) -> bool:
    """Whether the configuration in the file `config` has `port`, a path being meant from the working folder."""
    rows = (str(row["port"]) for row in _rows(tables.get("serial")) if "port" in row)
    return _place(port, Path()) in {_place(each, config.absolute().parent) for each in rows}


def port_from(config: Path, port: str) -> str:
    """`port`, which is meant from the working folder, as the file `config` has to say it: a path that lies below the
    file's folder is said from there. UsageError for a name without a slash of what is not there."""
    if not _is_path(port) or Path(port).is_absolute():
        return port
    if "/" not in port and not Path(port).exists():
        raise UsageError(f"--port {port}: there is none here; expected a path such as /dev/{port} or ./{port}")
    path, folder = Path(port).absolute(), config.absolute().parent
    below = os.path.normpath(path).startswith(f"{os.path.normpath(folder)}{os.sep}")
    return f"./{os.path.relpath(path, folder)}" if below else str(path)


def _place(port: str, folder: Path) -> str:
    """What tells one port from another."""
    return os.path.realpath(folder / port) if _is_path(port) else port


def _is_path(port: str) -> bool:
    return "://" not in port and WINDOWS_PORT.fullmatch(port) is None


def things(tables: Mapping[str, Any]) -> set[str]:
    """The things that the configuration names."""
    rows = [*_rows(tables.get("serial"))]
    for line in list(rows):
        rows += _rows(line.get("thing"))
    for broker in _rows(list(tables.get("mqtt", {}).values())):
        rows += _rows(broker.get("subscription"))
    return {row["thing"] for row in rows if isinstance(row.get("thing"), str)}


def _rows(value: object) -> list[dict[str, Any]]:
    """The tables among `value`; what is none is for `check` to tell."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def free(name: str, taken: Mapping[str, Any] | set[str]) -> str:
    """`name`, or with a number behind it where it is taken."""
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


def subscription_text(
    tables: Mapping[str, Any], url: str, username: str | None, rows: Iterable[Mapping[str, Any]]
) -> str:
    """Subscriptions, and the broker where the configuration does not have it yet."""
    name = broker_of(tables, url)
    if name is not None:
        return "\n".join(table_text(f"mqtt.{name}.subscription", row) for row in rows)
    name = free("bench", tables.get("mqtt", {}))
    client = f"parkgate-{os.uname().nodename if hasattr(os, 'uname') else 'bench'}-{name}"[:60]
    head = f"[mqtt.{name}]\nurl = {value_text(url)}\nclient_id = {value_text(client)}\n"
    if username:
        head += f'username = {value_text(username)}\npassword = "${{MQTT_PASSWORD}}"\n'
    return "\n".join([head, *(table_text(f"mqtt.{name}.subscription", row) for row in rows)])


def add(path: Path, text: str) -> None:
    """Put `text` behind what stands in the file. UsageError, and nothing written, where the whole is then wrong."""
    from gateway.config import ConfigError, load

    try:
        before = path.read_bytes()
    except FileNotFoundError:
        before = HEAD.encode()
    whole = followed(before, text)
    folder = path.resolve().parent
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".toml", dir=folder)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; expected a folder this user may write") from error
    trial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(whole)
        try:
            load(trial, os.environ)
        except ConfigError as error:  # of the whole, which stands under another name until it is good
            words = str(error).replace(str(trial), str(path))
            raise UsageError(f"nothing was added to {path}: {words}") from error
        if path.exists():
            trial.chmod(path.stat().st_mode & 0o777)
        trial.replace(path.resolve())
    finally:
        trial.unlink(missing_ok=True)
