"""Zone and location of a simulated fleet, as a gateway stores them: from the payload, or from its own configuration."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import COMMAND, GatewayProcess, influx_query
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import Process, wait_until

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals"),
]

FLEET = """
[fleet]
broker = "{broker}"
port_dir = "{ports}"

[[thing]]
name = "post"
device = "senml"
kind = "noise"
period_s = 0.2
zone = "lake"
location = [48.1371, 11.5754]

[[thing]]
name = "node"
device = "ttn-v3"
kind = "soil"
period_s = 0.2
zone = "hill"
location = [-33.8568, 151.2153]

[[thing]]
name = "robot"
device = "vda5050"
period_s = 0.2
zone = "yard"

[[thing]]
name = "cart"
device = "nmea0183"
period_s = 0.2
zone = "gate"
location = [48.1371, 11.5754]

[[thing]]
name = "lamp"
device = "pms5003"
period_s = 0.2
zone = "gate"
location = [48.1372, 11.5755]
"""

GATEWAY = """
[influxdb]
url = "{influx}"
database = "parkgate"

[mqtt.main]
url = "{broker}"
client_id = "gateway-of-places"

[[mqtt.main.subscription]]
topic = "park/{{thing}}/senml"
device = "senml"

[[mqtt.main.subscription]]
topic = "v3/+/devices/{{thing}}/up"
device = "ttn-v3"

[[mqtt.main.subscription]]
topic = "uagv/v2/+/{{thing}}/state"
device = "vda5050"
tags = {{ zone = "yard" }}

[[serial]]
port = "{ports}/cart"
device = "nmea0183"
thing = "cart"
tags = {{ zone = "gate" }}

[[serial]]
port = "{ports}/lamp"
device = "pms5003"
thing = "lamp"
location = [48.1372, 11.5755]
tags = {{ zone = "gate" }}
"""


@pytest.fixture
def running(tmp_path: Path, mosquitto: Mosquitto, influxd: Influxd) -> Iterator[str]:
    """A simulated fleet and a gateway that reads it; answers the URL of the store."""
    influxd.query('CREATE DATABASE "parkgate"')
    names = {"broker": mosquitto.url, "ports": str(tmp_path / "ports"), "influx": influxd.url}
    (tmp_path / "fleet.toml").write_text(FLEET.format(**names))
    fleet = Process(
        "parkgate simulate",
        [str(COMMAND), "simulate", "--config", str(tmp_path / "fleet.toml")],
        tmp_path / "fleet.log",
        lambda: (tmp_path / "ports" / "lamp").exists(),
        env=dict(os.environ),
    )
    gateway = GatewayProcess(tmp_path / "gateway", GATEWAY.format(**names))
    fleet.start()
    try:
        gateway.start()
        yield influxd.url
    finally:
        gateway.stop()
        fleet.stop()


def found(url: str, fields: str, measurement: str, thing: str) -> list[dict[str, Any]]:
    """The first rows of a thing's fields, by zone; waits for them."""
    query = f"SELECT {fields} FROM \"{measurement}\" WHERE thing = '{thing}' GROUP BY zone LIMIT 1"
    wait_until(lambda: influx_query(url, query) != [], f"{measurement} of {thing}", 40.0)
    return influx_query(url, query)


def test_zone_and_location_are_stored_as_the_fleet_file_gives_them(running: str) -> None:
    place = "latitude_deg, longitude_deg"
    (post,) = found(running, place, "senml", "post")
    assert (post["tags"], post["values"][0][1:]) == ({"zone": "lake"}, [48.1371, 11.5754])
    (post,) = found(running, "online", "things", "post")
    assert (post["tags"], post["values"][0][1:]) == ({"zone": "lake"}, [True])
    (node,) = found(running, place, "ttn_v3", "node")
    assert (node["tags"], node["values"][0][1:]) == ({"zone": "hill"}, [-33.8568, 151.2153])
    (robot,) = found(running, "map_description", "vda5050", "robot")
    assert (robot["tags"], robot["values"][0][1:]) == ({"zone": "yard"}, ["yard"])
    (cart,) = found(running, place, "nmea0183", "cart")
    latitude, longitude = cart["values"][0][1:]
    assert cart["tags"] == {"zone": "gate"}
    assert abs(latitude - 48.1371) < 0.003
    assert abs(longitude - 11.5754) < 0.004
    (lamp,) = found(running, place, "things", "lamp")
    assert (lamp["tags"], lamp["values"][0][1:]) == ({"zone": "gate"}, [48.1372, 11.5755])
