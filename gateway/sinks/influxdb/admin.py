"""Which generation of InfluxDB answers, and its database or bucket, made where it is allowed.

    GET /ping   1.x: 204, X-Influxdb-Version 1.6.7   2.x: 204, v2.7.12   3: 200 with JSON, needs the token
                VictoriaMetrics: 204, X-Server-Hostname (newer ones name a version of 1.x beside it)

    1.x   POST /query  CREATE DATABASE "name" WITH DURATION 30d
    2.x   buckets of the influxdb-client package, in a thread since it blocks; the bucket is named like
          the 1.x database, so that /write?db= finds it without a mapping of its own
    3     POST /api/v3/configure/database; also made by the first write
    VictoriaMetrics has no databases to make: the name becomes a label

A database that exists already keeps its retention. Not being allowed to make one is no error:
the credentials of a gateway need no more than writing, and the write itself will tell.

Source: influxdb 1.6.7 tried; 2.7 dbrp/service.go and influxdb3 3.10.1 by their source; VictoriaMetrics
1.79 tried, 1.97 lib/influxutils by its source.
"""

import asyncio
import re
import ssl
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from gateway.config import InfluxConfig
from gateway.network import Proxy, TlsFileUnusable, tls_context
from gateway.sinks.influxdb.client import Client, Unreachable
from gateway.sinks.influxdb.errors import Answer, read_answer

_DURATION = re.compile(r"(\d+)(ns|us|u|ms|s|m|h|d|w)")
_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "u": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}


class Generation(Enum):
    V1 = "1.x"
    V2 = "2.x"
    V3 = "3"
    VICTORIA = "VictoriaMetrics"
    UNKNOWN = "of unknown version"


class Server(NamedTuple):
    generation: Generation
    version: str

    def __str__(self) -> str:
        if self.generation is Generation.VICTORIA:
            return "VictoriaMetrics"
        return f"InfluxDB {self.version or self.generation.value}"


def retention_seconds(text: str) -> int:
    """Seconds of a duration like 30d or 1w12h; 0 for "INF". ValueError where it is not one."""
    if text.upper() == "INF":
        return 0
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f'influxdb.retention: "{text}" is not a duration; expected a number and a unit, such as "30d"')
    return int(sum(int(number) * _SECONDS[unit] for number, unit in parts))


async def detect(client: Client) -> tuple[Server, Answer]:
    """The server that answers, and what it says to /ping (401 and 403: it wants other credentials)."""
    reply = await client.ask("GET", "/ping")
    headers = {name.lower(): value for name, value in reply.headers.items()}
    version = headers.get("x-influxdb-version", "")
    if not version and reply.status == 200:
        version = _version_in(reply.body)
    generation = Generation.VICTORIA if "x-server-hostname" in headers else _generation(version)
    return Server(generation, version), read_answer(reply.status, reply.headers, reply.body)


def _version_in(body: bytes) -> str:
    try:
        reply = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    version = reply.get("version") if isinstance(reply, dict) else None
    return version if isinstance(version, str) else ""


def _generation(version: str) -> Generation:
    first = version.lstrip("v")[:1]
    return {"1": Generation.V1, "2": Generation.V2, "3": Generation.V3}.get(first, Generation.UNKNOWN)


async def ensure_database(client: Client, server: Server, config: InfluxConfig) -> str | None:
    """Make the database or bucket. None once it is there, else a sentence why it may not be.

    Raises Unreachable where the server cannot be asked.
    """
    if server.generation is Generation.V1:
        return await _make_v1(client, config)
    if server.generation is Generation.V2:
        return await asyncio.to_thread(_make_v2, client, config)
    if server.generation is Generation.V3:
        return await _make_v3(client, config)
    if server.generation is Generation.VICTORIA:
        return None
    return "the server does not say its version, so how to make a database is not known"


async def _make_v1(client: Client, config: InfluxConfig) -> str | None:
    name = config.database.replace("\\", "\\\\").replace('"', '\\"')
    statement = f'CREATE DATABASE "{name}"' + (f" WITH DURATION {config.retention}" if config.retention else "")
    reply = await client.ask("POST", "/query", data={"q": statement})
    said = _error_in(reply.body)
    return None if reply.status == 200 and said is None else said or _short(reply.body)


def _error_in(body: bytes) -> str | None:
    """The error of a /query answer: a 200 may carry one for its only statement."""
    try:
        reply = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(reply, dict):
        return None
    results = reply.get("results")
    places = [reply, *(results if isinstance(results, list) else [])]
    found = (place.get("error") for place in places if isinstance(place, dict))
    return next((error for error in found if isinstance(error, str)), None)


async def _make_v3(client: Client, config: InfluxConfig) -> str | None:
    wish = {"db": config.database}
    if config.retention and retention_seconds(config.retention):
        wish["retention_period"] = config.retention
    reply = await client.ask("POST", "/api/v3/configure/database", json=wish)
    return None if reply.status in (200, 201, 204, 409) else _error_in(reply.body) or _short(reply.body)


def _make_v2(client: Client, config: InfluxConfig) -> str | None:
    """Blocking. The package is imported here: it takes half a second and only 2.x needs it."""
    import influxdb_client
    from influxdb_client.rest import ApiException
    from urllib3.exceptions import HTTPError

    if not config.token:
        return "making a bucket needs influxdb.token"
    package: Any = influxdb_client  # half of it is without annotations
    seconds = retention_seconds(config.retention) if config.retention else 0
    rules = package.BucketRetentionRules(type="expire", every_seconds=seconds) if seconds else None
    buckets = package.InfluxDBClient(
        url=client.base,
        token=config.token,
        org=config.org,
        timeout=int(config.timeout_s * 1000),
        ssl_context=_context(config),
        **_through(client.proxy),
    )
    try:
        if buckets.buckets_api().find_bucket_by_name(config.database) is not None:
            return None
        org = config.org or _only_organization(buckets)
        if org is None:
            return "influxdb.org is not set and the token does not show one organization"
        buckets.buckets_api().create_bucket(bucket_name=config.database, org=org, retention_rules=rules)
    except ApiException as error:
        # 2.x answers 422 to a bucket that is there already (made by another gateway meanwhile).
        return None if error.status == 422 and "already exists" in str(error.body) else f"HTTP {error.status}"
    except HTTPError as error:
        raise Unreachable(f"while making the bucket: {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        return f"its answer about buckets makes no sense: {error}"  # the package checks no more than it must
    finally:
        buckets.close()
    return None


def _context(config: InfluxConfig) -> ssl.SSLContext | None:
    try:
        return None if config.tls is None else tls_context(config.tls)
    except TlsFileUnusable as error:
        raise Unreachable(str(error), alarm=True) from error


def _through(proxy: Proxy | None) -> dict[str, Any]:
    """The proxy as urllib3 takes it: credentials apart."""
    if proxy is None:
        return {}
    from urllib3.util import make_headers

    parts = urlsplit(proxy.url)
    if parts.username is None:
        return {"proxy": proxy.shown}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"proxy": proxy.shown, "proxy_headers": make_headers(proxy_basic_auth=pair)}


def _only_organization(client: Any) -> str | None:
    found = client.organizations_api().find_organizations()
    return str(found[0].name) if len(found) == 1 else None


def _short(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace").strip() or "no reason given"
