"""MQTT over TLS against a real mosquitto, with a certificate authority of the tests' own."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.gateway.authority import Authority
from tests.gateway.mqtt_room import running, until
from tests.servers.mosquitto import BrokerTls, Mosquitto

Start = Callable[..., Mosquitto]
both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), "parkgate-test")


@pytest.fixture(scope="module")
def server(authority: Authority) -> BrokerTls:
    return BrokerTls(authority.certificate, *authority.issue("broker", "IP:127.0.0.1"))


@both
async def test_messages_over_tls(start_mosquitto: Start, server: BrokerTls, protocol: str) -> None:
    broker = start_mosquitto(tls=server)
    async with running(broker.url, "a/#", protocol=protocol, ca_file=server.ca_file) as room:
        await room.up()
        payloads = [b"%d" % number * 2000 for number in range(3)]
        await publish(broker.url, server, payloads)
        await room.got(3)
        assert room.intake.payloads == payloads
        room.intake.acknowledge()
        room.source.reconnect("once more")
        await until(lambda: room.stats.connects == 2 and room.source.subscribed)
        assert len(room.intake.messages) == 3


async def publish(url: str, server: BrokerTls, payloads: list[bytes]) -> None:
    port = int(url.rpartition(":")[2])
    context = ssl.create_default_context(cafile=server.ca_file)
    async with aiomqtt.Client("127.0.0.1", port, tls_context=context) as client:
        for payload in payloads:
            await client.publish("a/b", payload, qos=1)


@both
async def test_a_client_certificate(
    start_mosquitto: Start, authority: Authority, server: BrokerTls, protocol: str
) -> None:
    broker = start_mosquitto(tls=BrokerTls(server.ca_file, server.cert_file, server.key_file, require_certificate=True))
    certificate, key = authority.issue(f"gateway-{protocol}", "DNS:gateway")
    with_it: dict[str, Any] = {"ca_file": server.ca_file, "cert_file": certificate, "key_file": key}
    async with running(broker.url, "a/#", protocol=protocol, **with_it) as room:
        await room.up()


async def test_a_missing_client_certificate_is_named(start_mosquitto: Start, server: BrokerTls) -> None:
    broker = start_mosquitto(tls=BrokerTls(server.ca_file, server.cert_file, server.key_file, require_certificate=True))
    async with running(broker.url, "a/#", ca_file=server.ca_file) as room:
        await room.says("certificate required")
        assert room.stats.connects == 0


async def test_an_unknown_authority_is_named(start_mosquitto: Start, server: BrokerTls) -> None:
    broker = start_mosquitto(tls=server)
    async with running(broker.url, "a/#") as room:
        await room.says("ca_file must name the CA that signed the broker's certificate")
        assert "(self-signed certificate in certificate chain)" in room.stats.state


async def test_another_hosts_certificate_is_refused(start_mosquitto: Start, authority: Authority) -> None:
    certificate, key = authority.issue("elsewhere", "DNS:elsewhere.example")
    broker = start_mosquitto(tls=BrokerTls(authority.certificate, certificate, key))
    async with running(broker.url, "a/#", ca_file=authority.certificate) as room:
        await room.says(
            "the broker's certificate is for another name; the url must name the broker as its certificate does "
            "(IP address mismatch, certificate is not valid for '127.0.0.1')"
        )


async def test_a_port_without_tls_is_named(start_mosquitto: Start, authority: Authority) -> None:
    broker = start_mosquitto()
    async with running(broker.url.replace("mqtt:", "mqtts:"), "a/#", ca_file=authority.certificate) as room:
        await room.says("down: ")
        assert room.stats.connects == 0


@both
async def test_files_that_are_missing_or_wrong_are_named(protocol: str, tmp_path: Path) -> None:
    url = "mqtts://127.0.0.1:1"
    missing = tmp_path / "missing.pem"
    async with running(url, "a/#", protocol=protocol, ca_file=missing) as room:
        await room.says(f"down: ca_file {missing}: No such file or directory")
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("not PEM")
    async with running(url, "a/#", protocol=protocol, ca_file=wrong) as room:
        await room.says(f"down: ca_file {wrong}: not a usable PEM file")
    async with running(url, "a/#", protocol=protocol, cert_file=missing, key_file=wrong) as room:
        await room.says(f"down: cert_file {missing}: No such file or directory; expected a PEM file of a certificate")
