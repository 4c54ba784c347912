"""A port named by what is plugged in, so that one that comes back as another tty is the same device.

    usb:serial=A50285BI
    usb:maker=FTDI;product=FT232R USB UART;serial=A50285BI
    usb:id=10c4:ea60;interface=01

What is given has to agree as a whole; what is not given may be anything. `id` is vendor and product in hex as `lsusb`
says them, `interface` the number of the interface in hex, which tells the ports of one adapter apart. `parkgate serial
ports` prints the name of each port that is there. Values have no escapes: one with a `;` in it cannot be given.

Source of the words: USB 2.0, 9.6.1 (idVendor, idProduct, iManufacturer, iProduct, iSerialNumber), 9.6.5
(bInterfaceNumber).
"""

import re
from dataclasses import dataclass

USB = "usb:"
_ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_INTERFACE = re.compile(r"[0-9a-f]{2}")
_KEYS = ("id", "maker", "product", "serial", "interface")


@dataclass(frozen=True, slots=True)
class UsbPort:
    """What has to agree; None agrees with anything."""

    id: str | None = None
    maker: str | None = None
    product: str | None = None
    serial: str | None = None
    interface: str | None = None

    @classmethod
    def of(cls, name: str) -> "UsbPort":
        """What a port's name beginning with `usb:` says. ValueError, in words for people, where it says nothing."""
        found: dict[str, str] = {}
        for part in name.removeprefix(USB).split(";"):
            key, equals, value = part.strip().partition("=")
            key, value = key.strip(), value.strip()
            if key not in _KEYS or not equals or not value:
                raise ValueError(f"{USB} and one or more of {', '.join(_KEYS)}, as {USB}serial=A50285BI;interface=00")
            if key in found:
                raise ValueError(f"{key} once only")
            found[key] = value.lower() if key in ("id", "interface") else value
        if not _ID.fullmatch(found.get("id", "0000:0000")):
            raise ValueError("id as lsusb says it, four hex digits each of vendor and product: id=0403:6001")
        if not _INTERFACE.fullmatch(found.get("interface", "00")):
            raise ValueError("interface as two hex digits: interface=00")
        return cls(**found)

    def agrees(self, other: "UsbPort") -> bool:
        """Whether `other`, of which everything is known, is what is meant."""
        return all(getattr(self, key) in (None, getattr(other, key)) for key in _KEYS)

    def __str__(self) -> str:
        return USB + ";".join(f"{key}={value}" for key in _KEYS if (value := getattr(self, key)) is not None)
