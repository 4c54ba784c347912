"""An InfluxDB that is there already, for one run: a database of the run's own, dropped at its end.

    1.x   database, CREATE DATABASE and DROP DATABASE
    2.x   bucket, made and deleted over /api/v2/buckets
    3     database, /api/v3/configure/database (3 Core has five at most)

Its name, `parkgate_bench_` and eight random hexadecimal digits, is nobody else's, so nothing that
was there before is written to or dropped. The credentials must be allowed to make it.

They come from the environment, which the gateway that is measured inherits: INFLUX_TOKEN, or
INFLUX_USERNAME and INFLUX_PASSWORD; INFLUX_API (v1, v2 or v3; v1, the default, works on all) and
INFLUX_ORG are the keys `api` and `org` of the gateway's `[influxdb]`.

Unknown: deleting on 2.x and 3 is tried against a server of the tests only.
"""

import asyncio
import errno
import json
import secrets
import sys
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, cast

from bench.errors import BenchError
from bench.store import Credentials, Store
from gateway.cli.usage import UsageError
from gateway.clock import SystemClock
from gateway.config import InfluxConfig
from gateway.intake import Accept, Batch
from gateway.sinks.influxdb.admin import Generation, detect, ensure_database
from gateway.sinks.influxdb.client import Client, Unreachable
from gateway.sinks.influxdb.sink import InfluxSink

APIS = ("v1", "v2", "v3")
TIMEOUT_S = 10.0
HINT = "the credentials are taken from INFLUX_TOKEN, or INFLUX_USERNAME and INFLUX_PASSWORD"


def credentials(environ: Mapping[str, str]) -> Credentials:
    """What the environment says. UsageError for what cannot be; an empty variable is none."""
    api, token, username, password, org = (
        environ.get(f"INFLUX_{name}") or None for name in ("API", "TOKEN", "USERNAME", "PASSWORD", "ORG")
    )
    if api not in (None, *APIS):
        raise UsageError(f"INFLUX_API={api}: expected v1, v2 or v3")
    if api == "v2" and not (org and token):
        raise UsageError("INFLUX_API=v2 needs INFLUX_ORG and INFLUX_TOKEN")
    if not token and (username is None) != (password is None):
        raise UsageError("INFLUX_USERNAME and INFLUX_PASSWORD: expected both or none")
    if token:  # a file such as .env may well set both
        username = password = None
    return Credentials(api or "v1", token, username, password, org)


def address(url: str) -> str:
    """A sound URL without what should not be in it. UsageError where it is none."""
    try:
        parts = urllib.parse.urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise UsageError(f"--influx {_shown(url)}: expected a URL such as http://127.0.0.1:8086") from None
    if not sound or parts.query or parts.fragment or any(character in url for character in ' "\\'):
        raise UsageError(f"--influx {_shown(url)}: expected a URL such as http://127.0.0.1:8086")
    if "@" in parts.netloc:
        raise UsageError(f"--influx {_shown(url)}: no credentials in the URL; {HINT}")
    return url.rstrip("/")


def _shown(url: str) -> str:
    before, at, after = url.rpartition("@")
    return f"{before.partition('://')[0]}://…@{after}" if at else url


@contextmanager
def own_database(url: str, environ: Mapping[str, str]) -> Iterator[Store]:
    """A database of its own in the InfluxDB at `url`. BenchError where that cannot be."""
    store = Store(address(url), f"parkgate_bench_{secrets.token_hex(4)}", credentials(environ))
    generation = _made(store)
    try:
        yield store
    finally:
        try:
            _drop(store, generation)
        except BenchError as error:  # the figures are worth more than a tidy server
            print(f"parkgate: {store.database} is still there, drop it by hand: {error}", file=sys.stderr)


def _made(store: Store) -> Generation:
    try:
        generation, obstacle = asyncio.run(_make(store))
    except Unreachable as error:
        cause = error.__cause__
        refused = isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED
        raise BenchError(f"{store.url}: {'cannot connect: Connection refused' if refused else error}") from None
    if obstacle is not None:
        what = "bucket" if generation is Generation.V2 else "database"
        raise BenchError(f"{store.url}: could not make {what} {store.database}: {obstacle}; {HINT}")
    try:
        asyncio.run(_write_probe(store))
        store.query("SHOW MEASUREMENTS")
    except BenchError as error:
        try:
            _drop(store, generation)
        except BenchError:
            raise BenchError(f"{error}; {store.database} was made and is still there; {HINT}") from None
        raise BenchError(f"{error}; {HINT}") from None
    return generation


async def _make(store: Store) -> tuple[Generation, str | None]:
    """Make the database; the generation of the server, and what is in the way."""
    config = _config(store)
    client = Client(config, SystemClock())
    try:
        server, answer = await detect(client)
        if answer.status in (401, 403):
            return server.generation, f"/ping answers HTTP {answer.status}"
        return server.generation, await ensure_database(client, server, config)
    finally:
        await client.close()


async def _write_probe(store: Store) -> None:
    """Write one point as the gateway will: whether it may, and whether the server knows that route."""
    sink = InfluxSink(_config(store), SystemClock())
    try:
        outcome = await sink.write(Batch(1, 1, 1, b"probe ok=1 0"))
    finally:
        await sink.close()
    if not isinstance(outcome, Accept):
        raise BenchError(outcome.reason)
    if outcome.rejected:
        raise BenchError(f"{store.url} refuses points: {outcome.rejected[0][1]}")


def _config(store: Store) -> InfluxConfig:
    api, token, username, password, org = store.credentials
    return InfluxConfig(
        url=store.url,
        database=store.database,
        token=token,
        username=username,
        password=password,
        api=cast(Literal["v1", "v2", "v3"], api),
        org=org,
        timeout_s=TIMEOUT_S,
    )


def _drop(store: Store, generation: Generation) -> None:
    name = urllib.parse.quote(store.database)
    if generation is Generation.V1:
        store.query(f'DROP DATABASE "{store.database}"')
    elif generation is Generation.V2:
        found = json.loads(store.ask("GET", f"/api/v2/buckets?name={name}", scheme="Token"))
        for bucket in found.get("buckets", []):
            if bucket.get("name") != store.database:  # whatever the server took the question for
                continue
            store.ask("DELETE", f"/api/v2/buckets/{bucket['id']}", scheme="Token")
    else:
        store.ask(
            "DELETE", f"/api/v3/configure/database?db={name}", scheme="Bearer" if store.credentials.token else None
        )
