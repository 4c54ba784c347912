"""InfluxDB over TLS: a real influxd with certificates of the tests' own, and what is said when one is wrong."""

import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.clock import SystemClock
from gateway.config import InfluxConfig
from gateway.intake import Accept, Batch, Keep
from gateway.sinks.influxdb import InfluxSink
from tests.gateway.authority import Authority
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import BrokerTls, Mosquitto

BATCH = Batch(1, 1, 1, b"air,thing=lamp-1 pm2_5_ug_m3=12.5 1700000000000000000")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), "parkgate-test")


async def answer(url: str, **options: Any) -> Accept | Keep:
    sink = InfluxSink(InfluxConfig(url=url, database="park", **options), SystemClock())
    try:
        return await sink.write(BATCH)
    finally:
        await sink.close()


async def alarm(url: str, **options: Any) -> str:
    """What is said of `url`, after it; it wants a person, and is none of OpenSSL's own lines."""
    kept = await answer(url, **options)
    assert isinstance(kept, Keep)
    assert kept.alarm
    assert "_ssl.c" not in kept.reason
    assert "Operation not permitted" not in kept.reason
    return kept.reason.removeprefix(f"{url}: ")


async def test_points_over_tls_with_the_authority_of_ca_file(
    start_influxd: Callable[..., Influxd], authority: Authority
) -> None:
    server = start_influxd(https=authority.issue("good", "IP:127.0.0.1"))
    assert await answer(server.url, ca_file=authority.certificate) == Accept([])
    assert server.count("park", "air", "pm2_5_ug_m3") == 1
    assert await alarm(server.url) == (
        "InfluxDB's certificate is not of an authority that this machine knows; influxdb.ca_file must name the CA that "
        "signed InfluxDB's certificate (unable to get local issuer certificate)"
    )
    plain = server.url.replace("https:", "http:")
    assert await alarm(plain) == (
        f"{plain}/ping: Client sent an HTTP request to an HTTPS server.; the port is for TLS: https:// in influxdb.url"
    )


async def test_an_expired_certificate_and_one_for_another_name(
    start_influxd: Callable[..., Influxd], authority: Authority
) -> None:
    expired = start_influxd(https=authority.issue("old", "IP:127.0.0.1", days=-1))
    assert await alarm(expired.url, ca_file=authority.certificate) == (
        "InfluxDB's certificate has expired; renew it there, or set this machine's clock if that is wrong "
        "(certificate has expired)"
    )
    other = start_influxd(https=authority.issue("elsewhere", "DNS:elsewhere.example"))
    assert await alarm(other.url, ca_file=authority.certificate) == (
        "InfluxDB's certificate is for another name; influxdb.url must name InfluxDB as its certificate does "
        "(IP address mismatch, certificate is not valid for '127.0.0.1')"
    )


async def test_tls_to_a_port_without_it(influxd: Influxd, start_mosquitto: Callable[..., Mosquitto]) -> None:
    assert await alarm(influxd.url.replace("http:", "https:")) == (
        "InfluxDB speaks no TLS on this port; use http:// or the port for TLS (wrong version number)"
    )
    broker = start_mosquitto()
    kept = await answer(broker.url.replace("mqtt:", "https:"))
    assert isinstance(kept, Keep)
    assert "InfluxDB cut the connection; is it a port for TLS" in kept.reason


async def test_an_unknown_host_name_is_said_to_be_one() -> None:
    kept = await answer("http://no-such-host.invalid:8086")
    assert isinstance(kept, Keep)
    assert kept.reason.startswith(
        "http://no-such-host.invalid:8086: unknown host name 'no-such-host.invalid'; correct influxdb.url ("
    )
    assert "Unknown error" not in kept.reason


async def test_an_authority_of_ca_file_that_has_expired_is_told_from_the_servers(
    start_influxd: Callable[..., Influxd], tmp_path: Path
) -> None:
    """Both answer "certificate has expired"; the file that is to be changed is another one."""
    old = Authority(tmp_path, "old", days=-1)
    server = start_influxd(https=old.issue("good", "IP:127.0.0.1"))
    assert await alarm(server.url, ca_file=old.certificate) == (
        f"an authority in influxdb.ca_file {old.certificate} has expired; put the new one there "
        "(certificate has expired)"
    )


@asynccontextmanager
async def wanting_certificates(authority: Authority) -> AsyncIterator[str]:
    """An address that takes every point, from clients with a certificate of `authority`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.certificate)
    context.load_cert_chain(*authority.issue("guarded", "IP:127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED

    async def take(_: web.Request) -> web.Response:
        return web.Response(status=204, headers={"X-Server-Hostname": "vm"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_client_certificate(authority: Authority, tmp_path: Path) -> None:
    client, ca = authority.issue("client", "DNS:gateway"), {"ca_file": authority.certificate}
    unknown = Authority(tmp_path, "stranger").issue("client", "DNS:gateway")
    async with wanting_certificates(authority) as url:
        assert await answer(url, **ca, client_cert=client[0], client_key=client[1]) == Accept([])
        # asyncio's server closes in silence
        silent = await answer(url, **ca)
        assert isinstance(silent, Keep)
        assert silent.reason == (
            f"{url}: no whole answer: Server disconnected; does it want a client certificate (influxdb.client_cert)?"
        )
        assert await alarm(url, **ca, client_cert=client[0], client_key=unknown[1]) == (
            f"influxdb.client_key {unknown[1]}: this key does not belong to the certificate in influxdb.client_cert "
            f"{client[0]} (KEY_VALUES_MISMATCH); expected a PEM file of the certificate's key, not encrypted"
        )


async def test_a_client_certificate_that_the_server_wants_is_named(
    start_mosquitto: Callable[..., Mosquitto], authority: Authority, tmp_path: Path
) -> None:
    """A broker is no InfluxDB, but TLS comes first, and its alerts are those of any server."""
    pair = authority.issue("broker", "IP:127.0.0.1")
    broker = start_mosquitto(tls=BrokerTls(authority.certificate, *pair, require_certificate=True))
    url, ca = broker.url.replace("mqtts:", "https:"), {"ca_file": authority.certificate}
    wanted = await answer(url, **ca)
    assert isinstance(wanted, Keep)
    assert wanted.reason.removeprefix(f"{url}: ") in (  # the alert, or the reset that may overtake it
        "InfluxDB wants a client certificate; set influxdb.client_cert and influxdb.client_key "
        "(tlsv13 alert certificate required)",
        "InfluxDB cut the connection; is it a port for TLS, and does it want a client certificate "
        "(influxdb.client_cert)? (connection reset by peer)",
    )
    cert, key = Authority(tmp_path, "stranger").issue("client", "DNS:gateway")
    unknown = await answer(url, **ca, client_cert=cert, client_key=key)
    assert isinstance(unknown, Keep)
    assert unknown.reason.removeprefix(f"{url}: ") in (
        f"InfluxDB does not know the authority that signed the client certificate in influxdb.client_cert {cert}; "
        "influxdb.client_cert and influxdb.client_key must be what InfluxDB accepts (tlsv1 alert unknown ca)",
        "InfluxDB cut the connection; is it a port for TLS, and does it accept the certificate in "
        "influxdb.client_cert? (connection reset by peer)",
    )


async def test_a_renewed_client_certificate_needs_no_restart(authority: Authority, tmp_path: Path) -> None:
    cert, key = tmp_path / "client.pem", tmp_path / "client.key"

    def put(pair: tuple[Path, Path]) -> None:
        shutil.copy(pair[0], cert)
        shutil.copy(pair[1], key)

    put(authority.issue("past", "DNS:gateway", days=-1))
    async with wanting_certificates(authority) as url:
        config = InfluxConfig(url, "park", ca_file=authority.certificate, client_cert=cert, client_key=key)
        sink = InfluxSink(config, SystemClock())
        try:
            kept = await sink.write(BATCH)
            assert isinstance(kept, Keep)
            put(authority.issue("present", "DNS:gateway"))
            assert await sink.write(BATCH) == Accept([])
        finally:
            await sink.close()
