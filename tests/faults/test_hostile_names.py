"""Names and texts made to break line protocol, through a real broker into a real InfluxDB.

Whatever a topic, a thing's name or a text holds: the store knows the measurements, tags and
fields it is meant to know, and the values come back as the literals below. Beside it goes a
steady load of sound messages (things t0 to t9, fields temperature_c and seq), which is audited.
"""

import json

from tests.e2e.running import stored_seqs
from tests.faults.conftest import Start
from tests.faults.ground import THINGS as LOAD_THINGS
from tests.faults.ground import audited, config, steady
from tests.faults.hostile import MEASUREMENTS, Speaker, counted, holds, number, stored, text, words
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

LOAD_FIELDS = {"temperature_c", "seq"}

THINGS = {
    "lamp": "lamp",
    "a,thing=b": "a,thing=b",
    "a b=c,d": "a b=c,d",
    'quo"te': 'quo"te',
    "x v=1 1": "x v=1 1",
    "back\\slash": "back\\slash",
    "escape\\,zone=evil": "escape_,zone=evil~6a79d64287cddb2b",
    "escape\\ v=9": "escape_ v=9~6ac24de1ef89df22",
    "two\\\\": "two~7832db2f3dc0d5ad",
    "end\\ ": "end~32f7cf6c93c4298c",
    "line\u2028and\u2029paragraph": "line_and_paragraph~a4be56d516387713",
    "wide\u3000space": "wide\u3000space",
    "é😀": "é😀",
    "x" * 65_000: "x" * 239 + "~c7b1f07a25fcaabb",
    "${INFLUX_TOKEN}": "${INFLUX_TOKEN}",
    "'; DROP DATABASE parkgate; --": "'; DROP DATABASE parkgate; --",
}
"""Topic level to the thing that is stored."""

TEXTS = {
    'a",b="c': 'a",b="c',
    "a,b=c d 1": "a,b=c d 1",
    "two\nlines\r\n": "two lines  ",
    'end\\"': 'end\\"',
    "\\": "\\",
    "\\\\n": "\\\\n",
    "senml,thing=evil v=1 1": "senml,thing=evil v=1 1",
    "a\nsenml,thing=evil v=1 1\n": "a senml,thing=evil v=1 1 ",
    "nul\0 bell\a": "nul  bell ",
    "nel\x85 ls\u2028": "nel  ls ",
    "é😀": "é😀",
    "": "",
    "y" * 20_000: "y" * 16_384,
}
"""Text in a pack to the text that is stored."""

REFUSED = [
    b'[{"n":"a,b=c","v":1}]',
    b'[{"n":"a b","v":1}]',
    b'[{"n":"a\\nevil v=1","v":1}]',
    b'[{"n":"a\\\\","v":1}]',
    b'[{"bn":"x,y=z/","n":"a","v":1}]',
    b'[{"bn":"x\\n/","n":"a","v":1}]',
    b'[{"n":"a\\"","v":1}]',
    b'[{"n":"","v":1,"bn":" "}]',
    b'[{"n":"a","vs":"\xff\xfe"}]',
    b'[{"n":"a","vs":"\\ud800"}]',
    b'[{"n":"a","v":NaN}]',
    b'[{"n":"a","v":1e999}]',
    b'[{"n":"a","v":"1"}]',
    b"[" * 100_000,
    b'[{"n":' * 20_000,
    b"\x81" * 50_000,
    b"\xff\xfe\x00",
    b'[{"n":"a","v":1}',
    b'[{"n":"' + b"n" * 5000 + b'","v":1}]',
]


async def test_things_and_texts(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    messages = [(f"park/{name}", number(at + 0.5)) for at, name in enumerate(THINGS)]
    messages += [(f"park/text-{at}", text(value)) for at, value in enumerate(TEXTS)]
    messages += [("park/refused", payload) for payload in REFUSED]
    url = fresh_influxd.url
    async with steady(fresh_mosquitto.port) as publisher:
        await Speaker(fresh_mosquitto.port, messages).say()
        await counted(running, quarantined=len(REFUSED))
        await holds(url, "level", {name: [at + 0.5] for at, name in enumerate(THINGS.values())})
        await holds(url, "mood_text", {f"text-{at}": [value] for at, value in enumerate(TEXTS.values())})
    sent = publisher.acknowledged
    assert await audited(url, [running], sent) == (0, 0)
    stages = (await running.health())["stages"]
    sound = len(THINGS) + len(TEXTS) + sent
    assert (stages["decoded"], stages["quarantined"], stages["rejected"]) == (sound, len(REFUSED), 0)
    assert words(url, "SHOW MEASUREMENTS") <= MEASUREMENTS
    assert words(url, 'SHOW TAG KEYS FROM "senml"') == {"thing"}
    assert words(url, 'SHOW FIELD KEYS FROM "senml"') == {"level", "mood_text", *LOAD_FIELDS}
    assert set(stored_seqs(url)) == {f"t{index}" for index in range(LOAD_THINGS)}
    assert words(url, "SHOW DATABASES") >= {"parkgate"}


async def test_names_in_packs_and_hostile_tags(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    """Names that SenML allows and InfluxDB has other plans for; units and extra labels of any kind."""
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    records = [
        {"n": "time", "v": 1.0},
        {"n": "thing", "v": 2.0},
        {"n": "a.b-c", "v": 3.0},
        {"n": "x", "u": "a,b=c d", "v": 4.0},
        {"n": "y", "u": "\n\\ ", "v": 5.0},
        {"n": "z", "v": 6.0, "evil,tag=1": "x", "\n": 7},
    ]
    url = fresh_influxd.url
    async with steady(fresh_mosquitto.port) as publisher:
        await Speaker(fresh_mosquitto.port, [("park/lamp", json.dumps(records).encode())]).say()
        await holds(url, "z", {"lamp": [6.0]})
    assert await audited(url, [running], publisher.acknowledged) == (0, 0)
    assert words(url, 'SHOW TAG KEYS FROM "senml"') == {"thing"}
    fields = words(url, 'SHOW FIELD KEYS FROM "senml"') - LOAD_FIELDS
    assert fields == {"time_value", "thing_value", "a_b_c", "x_a_b_c_d", "y", "z"}
    assert {name: stored(url, name)["lamp"] for name in sorted(fields)} == {
        "a_b_c": [3.0],
        "thing_value": [2.0],
        "time_value": [1.0],
        "x_a_b_c_d": [4.0],
        "y": [5.0],
        "z": [6.0],
    }
    assert (await running.health())["stages"]["rejected"] == 0
