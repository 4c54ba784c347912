"""Why a connection did not come about or broke, for the person who can mend it. Pure but for the time of day.

    <which end>: <what is wrong, which file or key>; <what to do> (<the library's own words>)

One place for MQTT 5, MQTT 3.1.1, InfluxDB and serial ports over the network. What an error means
is in its errno, its certificate verification code (X509_V_ERR_*) or its TLS alert; the texts of
the libraries differ from version to version and are only repeated, in parentheses.

A TLS 1.3 server tells a client only after the handshake that it wants (another) certificate, and
closes; whoever writes meanwhile may see a reset instead of the alert. So a reset under TLS before
the first answer is said to be one of the two.

Source: OpenSSL 3.0 x509_vfy.h, sslerr.h; RFC 8446, 6.2 alerts; errno(3); getaddrinfo(3).
"""

import errno
import os
import re
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple

from gateway.clock import SystemClock
from gateway.network.tls import TlsFiles, expired_authority

_EXPIRED, _NOT_YET = 10, 9
_OTHER_NAME = (62, 64)  # host name, IP address
_REVOKED, _PURPOSE = 23, 26
_WEAK = (66, 67, 68)

_NO_TLS = {
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "UNKNOWN_PROTOCOL",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "UNEXPECTED_MESSAGE",
}
_TOO_OLD = {
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNSUPPORTED_PROTOCOL",
    "WRONG_SSL_VERSION",
    "NO_PROTOCOLS_AVAILABLE",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY",
    "DH_KEY_TOO_SMALL",
    "NO_SHARED_CIPHER",
}
_OURS = {
    "TLSV1_ALERT_UNKNOWN_CA": "does not know the authority that signed",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "says that the time is over of",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "says that it was revoked:",
    "SSLV3_ALERT_BAD_CERTIFICATE": "refuses",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "refuses",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "cannot use",
    "TLSV1_ALERT_ACCESS_DENIED": "does not let in",
    "TLSV1_ALERT_DECRYPT_ERROR": "refuses",
}
"""Alerts about the client's certificate: what the server does with it."""

_WANTED = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
_ERRNO = re.compile(r"\[Errno (\d+)\]")
_REASON = re.compile(r"\[SSL: ([A-Z0-9_]+)\]")


class Far(NamedTuple):
    """The far end of a connection: what it is for people ("the broker"), its host, what names it in the
    configuration ("influxdb.url"), and how an address without and with TLS begins there."""

    what: str
    host: str
    key: str
    plain: str = ""
    secure: str = ""
    tls: TlsFiles | None = None
    """The files of a connection with TLS; None where there is none."""


def in_words(error: BaseException, far: Far, *, answered: bool = False) -> str:
    """What went wrong and what to do. `answered`: the far end had spoken before."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(error.verify_code, error.verify_message.rstrip("."), far)
    if isinstance(error, ssl.SSLError):
        return about_tls(error.reason or "", str(error), far)
    if isinstance(error, socket.gaierror):
        return _name(error, far)
    return _system(error, far, answered)


def about_tls(reason: str, words: str, far: Far) -> str:
    """A TLS fault that is not about the far end's certificate. `words` are the library's own; where
    `reason` is not known it is looked for in them."""
    reason = reason or (found[1] if (found := _REASON.search(words)) else "")
    own = f" ({reason.replace('_', ' ').lower()})" if reason else f" ({words})"
    files = far.tls or TlsFiles(None, None, None)
    pair = f"{files.cert_key} and {files.key_key}"
    if reason in _NO_TLS:
        plain = f"; use {far.plain} or the port for TLS" if far.plain else ""
        return f"{far.what} speaks no TLS on this port{plain}{own}"
    if reason in _TOO_OLD:
        return f"{far.what} and this gateway have no version or cipher of TLS in common; TLS 1.2 or 1.3 is needed{own}"
    if reason == "TLSV1_UNRECOGNIZED_NAME":
        return f"{far.what} has no certificate for {far.host}; {far.key} must name it as its certificate does{own}"
    if reason == _WANTED or (reason in _OURS and files.cert is None):
        return f"{far.what} wants a client certificate; set {pair}{own}"
    if reason in _OURS:
        what = f"{far.what} {_OURS[reason]} the client certificate in {files.cert_key} {files.cert}"
        return f"{what}; {pair} must be what {far.what} accepts{own}"
    if reason == "SSLV3_ALERT_HANDSHAKE_FAILURE":
        wish = f"set {pair} if it wants a client certificate" if files.cert is None else f"see whether it takes {pair}"
        return f"{far.what} broke off the TLS handshake; {wish}{own}"
    if not reason or "EOF" in reason:
        return f"{far.what} closed the connection during the TLS handshake; is it a port for TLS?{own}"
    return f"TLS failed; see whether {far.what} speaks TLS on this port{own}"


def _certificate(code: int, words: str, far: Far) -> str:
    """The far end's certificate does not hold."""
    files = far.tls or TlsFiles(None, None, None)
    whose = f"{far.what}'s certificate"
    if code == _EXPIRED:
        now_s = SystemClock().now_ns() / 1e9
        if expired_authority(files, now_s):
            what = f"an authority in {files.ca_key} {files.ca} has expired; put the new one there"
        else:
            what = f"{whose} has expired; renew it there, or set this machine's clock if that is wrong"
    elif code == _NOT_YET:
        what = f"{whose} is not valid yet; set this machine's clock, or {far.what}'s"
    elif code in _OTHER_NAME:
        what = f"{whose} is for another name; {far.key} must name {far.what} as its certificate does"
    elif code == _REVOKED:
        what = f"{whose} was revoked; renew it there"
    elif code == _PURPOSE:
        what = f"{whose} is not one for servers; make one for TLS servers there"
    elif code in _WEAK:
        what = f"{whose}, or one above it, has too weak a key; renew it there"
    else:
        known = f"in {files.ca_key} {files.ca}" if files.ca is not None else "that this machine knows"
        must = f"{files.ca_key} must name the CA that signed {whose}"
        what = f"{whose} is not of an authority {known}; {must}"
    return f"{what} ({words})"


def _name(error: socket.gaierror, far: Far) -> str:
    if error.errno == socket.EAI_AGAIN:
        return f"host name {far.host!r} cannot be looked up now; check the network and its DNS{_own(error)}"
    return f"unknown host name {far.host!r}; correct {far.key}{_own(error)}"


_SYSTEM: dict[int, Callable[[Far], str]] = {
    errno.ECONNREFUSED: lambda far: f"nothing listens there; start {far.what} or correct {far.key}",
    errno.ETIMEDOUT: lambda far: f"no answer; check the network and whether {far.what} is switched on",
    errno.EHOSTUNREACH: lambda far: f"there is no way to it; check the network and {far.key}",
    errno.ENETUNREACH: lambda far: f"there is no way to its network; check the network and {far.key}",
    errno.ENETDOWN: lambda _: "the network is down here; check cable, interface and address",
    errno.EADDRNOTAVAIL: lambda _: "this machine has no address or port left for it; check its network",
    errno.EMFILE: lambda _: "this gateway has too many files open; raise its limit (ulimit -n)",
    errno.ENFILE: lambda _: "this machine has too many files open; raise its limit (fs.file-max)",
    errno.EACCES: lambda _: "this machine does not let it out; check its firewall",
    errno.EPERM: lambda _: "this machine does not let it out; check its firewall",
}


_KINDS: dict[type[OSError], int] = {ConnectionRefusedError: errno.ECONNREFUSED, TimeoutError: errno.ETIMEDOUT}


def _system(error: BaseException, far: Far, answered: bool) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code is None and (found := _ERRNO.search(str(error))):
        code = int(found[1])  # asyncio joins the errors of several addresses of one name
    if code is None:
        code = next((each for kind, each in _KINDS.items() if isinstance(error, kind)), None)
    if code in (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED) and not answered:
        if far.tls is not None and far.tls.cert is None:
            hint = f"; is it a port for TLS, and does it want a client certificate ({far.tls.cert_key})?"
        elif far.tls is not None:
            hint = f"; is it a port for TLS, and does it accept the certificate in {far.tls.cert_key}?"
        else:
            hint = f"; is it a port for TLS? then {far.secure}" if far.secure else ""
        return f"{far.what} cut the connection{hint}{_own(error)}"
    if code in _SYSTEM:
        return _SYSTEM[code](far) + _own(error)
    return f"the connection broke{_own(error)}"


def _own(error: BaseException) -> str:
    """The system's own words, in parentheses."""
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return f" ({os.strerror(error.errno).lower()})"
    text = str(error.strerror or error) if isinstance(error, OSError) else str(error)
    return f" ({text.lower()})" if text else ""
