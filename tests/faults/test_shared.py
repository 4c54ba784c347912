"""Two gateways take one stream together by a shared subscription; one is killed, nothing is lost.

What mosquitto 2.0.11 does: it deals messages out in turn to every session of the group, whether
its client is connected or not, as long as the session lives. A killed gateway's share therefore
waits in the broker until the same client id returns, and is lost by the broker when the session
expires first (`session_expiry_s`, a day unless configured): restart what was killed within it.
"""

import asyncio

from tests.faults.conftest import Start
from tests.faults.ground import Stamped, audited, config, stored_count, until
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

SHARED = "$share/park/park/{thing}"


async def test_two_gateways_one_killed_and_restarted(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    url, port = fresh_influxd.url, fresh_mosquitto.port
    east = await gateway(config(url, port, topic=SHARED, client_id="east"))
    west = await gateway(config(url, port, topic=SHARED, client_id="west"))
    publisher = Stamped(port)
    load = asyncio.create_task(publisher.run(3000, rate=1000))
    await publisher.reached(800)
    await east.kill()
    await publisher.reached(2000)
    west_alone = stored_count(url)
    await until(lambda: stored_count(url) > west_alone, "the other gateway goes on alone")
    await east.start()
    await load
    assert await audited(url, [east, west], 3000) == (0, 0)
    taken = [(await each.health())["stages"]["decoded"] for each in (east, west)]
    assert min(taken) > 500


async def test_both_killed_in_turn(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    url, port = fresh_influxd.url, fresh_mosquitto.port
    both = [await gateway(config(url, port, topic=SHARED, client_id=name)) for name in ("east", "west")]
    publisher = Stamped(port)
    load = asyncio.create_task(publisher.run(2400, rate=800))
    for number, moment in enumerate((500, 1000, 1500, 2000)):
        await publisher.reached(moment)
        await both[number % 2].kill()
        await both[number % 2].start()
    await load
    assert await audited(url, both, 2400) == (0, 0)
