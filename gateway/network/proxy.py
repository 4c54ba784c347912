"""Which proxy an HTTP address is asked through: HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment.

    HTTPS_PROXY=http://user:password@proxy:3128   for https:// addresses (a tunnel, CONNECT)
    HTTP_PROXY=http://proxy:3128                  for http:// addresses
    NO_PROXY=localhost,.park.example,10.0.0.0/8   asked straight: a name with all below it, an address,
                                                  a network, each with a port if need be; * is everything

In small letters they mean the same and go first, as with curl. Only http:// proxies: others are
refused by name, since going straight where a proxy is wanted would be wrong too. An address of this
machine is never asked for through a proxy elsewhere, which could not reach it.

Source: curl(1), ENVIRONMENT; Go net/http ProxyFromEnvironment.
"""

import ipaddress
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit


class Proxy(NamedTuple):
    """`url` may hold a password; `shown` does not. `variable` is where it was set."""

    url: str
    host: str
    variable: str
    shown: str


def proxy_for(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy for `url`; None where it is asked straight. ValueError where the variable is of no use."""
    target = urlsplit(url)
    host = (target.hostname or "").rstrip(".")
    variable, value = _variable(f"{target.scheme}_proxy", environ)
    if not value or _straight(host, target.port or (443 if target.scheme == "https" else 80), environ):
        return None
    whole = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(whole)
        port = parts.port or (80 if parts.scheme == "http" else None)
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme != "http" or not parts.hostname or port is None:
        said = f"{parts.scheme}://…" if parts.scheme else "no address"
        raise ValueError(
            f"{variable} of the environment: {said}; expected http://host:port, "
            f"or {host} in NO_PROXY where it is to be asked straight"
        )
    if is_loopback(host) and not is_loopback(parts.hostname):
        return None
    at = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Proxy(whole, parts.hostname, variable, f"http://{at}:{port}")


def is_loopback(host: str | None) -> bool:
    """Whether `host` is this machine by name or number."""
    if host in (None, "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _variable(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """The variable that is set, and its value. To a CGI program HTTP_PROXY is a header of its caller."""
    if name in environ or (name == "http_proxy" and "REQUEST_METHOD" in environ):
        return name, environ.get(name, "").strip()
    return name.upper(), environ.get(name.upper(), "").strip()


def _straight(host: str, port: int, environ: Mapping[str, str]) -> bool:
    _, value = _variable("no_proxy", environ)
    return any(_names(entry.strip(), host.lower(), port) for entry in value.split(","))


def _names(entry: str, host: str, port: int) -> bool:
    """Whether one entry of NO_PROXY is about `host`."""
    if entry == "*":
        return True
    name = entry.lower().strip("[]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is not None:
        try:
            return address in ipaddress.ip_network(name, strict=False)
        except ValueError:
            pass
    before, colon, last = entry.lower().rpartition(":")
    if colon and last.isdigit():
        if int(last) != port:
            return False
        name = before.strip("[]")
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith("." + name))
