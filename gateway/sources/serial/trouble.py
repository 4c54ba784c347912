"""Why a serial port cannot be used, said to the person who can mend it.

Pure but for looking at the port, its owner, and who runs the gateway: an exception of
`serialx` or of the operating system becomes one line that says what is wrong with which
port and what to do about it. No exception here: where the owner cannot be read, the line
is only less precise. What ails a port over the network is said in the words of every
connection (gateway/network). POSIX words (user, group, by-id) are left out on Windows.
"""

import errno
import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import serialx

from gateway.config import USB
from gateway.network import Far, in_words

_OTHER_SETTINGS = "correct baud or parity, or use an adapter that has them"

BY_ID = Path("/dev/serial/by-id")

# The far side of a cable or of a network is there again later; none of these ends the source.
PORT_ERRORS = (OSError, serialx.SerialException, ValueError)

_GONE = {errno.ENXIO, errno.ENODEV, errno.EIO}
_NOT_A_PORT = {errno.ENOTTY, errno.EISDIR, errno.EPERM}


def is_url(port: str) -> bool:
    """Whether `port` is a URL (socket://, rfc2217://) rather than a path or a COM name."""
    return "://" in port


def missing(error: Exception) -> bool:
    """Whether the port is simply not there (yet)."""
    return isinstance(error, FileNotFoundError)


def trouble(port: str, error: Exception, framing: str = "these settings") -> str:
    """One line: what is wrong with `port`, and what to do. `framing` is how it was to be opened."""
    if is_url(port):
        return _network_trouble(port, error)
    code = error.errno if isinstance(error, OSError) else None
    if missing(error):
        return f"{not_there(port)}; waiting for it"
    if isinstance(error, PermissionError) and code == errno.EACCES:
        return f"permission denied on {port}; {permission(port)}"
    if code in (errno.EBUSY, errno.EAGAIN):
        return f"{port} is in use by another program; find it with `fuser -v {port}` and stop it"
    if code in _GONE:
        return f"{port} went away (unplugged?); waiting for it"
    if isinstance(error, serialx.UnsupportedSetting):
        return f"{port} does not take {framing} ({error}); {_OTHER_SETTINGS}"
    if code == errno.EINVAL or (code == errno.ENOTTY and _is_terminal(port)):  # what is none says ENOTTY to all
        return f"{port} does not take {framing} ({os.strerror(code)}); {_OTHER_SETTINGS}"
    if code in _NOT_A_PORT:
        return f"{port} is not a serial port ({os.strerror(code)}); correct the name"
    return f"{port}: {error or type(error).__name__}"


def not_there(port: str) -> str:
    """What to do about a port that is not there."""
    if port.startswith(USB):
        return f"nothing plugged in is {port}; plug it in, or see what is there: parkgate serial ports"
    return f"no port {port}; plug the device in or correct the name ({_present()})"


def _network_trouble(port: str, error: Exception) -> str:
    if isinstance(error, socket.gaierror | ConnectionRefusedError | TimeoutError) or (
        isinstance(error, OSError) and error.errno
    ):
        host = urlsplit(port).hostname or ""
        return f"{port}: {in_words(error, Far('the serial server', host, 'host and port'), answered=True)}"
    if isinstance(error, ValueError):
        return f"{port}: not a usable address ({error}); expected scheme://host:port"
    return f"{port}: {error or 'the far side closed the connection'}"


def _is_terminal(port: str) -> bool:
    """Whether it is a terminal all the same, whose driver does not know what was asked of it."""
    try:
        opened = os.open(port, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOCTTY", 0))
    except (OSError, ValueError, AttributeError):
        return False
    try:
        return os.isatty(opened)
    finally:
        os.close(opened)


def _present() -> str:
    try:
        found = sorted(entry.name for entry in BY_ID.iterdir())
    except OSError:
        found = []
    if not found:
        return "no USB serial port is plugged in"
    more = "" if len(found) <= 4 else f" and {len(found) - 4} more"
    return f"in {BY_ID} there is {', '.join(found[:4])}{more}"


def permission(port: str) -> str:
    """Why this user may not use a port that is there, and what to do about it."""
    if sys.platform == "win32":
        return "is it open in another program?"
    import grp
    import pwd

    try:
        owner = Path(port).stat()
        group = grp.getgrgid(owner.st_gid).gr_name
        user = pwd.getpwuid(os.geteuid()).pw_name
    except (OSError, KeyError):
        return "let the gateway's user read and write it"
    if owner.st_mode & 0o060 != 0o060:
        return f"its mode is {owner.st_mode & 0o777:03o}; a udev rule must give group {group} read and write"
    if owner.st_gid in (*os.getgroups(), os.getegid()):
        return f"although user {user} is in group {group}; is a container or a sandbox between?"
    return f"user {user} is not in group {group}: `sudo usermod -aG {group} {user}`, then log in again"
