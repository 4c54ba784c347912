"""The serial ports that are there: what is plugged in, who holds it, and whether it may be used.

    by-id name, maker, product, serial number, interface     sysfs, by way of serialx
    driver                                                   /sys/class/tty/<name>/device/driver
    held by                                                  open files in /proc, and locks in /proc/locks

No port is opened: that would restart many boards. Of other users' processes an open file is seen by root only, a lock
(which whoever opens exclusively holds, as this gateway does) by everybody. Elsewhere than on Linux there is neither.
Source: proc(5), tty_ioctl(4), Documentation/ABI/testing/sysfs-bus-usb of Linux.
"""

import errno
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import serialx

from gateway.config import USB, UsbPort
from gateway.sources.serial.trouble import is_url, not_there, permission

_SYS_TTY = Path("/sys/class/tty")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Present:
    """A port. `name` is the most stable one there is (its by-id link), `path` what the kernel calls it now; `usb` is
    None where it is no USB port. `holders` are programs with their process ids; `refused` says why it may not be
    used and what to do about it, empty where it may."""

    name: str
    path: str
    usb: UsbPort | None
    driver: str
    holders: tuple[str, ...]
    refused: str

    @property
    def stable(self) -> str:
        """The shortest name that says what is plugged in, wherever it is."""
        usb = self.usb
        if usb is None or usb.serial is None:
            return self.name
        return str(UsbPort(serial=usb.serial, interface=usb.interface))


def present() -> list[Present]:
    """All ports, by name."""
    ports = sorted(serialx.list_serial_ports(), key=lambda port: port.device)
    held = _held([port.resolved_device for port in ports])
    return [
        Present(
            name=port.device,
            path=port.resolved_device,
            usb=_usb(port),
            driver=_driver(port.resolved_device),
            holders=tuple(held.get(port.resolved_device, ())),
            refused="" if os.access(port.resolved_device, os.R_OK | os.W_OK) else permission(port.resolved_device),
        )
        for port in ports
    ]


class SeveralPorts(OSError):
    """More than one port is what a name means."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(
            f"{len(paths)} ports are that, {' and '.join(paths)}: name the serial number or the interface, too"
        )


def located(name: str) -> Path:
    """Where a port is now that is named by what is plugged in. FileNotFoundError, or SeveralPorts."""
    wanted = UsbPort.of(name)
    found = [
        port.resolved_device
        for port in serialx.list_serial_ports()
        if (usb := _usb(port)) is not None and wanted.agrees(usb)
    ]
    if not found:
        raise FileNotFoundError(errno.ENOENT, "nothing plugged in is that", name)
    if len(found) > 1:
        raise SeveralPorts(sorted(found))
    return Path(found[0])


def absent(port: str) -> str | None:
    """What to do about `port` where there is none of that name at this moment; None where there is one, or where that
    shows only when it is opened (a network, Windows)."""
    if is_url(port) or sys.platform == "win32":
        return None
    try:
        path = located(port) if is_usb(port) else Path(port)
    except FileNotFoundError:
        return not_there(port)
    except SeveralPorts:
        return None
    return None if path.exists() else f"{not_there(port)}; `parkgate serial ports` lists those that are there"


def is_usb(name: str) -> bool:
    """Whether a port is named by what is plugged in."""
    return name.startswith(USB)


def _usb(port: serialx.SerialPortInfo) -> UsbPort | None:
    if port.vid is None or port.pid is None:
        return None
    interface = None if port.interface_num is None else f"{port.interface_num:02x}"
    return UsbPort(
        id=f"{port.vid:04x}:{port.pid:04x}",
        maker=_word(port.manufacturer),
        product=_word(port.product),
        serial=_word(port.serial_number),
        interface=interface,
    )


def _word(text: str | None) -> str | None:
    return text.strip() or None if text is not None else None


def _driver(path: str) -> str:
    try:
        return (_SYS_TTY / Path(path).name / "device" / "driver").resolve(strict=True).name
    except OSError:
        return ""


def _held(paths: list[str]) -> dict[str, list[str]]:
    """Who has each of `paths` open, as far as this user can see."""
    devices: dict[tuple[int, int, int], str] = {}
    numbers: dict[int, str] = {}
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116  # the path is the kernel's own
        except OSError:
            continue
        devices[os.major(status.st_dev), os.minor(status.st_dev), status.st_ino] = path
        if status.st_rdev:
            numbers[status.st_rdev] = path
    found: dict[str, set[int]] = {}
    for process, path in (*_locks(devices), *_opened(numbers)):
        found.setdefault(path, set()).add(process)
    return {path: [_program(process) for process in sorted(processes)] for path, processes in found.items()}


def _locks(devices: dict[tuple[int, int, int], str]) -> Iterator[tuple[int, str]]:
    """Processes that have a lock on one of `devices`: `1: FLOCK ADVISORY WRITE 812 00:05:331 0 EOF`."""
    try:
        lines = (_PROC / "locks").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        words = line.split()
        if len(words) < 6 or words[1] == "->" or not words[4].isdecimal():
            continue
        try:
            major, minor, inode = words[5].split(":")
            path = devices.get((int(major, 16), int(minor, 16), int(inode)))
        except ValueError:
            continue
        if path is not None:
            yield int(words[4]), path


def _opened(numbers: dict[int, str]) -> Iterator[tuple[int, str]]:
    """Processes that have a device with one of these numbers open."""
    if not numbers:
        return
    for process in _entries(_PROC):
        if not process.name.isdecimal():
            continue
        for file in _entries(process / "fd"):
            try:
                number = os.stat(file).st_rdev  # noqa: PTH116  # thousands of them
            except OSError:
                continue
            if number in numbers:
                yield int(process.name), numbers[number]


def _entries(folder: Path) -> list[Path]:
    """What is in a folder; nothing where it may not be read, or is gone."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _program(process: int) -> str:
    try:
        name = (_PROC / str(process) / "comm").read_text().strip()
    except OSError:
        name = "a program"
    return f"{name} (process {process})"
