"""What the log says of TLS towards a broker: which end, which file, what to do; with both protocols."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.authority import Authority
from tests.gateway.mqtt_room import running
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import BrokerTls, Mosquitto

Start = Callable[..., Mosquitto]
both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), "parkgate-test")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"), "stranger")


def guarded(authority: Authority) -> BrokerTls:
    """A broker that wants client certificates."""
    return BrokerTls(authority.certificate, *authority.issue("broker", "IP:127.0.0.1"), require_certificate=True)


async def said(url: str, words: str, **settings: Any) -> None:
    """The broker's state shows `words`, nothing was ever connected, and no line is OpenSSL's own."""
    log = _Lines()
    logging.getLogger().addHandler(log)
    try:
        await _said(url, words, **settings)
    finally:
        logging.getLogger().removeHandler(log)
    assert not any("_ssl.c" in line for line in log.lines)


class _Lines(logging.Handler):
    """Every line of the log, whoever wrote it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


async def _said(url: str, words: str, **settings: Any) -> None:
    async with running(url, "a/#", **settings) as room:
        await room.says(f"down: 127.0.0.1:{url.rpartition(':')[2]}: {words}")
        assert room.stats.connects == 0
        assert not any("_ssl.c" in state for state in room.stats.said)


@both
async def test_an_expired_certificate_does_not_blame_ca_file(
    start_mosquitto: Start, authority: Authority, protocol: str
) -> None:
    old = authority.issue("old", "IP:127.0.0.1", days=-1)
    broker = start_mosquitto(tls=BrokerTls(authority.certificate, *old))
    await said(
        broker.url,
        "the broker's certificate has expired; renew it there, or set this machine's clock if that is wrong "
        "(certificate has expired)",
        protocol=protocol,
        ca_file=authority.certificate,
    )


@both
async def test_an_unknown_authority_names_ca_file(
    start_mosquitto: Start, authority: Authority, stranger: Authority, protocol: str
) -> None:
    broker = start_mosquitto(tls=BrokerTls(authority.certificate, *authority.issue("known", "IP:127.0.0.1")))
    await said(
        broker.url,
        "the broker's certificate is not of an authority that this machine knows; ca_file must name the CA that "
        "signed the broker's certificate (self-signed certificate in certificate chain)",
        protocol=protocol,
    )
    await said(
        broker.url,
        f"the broker's certificate is not of an authority in ca_file {stranger.certificate}; ca_file must name the CA",
        protocol=protocol,
        ca_file=stranger.certificate,
    )


@both
async def test_another_name_in_the_certificate_names_the_url(
    start_mosquitto: Start, authority: Authority, protocol: str
) -> None:
    elsewhere = authority.issue("elsewhere", "DNS:elsewhere.example")
    broker = start_mosquitto(tls=BrokerTls(authority.certificate, *elsewhere))
    await said(
        broker.url,
        "the broker's certificate is for another name; the url must name the broker as its certificate does",
        protocol=protocol,
        ca_file=authority.certificate,
    )


@both
async def test_a_client_certificate_that_the_broker_wants_is_no_protocol_error(
    start_mosquitto: Start, authority: Authority, protocol: str
) -> None:
    broker = start_mosquitto(tls=guarded(authority))
    await said(
        broker.url,
        "the broker wants a client certificate; set cert_file and key_file (tlsv13 alert certificate required)",
        protocol=protocol,
        ca_file=authority.certificate,
    )


@both
async def test_a_client_certificate_that_the_broker_does_not_take_is_named(
    start_mosquitto: Start, authority: Authority, stranger: Authority, protocol: str
) -> None:
    broker = start_mosquitto(tls=guarded(authority))
    for (cert, key), does in (
        (stranger.issue(f"unknown-{protocol}", "DNS:gateway"), "does not know the authority that signed"),
        (authority.issue(f"late-{protocol}", "DNS:gateway", days=-1), "says that the time is over of"),
    ):
        await said(
            broker.url,
            f"the broker {does} the client certificate in cert_file {cert}; cert_file and key_file must be what "
            "the broker accepts",
            protocol=protocol,
            ca_file=authority.certificate,
            cert_file=cert,
            key_file=key,
        )


@both
async def test_a_key_that_does_not_fit_its_certificate_is_named(authority: Authority, protocol: str) -> None:
    cert, _ = authority.issue(f"one-{protocol}", "DNS:gateway")
    _, key = authority.issue(f"two-{protocol}", "DNS:gateway")
    files: dict[str, Any] = {"cert_file": cert, "key_file": key}
    async with running("mqtts://127.0.0.1:1", "a/#", protocol=protocol, **files) as room:
        await room.says(
            f"down: key_file {key}: this key does not belong to the certificate in cert_file {cert} "
            "(KEY_VALUES_MISMATCH); expected a PEM file of the certificate's key, not encrypted"
        )


@both
async def test_a_certificate_in_der_is_named(authority: Authority, protocol: str, tmp_path: Path) -> None:
    der = tmp_path / "ca.der"
    der.write_bytes(bytes.fromhex("308201223081"))
    async with running("mqtts://127.0.0.1:1", "a/#", protocol=protocol, ca_file=der) as room:
        await room.says(
            f"down: ca_file {der}: a certificate in DER, not PEM (openssl x509 -inform der -in ca.der -out ca.pem)"
        )


@both
async def test_tls_to_a_plain_port(
    start_mosquitto: Start, influxd: Influxd, authority: Authority, protocol: str
) -> None:
    """mosquitto cuts the connection; an HTTP server answers in plain text."""
    settings: dict[str, Any] = {"protocol": protocol, "ca_file": authority.certificate}
    plain = start_mosquitto()
    await said(plain.url.replace("mqtt:", "mqtts:"), "the broker c", **settings)
    words = "the broker speaks no TLS on this port; use mqtt:// or the port for TLS (wrong version number)"
    await said(influxd.url.replace("http:", "mqtts:"), words, **settings)


@both
async def test_plain_mqtt_to_a_port_for_tls(start_mosquitto: Start, authority: Authority, protocol: str) -> None:
    broker = start_mosquitto(tls=BrokerTls(authority.certificate, *authority.issue("plain", "IP:127.0.0.1")))
    async with running(broker.url.replace("mqtts:", "mqtt:"), "a/#", protocol=protocol) as room:
        await room.says("for TLS")
        assert "mqtts://" in room.stats.said[-1]
        assert room.stats.connects == 0


@both
async def test_an_unknown_host_name_and_a_refused_connection(protocol: str) -> None:
    async with running("mqtt://no-such-host.invalid:1883", "a/#", protocol=protocol) as room:
        await room.says("down: no-such-host.invalid:1883: unknown host name 'no-such-host.invalid'; correct the url (")
    async with running("mqtt://127.0.0.1:1", "a/#", protocol=protocol) as room:
        await room.says(
            "down: 127.0.0.1:1: nothing listens there; start the broker or correct the url (connection refused)"
        )


@both
async def test_a_renewed_certificate_needs_no_restart(
    start_mosquitto: Start, authority: Authority, protocol: str, tmp_path: Path
) -> None:
    broker = start_mosquitto(tls=guarded(authority))
    cert, key = tmp_path / "gateway.pem", tmp_path / "gateway.key"
    for source, target in zip(authority.issue(f"past-{protocol}", "DNS:gateway", days=-1), (cert, key), strict=True):
        shutil.copy(source, target)
    files: dict[str, Any] = {"ca_file": authority.certificate, "cert_file": cert, "key_file": key}
    async with running(broker.url, "a/#", protocol=protocol, **files) as room:
        await room.says("says that the time is over of the client certificate")
        for source, target in zip(authority.issue(f"new-{protocol}", "DNS:gateway"), (cert, key), strict=True):
            shutil.copy(source, target)
        room.source.reconnect("renewed")
        await room.up()
