"""Who may ask the API: on loopback everybody who asks for it there, elsewhere who has the token.

`listen`   `api_token`   answer
loopback   none          200, but only under a name of loopback: a page of the internet whose name
                         was made to lead to 127.0.0.1 (DNS rebinding) sends its own name as Host
any        set           200 with `Authorization: Bearer TOKEN`, 401 without
other      none          403, which says what to set

In each case 403 to a browser that asks on behalf of another site (Origin, Sec-Fetch-Site).
"""

import hmac
import ipaddress
import re

from aiohttp import web

from gateway.web.answer import error

KEY = 'api_token = "${PARKGATE_API_TOKEN}" in [gateway]'

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::[0-9]+)?")


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def no_token(listen: str) -> str:
    """Why the API answers nobody at `listen` while it has no token, and what to set."""
    return (
        f"listen = {listen!r} is not loopback, so the API answers nobody, here neither, until it has a token: set {KEY}"
    )


class Guard:
    def __init__(self, listen: str, token: str | None) -> None:
        self._listen = listen
        self._local = is_loopback(listen.rpartition(":")[0])
        self._token = None if token is None else token.encode()

    def refusal(self, request: web.Request) -> web.Response | None:
        """None for who may ask."""
        host = request.headers.get("Host", "")
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if site in ("cross-site", "same-site") or (origin is not None and origin.rpartition("://")[2] != host):
            return error(403, "asked for by a page of another site; the API answers its own host only")
        if self._token is not None:
            return self._check_token(self._token, request.headers.get("Authorization", ""))
        if not self._local:
            return error(403, f"{no_token(self._listen)} and send it as a bearer token")
        if host and not is_loopback(_name(host)):
            return error(
                403,
                f"asked for as {host[:100]!r}: without a token the API answers as localhost or 127.0.0.1; set {KEY}",
            )
        return None

    def _check_token(self, token: bytes, header: str) -> web.Response | None:
        scheme, _, given = header.partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token):
            return None
        words = (
            "the token is not that of [gateway] api_token" if header else "send Authorization: Bearer, and the token"
        )
        return error(401, words, {"WWW-Authenticate": 'Bearer realm="parkgate"'})


def _name(host: str) -> str:
    """A Host header without its port."""
    found = _HOST.fullmatch(host)
    return "" if found is None else found[1]
