"""Serial ports behind a network: socket:// and rfc2217://, and what is said when they fail."""

import asyncio
import errno
import grp
import pwd
import socket
from pathlib import Path

import pytest
import serialx

from gateway.sources.serial.trouble import trouble
from tests.gateway.ports import FRAME_08, FRAME_09, VALUES_08, VALUES_09, running

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
BINARY, COM_PORT = 0, 44


class Server:
    """A TCP server on loopback that keeps its clients' writers."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.received = b""
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self.serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while data := await reader.read(1000):
            self.received += data

    def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self.writers:
            writer.close()
        self.writers.clear()


class TelnetServer(Server):
    """The smallest RFC 2217 access server: agrees to everything and repeats every setting."""

    def __init__(self) -> None:
        super().__init__()
        self.settings: dict[int, bytes] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while True:
                await self._command(reader, writer)
        except asyncio.IncompleteReadError:
            return

    async def _command(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(1) != bytes((IAC,)):
            return
        verb = (await reader.readexactly(1))[0]
        if verb == SB:
            body = (await reader.readuntil(bytes((IAC, SE))))[:-2]
            if body[0] == COM_PORT:
                self.settings[body[1]] = body[2:]
                writer.write(bytes((IAC, SB, COM_PORT, body[1] + 100)) + body[2:] + bytes((IAC, SE)))
            return
        option = (await reader.readexactly(1))[0]
        agreed = option in (BINARY, COM_PORT)
        if verb == WILL:
            writer.write(bytes((IAC, DO if agreed else DONT, option)))
        elif verb == DO:
            writer.write(bytes((IAC, WILL if agreed else WONT, option)))


async def test_socket_url_reads_and_comes_back() -> None:
    server = Server()
    await server.start()
    port = server.port
    async with running(f"socket://127.0.0.1:{port}") as run:
        await run.until(lambda: server.writers)
        server.writers[0].write(FRAME_09 + FRAME_08[:5])
        await run.until(lambda: len(run.intake.raw) == 15)
        server.stop()
        await run.until(lambda: run.intake.closings == 1)
        await run.until(lambda: "nothing listens there" in run.stats.state)
        await server.start(port)
        await run.until(lambda: server.writers)
        server.writers[0].write(FRAME_08)
        await run.until(lambda: len(run.intake.values) == 2)
    assert run.intake.values == [VALUES_09, VALUES_08]
    assert run.intake.noise == FRAME_08[:5]
    server.stop()


async def test_rfc2217_sets_the_far_port_up_and_unescapes() -> None:
    server = TelnetServer()
    await server.start()
    frame = bytes.fromhex("aac00900090058ff69ab")
    async with running(f"rfc2217://127.0.0.1:{server.port}") as run:
        await run.connected()
        assert server.settings[1] == bytes.fromhex("00002580")  # 9600 baud
        assert server.settings[2] == b"\x08"
        assert server.settings[3] == b"\x01"  # no parity
        assert server.settings[4] == b"\x01"  # one stop bit
        server.writers[0].write(frame.replace(b"\xff", b"\xff\xff"))
        await run.until(lambda: run.intake.values)
    assert run.intake.values == [{"pm2_5_ug_m3": 0.9, "pm10_ug_m3": 0.9, "device_id": "58FF"}]
    server.stop()


async def test_an_rfc2217_server_that_refuses_is_said() -> None:
    class Refusing(TelnetServer):
        async def _command(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            _, verb, option = await reader.readexactly(3)
            writer.write(bytes((IAC, DONT if verb == WILL else WONT, option)))

    server = Refusing()
    await server.start()
    async with running(f"rfc2217://127.0.0.1:{server.port}") as run:
        await run.until(lambda: run.stats.state.startswith("down"))
        assert run.stats.state == f"down: rfc2217://127.0.0.1:{server.port}: Server refused BINARY transmission"
    server.stop()


def test_network_trouble_says_what_to_do() -> None:
    assert trouble("socket://10.0.0.9:4001", ConnectionRefusedError(111, "refused")) == (
        "socket://10.0.0.9:4001: nothing listens there; start the serial server or correct host and port "
        "(connection refused)"
    )
    assert trouble("socket://10.0.0.9:4001", TimeoutError()) == (
        "socket://10.0.0.9:4001: no answer; check the network and whether the serial server is switched on"
    )
    assert trouble("socket://nowhere:4001", socket.gaierror(-2, "Name or service not known")) == (
        "socket://nowhere:4001: unknown host name 'nowhere'; correct host and port (name or service not known)"
    )


def test_port_trouble_says_what_to_do() -> None:
    assert trouble("/dev/ttyUSB0", OSError(errno.EIO, "I/O error")) == (
        "/dev/ttyUSB0 went away (unplugged?); waiting for it"
    )
    assert trouble("/dev/ttyUSB0", serialx.UnsupportedSetting("Unsupported baudrate 12345")) == (
        "/dev/ttyUSB0 does not take these settings (Unsupported baudrate 12345); "
        "correct baud or parity, or use an adapter that has them"
    )
    assert trouble("/dev/ttyUSB0", OSError(errno.EBUSY, "busy")) == (
        "/dev/ttyUSB0 is in use by another program; find it with `fuser -v /dev/ttyUSB0` and stop it"
    )


def test_permission_trouble_names_user_and_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = tmp_path / "ttyUSB0"
    port.touch()
    port.chmod(0o660)
    denied = PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr(grp, "getgrgid", lambda _gid: grp.struct_group(("dialout", "x", 20, [])))
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: pwd.struct_passwd(("ada", "x", 1000, 1000, "", "/", "/bin/sh")))
    monkeypatch.setattr("os.getgroups", lambda: [1000])
    monkeypatch.setattr("os.getegid", lambda: 1000)
    assert trouble(str(port), denied) == (
        f"permission denied on {port}; user ada is not in group dialout: "
        "`sudo usermod -aG dialout ada`, then log in again"
    )
    port.chmod(0o600)
    assert trouble(str(port), denied) == (
        f"permission denied on {port}; its mode is 600; a udev rule must give group dialout read and write"
    )


async def test_a_denied_port_is_kept_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    async def denied(*_args: object, **_settings: object) -> None:
        nonlocal tries
        tries += 1
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(serialx, "create_serial_connection", denied)
    async with running("/dev/null") as run:
        await run.until(lambda: tries >= 3)
        assert run.stats.state.startswith("down: permission denied on /dev/null; ")
