"""InfluxDB through a proxy of the environment: a real little proxy, and what is said of its own faults."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.main import main
from gateway.clock import SystemClock
from gateway.config import InfluxConfig
from gateway.intake import Accept, Batch, Keep
from gateway.network import proxy_for
from gateway.sinks.influxdb import InfluxSink
from tests.gateway.authority import Authority
from tests.servers.fake_influx import FakeInflux
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import free_port
from tests.servers.proxy import Proxy

BATCH = Batch(1, 1, 1, b"air,thing=lamp-1 pm2_5_ug_m3=12.5 1700000000000000000")
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "REQUEST_METHOD")


@pytest.fixture(autouse=True)
def _no_proxy_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def answer(url: str, **options: Any) -> Accept | Keep:
    sink = InfluxSink(InfluxConfig(url=url, database="proxied", **options), SystemClock())
    try:
        return await sink.write(BATCH)
    finally:
        await sink.close()


async def kept(url: str, *, alarm: bool, **options: Any) -> str:
    outcome = await answer(url, **options)
    assert isinstance(outcome, Keep)
    assert outcome.alarm == alarm
    return outcome.reason.removeprefix(f"{url}: ")


async def test_http_proxy_and_no_proxy_are_honoured(influxd: Influxd, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert await answer(influxd.url) == Accept([])
        assert proxy.asked == [
            f"GET {influxd.url}/ping",
            f"POST {influxd.url}/query",
            f"POST {influxd.url}/write?db=proxied&precision=ns",
        ]
        monkeypatch.setenv("NO_PROXY", "park.example,127.0.0.1")
        assert await answer(influxd.url) == Accept([])
        assert len(proxy.asked) == 3
    assert influxd.count("proxied", "air", "pm2_5_ug_m3") == 1


async def test_https_proxy_is_a_tunnel(
    start_influxd: Callable[..., Influxd], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "ca")
    server = start_influxd(https=authority.issue("server", "IP:127.0.0.1"))
    async with Proxy(credentials="gate:s%40fe".replace("%40", "@")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # for other addresses
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", "://gate:s%40fe@"))
        assert await answer(server.url, ca_file=authority.certificate) == Accept([])
        assert set(proxy.asked) == {f"CONNECT 127.0.0.1:{server.port}"}
        # the faults of what is behind the tunnel are told as ever
        assert (await kept(server.url, alarm=True)).startswith("InfluxDB's certificate is not of an authority")
    assert server.count("proxied", "air", "pm2_5_ug_m3") == 1


async def test_the_bucket_of_2_is_made_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeInflux(2) as server, Proxy(credentials="gate:safe") as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("://", "://gate:safe@"))
        assert await answer(server.url, token="secret") == Accept([])
        assert f"POST {server.url}/api/v2/buckets" in proxy.asked
        assert len(server.stored) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_proxys_own_faults_are_not_influxdbs(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url, variable = f"{scheme}://127.0.0.1:8086", f"{scheme.upper()}_PROXY"
    async with Proxy(credentials="gate:safe") as proxy:
        monkeypatch.setenv(variable, proxy.url.replace("://", "://gate:wrong@"))
        said = await kept(url, alarm=True)
        assert said.startswith(
            f"the proxy {proxy.url} ({variable}): it wants credentials: http://user:password@host:port in {variable} ("
        )
        assert "wrong" not in said
    async with Proxy(refuses="403 Forbidden") as proxy:
        monkeypatch.setenv(variable, proxy.url)
        assert (await kept(url, alarm=True)).startswith(
            f"the proxy {proxy.url} ({variable}): it does not let this gateway through to {url} (HTTP 403"
        )
    async with Proxy(refuses="502 Bad Gateway") as proxy:
        monkeypatch.setenv(variable, proxy.url)
        assert (await kept(url, alarm=False)).startswith(
            f"the proxy {proxy.url} ({variable}): it does not reach {url} (HTTP 502"
        )
    gone = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv(variable, gone)
    assert await kept(url, alarm=False) == (
        f"the proxy {gone} ({variable}): nothing listens there; start the proxy or correct {variable} "
        "(connection refused)"
    )


async def test_an_unknown_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "no-such-proxy.invalid:3128")
    said = await kept("http://park.example:8086", alarm=False)
    assert said.startswith(
        "the proxy http://no-such-proxy.invalid:3128 (http_proxy): "
        "unknown host name 'no-such-proxy.invalid'; correct http_proxy ("
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_what_is_no_proxy_is_asked_whether_it_is_one(
    scheme: str, start_mosquitto: Callable[..., Mosquitto], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker cuts the connection; an InfluxDB knows no CONNECT."""
    url, variable = f"{scheme}://store.example:8086", f"{scheme.upper()}_PROXY"
    broker = start_mosquitto().url.replace("mqtt:", "http:")
    monkeypatch.setenv(variable, broker)
    said = await kept(url, alarm=False)
    assert f"the proxy {broker} ({variable})" in said
    assert "client certificate" not in said
    assert "InfluxDB" not in said


async def test_an_influxdb_in_place_of_the_proxy_is_no_tunnel(
    influxd: Influxd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", influxd.url)
    assert (await kept("https://store.example:8086", alarm=True)).startswith(
        f"the proxy {influxd.url} (HTTPS_PROXY): it does not serve this address; is it a proxy? "
        "Else NO_PROXY=store.example (HTTP 404"
    )


@pytest.mark.parametrize(
    ("no_proxy", "straight"),
    [
        ("", False),
        ("*", True),
        ("store.park.example", True),
        ("park.example", True),
        (".park.example", True),
        ("*.park.example", True),
        ("ark.example", False),
        ("other.example, park.example:8086", True),
        ("park.example:80", False),
        ("STORE.Park.Example", True),
    ],
)
def test_whom_no_proxy_names(no_proxy: str, straight: bool) -> None:
    environ = {"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": no_proxy}
    assert (proxy_for("http://store.park.example:8086", environ) is None) == straight


@pytest.mark.parametrize(("no_proxy", "straight"), [("10.0.0.0/8", True), ("10.1.2.3", True), ("10.2.0.0/16", False)])
def test_no_proxy_names_networks(no_proxy: str, straight: bool) -> None:
    environ = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": no_proxy}
    assert (proxy_for("https://10.1.2.3:8086", environ) is None) == straight


def test_which_variable_says_it() -> None:
    both = {"http_proxy": "http://small:1", "HTTP_PROXY": "http://large:2", "HTTPS_PROXY": "http://other:3"}
    found = proxy_for("http://store:8086", both)
    assert found is not None
    assert (found.shown, found.variable) == ("http://small:1", "http_proxy")
    assert proxy_for("http://store:8086", {"HTTP_PROXY": "http://large:2", "REQUEST_METHOD": "GET"}) is None
    # a proxy elsewhere cannot reach this machine's own address
    assert proxy_for("http://localhost:8086", {"HTTP_PROXY": "http://proxy:3128"}) is None
    with_password = proxy_for("http://store:8086", {"HTTP_PROXY": "http://me:secret@proxy:3128"})
    assert with_password is not None
    assert "secret" not in with_password.shown


PARK = """
[influxdb]
url = "https://store.example:8086"
database = "park"
{keys}
[[serial]]
port = "./lamp-17"
device = "pms5003"
thing = "lamp-17"
"""


def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: str = "") -> tuple[int, str, str]:
    file = tmp_path / "park.toml"
    file.write_text(PARK.format(keys=keys))
    code = main(["check", "--config", str(file)])
    out, err = capsys.readouterr()
    return code, out, err.replace(f"{tmp_path}/", "")


def test_check_shows_the_proxy_and_refuses_others_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    code, out, _ = checked(tmp_path, capsys)
    assert code == 0
    assert (
        "InfluxDB https://store.example:8086, database park, through the proxy "
        "http://proxy.example:3128 (HTTPS_PROXY)" in out
    )
    assert "secret" not in out
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:secret@proxy.example:1080")
    assert checked(tmp_path, capsys)[::2] == (
        2,
        "parkgate: park.toml:3:7: influxdb.url: HTTPS_PROXY of the environment: socks5://…; expected http://host:port, "
        "or store.example in NO_PROXY where it is to be asked straight\n",
    )


def test_check_reads_the_certificates_of_influxdb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    authority = Authority(tmp_path, "ca")
    authority.issue("gateway", "DNS:gateway")
    other = Authority(tmp_path, "other")
    other.issue("gateway", "DNS:gateway")
    good = 'ca_file = "ca/ca.pem"\nclient_cert = "ca/gateway.pem"\nclient_key = "ca/gateway.key"'
    assert checked(tmp_path, capsys, good)[::2] == (0, "")
    assert checked(tmp_path, capsys, good.replace("ca/gateway.key", "other/gateway.key"))[::2] == (
        2,
        'parkgate: park.toml:7:14: influxdb.client_key = "other/gateway.key": this key does not belong to the '
        "certificate in influxdb.client_cert ca/gateway.pem (KEY_VALUES_MISMATCH); expected a PEM file of the "
        "certificate's key, not encrypted\n",
    )
    code, _, said = checked(tmp_path, capsys, 'ca_file = "missing.pem"')
    assert code == 2
    assert 'influxdb.ca_file = "missing.pem": expected a PEM file that can be read' in said
    code, _, said = checked(tmp_path, capsys, 'client_key = "ca/gateway.key"')
    assert code == 2
    assert "influxdb.client_cert is missing: expected the certificate that belongs to client_key" in said
