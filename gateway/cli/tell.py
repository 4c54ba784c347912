"""`parkgate tell`: asks a running gateway to tell a thing something. `parkgate commands`: what was asked for so far."""

import getpass
import json
import os
import secrets
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlencode

import typer

from gateway.cli.devices import table
from gateway.cli.usage import ConfigOption, UsageError, one_file

if TYPE_CHECKING:
    from gateway.commands import Entry

USUAL = "http://127.0.0.1:8080"
TOKEN = "PARKGATE_API_TOKEN"
WAIT_S = 60.0
PATIENCE_S = 10.0


class Refusal(RuntimeError):
    """What the gateway answers instead of doing it."""


def tell(
    thing: Annotated[str, typer.Argument(help="The thing, by the name that it has in the gateway.")],
    command: Annotated[str | None, typer.Argument(help="The command; without it, what the thing can be told.")] = None,
    arguments: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE…", help="Its arguments.")] = None,
    gateway: Annotated[
        str | None,
        typer.Option("--gateway", "-g", help=f"Its address; without it `listen` of the configuration, or {USUAL}."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait until the device has answered.")] = False,
    key: Annotated[
        str | None, typer.Option("--key", help="The same key again is the same command: it is told once.")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Where several sources know such a thing.")] = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as one JSON object.")] = False,
) -> int:
    """Tell a thing something. Exit code 0 when it is done or accepted, 1 when it is refused or not answered in time."""
    at = _Gateway.of(gateway, config)
    path = f"/api/v1/things/{quote(thing, safe='')}/commands"
    if command is None:
        told = at.get(path + (f"?{urlencode({'source': source})}" if source else ""))
        typer.echo(json.dumps(told) if as_json else _told(told))
        return 0
    body = {
        "command": command,
        "arguments": _arguments(arguments or []),
        "key": key or f"cli-{secrets.token_hex(8)}",
        "by": f"{_user()}@{socket.gethostname()}",
        **({"source": source} if source else {}),
    }
    answer = at.post(f"{path}?wait={WAIT_S if wait else 0:g}", body)
    typer.echo(json.dumps(answer) if as_json else _said(answer))
    return 0 if answer["state"] in ("done", "accepted") else 1


def commands(
    config: ConfigOption = None,
    thing: Annotated[str | None, typer.Option("--thing", help="Of one thing only.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List who asked for what, when, and what became of it: the ledger, also while its gateway runs."""
    from gateway.commands import read
    from gateway.config import load

    loaded = load(one_file("commands", None, config), os.environ)
    found = read(loaded.gateway.state_dir / "commands.db", limit, thing)
    if as_json:
        for entry in found:
            typer.echo(json.dumps(entry.shown()))
    elif found:
        rows = [("asked", "thing", "command", "state", "by", "via", "why")]
        typer.echo(table(rows + [_row(entry) for entry in found]))
    else:
        typer.echo("nothing was asked for yet")


def _row(entry: "Entry") -> tuple[str, ...]:
    shown = entry.shown()
    state = entry.state if entry.ended else f"{entry.state}…"
    return str(shown["asked"]), entry.thing, entry.said, state, entry.by, entry.via, entry.why


class _Gateway:
    """The address of one, and how it is asked."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url.rstrip("/")
        self._token = token

    @classmethod
    def of(cls, url: str | None, config: Path | None) -> "_Gateway":
        """Behind --gateway, or the one of the configuration, or the usual one. The token is that of the
        configuration, or else of the environment."""
        listen, token = None, os.environ.get(TOKEN)
        if config is not None or (url is None and Path("gateway.toml").exists()):
            from gateway.config import load

            loaded = load(one_file("tell", None, config), os.environ).gateway
            listen, token = loaded.listen, loaded.api_token or token
        if url is None:
            host, _, port = (listen or "").rpartition(":")
            host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
            url = f"http://{host}:{port}" if listen else USUAL
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"--gateway {url}: expected an address such as {USUAL}")
        return cls(url, token)

    def get(self, path: str) -> dict[str, Any]:
        return self._ask(urllib.request.Request(self._url + path, headers=self._headers()))

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        headers = {**self._headers(), "Content-Type": "application/json"}
        return self._ask(urllib.request.Request(self._url + path, json.dumps(body).encode(), headers))

    def _headers(self) -> dict[str, str]:
        return {} if self._token is None else {"Authorization": f"Bearer {self._token}"}

    def _ask(self, request: urllib.request.Request) -> dict[str, Any]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=WAIT_S + PATIENCE_S) as response:
                data = response.read()
        except urllib.error.HTTPError as error:
            data = error.read()
            raise Refusal(_wrong(error.code, data)) from error
        except (urllib.error.URLError, OSError) as error:
            why = getattr(error, "reason", error)
            words = f"no gateway answers at {self._url}: {why}; expected one that runs, or --gateway URL"
            raise Refusal(words) from error
        found = _object(data)
        if found is None:
            raise Refusal(f"{self._url} is no gateway: it does not answer in JSON")
        return found


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _wrong(status: int, data: bytes) -> str:
    """The words of an answer that is none of success."""
    found = _object(data) or {}
    words = str(found.get("error") or f"HTTP {status}, and no words that could be read")
    hint = f"; set {TOKEN}, or --config FILE with api_token" if status == 401 else ""
    return f"{found['state']}: {words}" if "state" in found else f"{words}{hint}"


def _arguments(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise UsageError(f"argument {each!r}: expected NAME=VALUE, such as working_period_min=5")
        if name in found:
            raise UsageError(f"argument {name}: expected it once")
        found[name] = value
    return found


def _said(answer: Mapping[str, Any]) -> str:
    """One line: who, what, how it went and why, and how to ask again."""
    from gateway.commands import saying

    said = saying(answer["command"], answer["arguments"])
    why = f": {answer['why']}" if answer["why"] else ""
    more = "" if answer["ended"] else f" (GET /api/v1/commands/{answer['id']}, or --wait, says what becomes of it)"
    return f"{answer['thing']}: {said}: {str(answer['state']).replace('_', ' ')}{why}{more}"


def _told(answer: Mapping[str, Any]) -> str:
    """What a thing can be told, for people."""
    if not answer["commands"]:
        return f"{answer['thing']} is a {answer['device']}, which can be told nothing"
    rows = [("command", "allowed", "arguments", "description")]
    for each in answer["commands"]:
        arguments = [
            f"{one['name']}{'' if one['required'] else '?'}: {one['expected']}" for one in each["arguments"]
        ] or ["-"]
        rows.append((each["name"], "yes" if each["allowed"] else "no", arguments[0], each["description"]))
        rows += [("", "", one, "") for one in arguments[1:]]
    return f"{answer['thing']} is a {answer['device']}\n{table(rows, indent='  ')}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "somebody"
