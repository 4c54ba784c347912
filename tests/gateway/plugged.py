"""A machine's USB serial ports, made up: the folders of sysfs and of /dev that say what is plugged in."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from serialx.platforms import serial_linux

from gateway.sources.serial import listing


@dataclass
class Machine:
    """`plug` makes a port that leads to `target`, `unplug` takes it away."""

    root: Path

    @property
    def dev(self) -> Path:
        return self.root / "dev"

    def plug(
        self,
        tty: str,
        target: str | Path,
        *,
        serial: str | None = "A50285BI",
        maker: str = "FTDI",
        product: str = "FT232R USB UART",
        ids: tuple[str, str] = ("0403", "6001"),
        interface: str = "00",
        by_id: str | None = None,
    ) -> None:
        """A converter whose port the kernel calls `tty`."""
        usb = self.root / "sys" / "devices" / f"usb-of-{tty}"
        port = usb / "interface" / tty
        for folder in (port, self.root / "bus" / "usb-serial", self.root / "drivers" / "ftdi_sio", self.dev):
            folder.mkdir(parents=True, exist_ok=True)
        texts = {"idVendor": ids[0], "idProduct": ids[1], "bcdDevice": "0600", "manufacturer": maker}
        for name, text in {**texts, "product": product, **({} if serial is None else {"serial": serial})}.items():
            (usb / name).write_text(f"{text}\n")
        (usb / "interface" / "bInterfaceNumber").write_text(f"{interface}\n")
        (port / "port_number").write_text("0\n")
        (port / "subsystem").symlink_to(self.root / "bus" / "usb-serial")
        (port / "driver").symlink_to(self.root / "drivers" / "ftdi_sio")
        tty_class = self.root / "sys" / "class" / "tty" / tty
        tty_class.mkdir(parents=True)
        (tty_class / "device").symlink_to(port)
        (self.dev / tty).symlink_to(target)
        if by_id is not None:
            links = self.dev / "serial" / "by-id"
            links.mkdir(parents=True, exist_ok=True)
            (links / by_id).symlink_to(self.dev / tty)

    def unplug(self, tty: str) -> None:
        folder = self.root / "sys" / "class" / "tty" / tty
        (folder / "device").unlink()
        folder.rmdir()
        (self.dev / tty).unlink()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with nothing plugged in."""
    made = Machine(tmp_path.resolve() / "machine")
    (made.root / "sys" / "class" / "tty").mkdir(parents=True)
    monkeypatch.setattr(serial_linux, "SYS_ROOT", made.root / "sys")
    monkeypatch.setattr(serial_linux, "DEV_ROOT", made.dev)
    monkeypatch.setattr(listing, "_SYS_TTY", made.root / "sys" / "class" / "tty")
    return made
