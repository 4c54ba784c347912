"""Codecs in all three forms, as makers write them, through the real process: the values that the makers publish.

`vendor/` holds them, written for these tests after the makers' payload documents; the vectors are those of the device
repository of The Things Network.
"""

import json
import re
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from devices.lorawan.codec import named, uplink
from devices.spec.coded import CodecRefused, Coded, Raw
from devices.spec.events import Reading
from gateway.codecs import Limits, Said, Verdict, answers, script_of
from tests.devices.published import payload, published

VENDOR = Path(__file__).parent / "vendor"
CODECS = {
    "Milesight": "milesight.js", "Milesigt": "milesight.js", "Dragino LHT65": "dragino-lht65.js",
    "Dragino LGT92": "dragino-lgt92.js", "Dragino LSPH01": "dragino-lsph01.js",
    "Decentlab DL-SHT35": "decentlab-dl-sht35.js", "Decentlab DL-MBX": "decentlab-dl-mbx.js",
    "Decentlab DL-TBRG": "decentlab-dl-tbrg.js",
    "Elsys": "elsys.js", "Netvox R719A": "netvox-r719a.js", "Dingtek DO200": "dingtek-do200.js",
    "Terabee": "terabee-lora-lm-xl.js", "Ellenex": "ellenex-pls2-l.js", "MClimate": "mclimate-co2.js",
}  # fmt: skip
"""Beginning of a vector's device, and the codec for it."""

VECTORS = published("lorawan-payload")


def codec_of(device: str) -> Path:
    (found,) = {name for beginning, name in CODECS.items() if device.startswith(beginning)}
    return VENDOR / found


def raw(vector: dict[str, Any]) -> Raw:
    return Raw(payload(vector), vector["fport"])


@cache
def all_said() -> dict[int, Said | Verdict]:
    """What the codecs say of all vectors, one process for all, by the vectors' ids."""
    asked = [(script_of(codec_of(vector["device"])), raw(vector)) for vector in VECTORS]
    said = answers([(script, each) for script, each in asked], Limits(), time.time_ns())
    return {vector["id"]: each for vector, each in zip(VECTORS, said, strict=True)}


def test_there_are_enough_of_them() -> None:
    devices = {vector["device"] for vector in VECTORS}
    texts = [file.read_text() for file in VENDOR.glob("*.js")]
    assert len(devices) >= 20
    for form in ("decodeUplink", "Decoder", "Decode"):
        assert sum(re.search(rf"\b{form}\b", text) is not None for text in texts) >= 3


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["id"]))
def test_a_codec_gives_the_published_values(vector: dict[str, Any]) -> None:
    said = all_said()[vector["id"]]
    assert isinstance(said, Said), said
    assert said.errors == []
    assert said.data == {**said.data, **vector["expected"]}


NAMES: dict[int, dict[str, object]] = {
    340: {"temperature_c": 30.8, "humidity_pct": 50.5, "co2_ppm": 936.0, "pm2_5_ug_m3": 32.0, "pm10_ug_m3": 48.0,
          "pressure": 1008.6, "tvoc": 37.0, "activity_text": "trigger", "light_level": 2.0, "hcho": 0.04},
    479: {"battery_v": 3.062, "bat_status": 3.0, "tempc_sht": 28.29, "tempc_ds": 27.81, "hum_sht": 88.6,
          "ext_sensor_text": "Temperature Sensor"},
    484: {"air_temperature_c": 23.787670710307466, "air_humidity_pct": 47.536430914778364, "battery_voltage_v": 3.168,
          "device_id": 782.0, "protocol_version": 2.0},
    409: {"precipitation_mm": 0.4, "precipitation_interval_s": 600.0, "cumulative_precipitation_mm": 1653.8000000000002,
          "battery_voltage_v": 3.156, "device_id": 760.0, "protocol_version": 2.0},
    361: {"temperature_c": 22.6, "humidity_pct": 41.0, "light": 39.0, "motion": 6.0, "sound_peak": 1.0,
          "sound_avg": 1.0},
    462: {"latitude_deg": 22.70626, "longitude_deg": 114.24252, "alarm_status_flag": False, "battery_v": 3.36,
          "fw": 160.0, "lon_flag": True, "md_text": "Move", "pitch": 4.0, "roll": 0.75},
}  # fmt: skip


@pytest.mark.parametrize("number", NAMES)
def test_what_their_values_are_called(number: int) -> None:
    said = all_said()[number]
    assert isinstance(said, Said)
    fields = dict(named(Coded(said.data)).fields)
    if "payload_device_id" in fields:  # the network has one, too
        fields["device_id"] = fields.pop("payload_device_id")
    assert fields == NAMES[number]


def test_a_payload_by_itself_is_a_reading() -> None:
    (vector,) = [vector for vector in VECTORS if vector["id"] == 340]
    said = all_said()[340]
    assert isinstance(said, Said)
    (event,) = uplink(raw(vector), lambda _raw: Coded(said.data))
    assert isinstance(event, Reading)
    assert event.fields["f_port"] == 85
    assert event.fields["temperature_c"] == 30.8


def refuse(_raw: Raw) -> Coded | None:
    raise CodecRefused("codec x.js says: no; port 1, bytes 00")


def test_a_refusal_keeps_the_bytes() -> None:
    (event,) = uplink(Raw(b"\x00", 1), refuse)
    assert (type(event).__name__, getattr(event, "data", None)) == ("SanityError", b"\x00")


@pytest.mark.parametrize(
    ("name", "data", "port", "said"),
    [
        ("netvox-r719a.js", "0159", 7, Verdict("thrown", "threw port 7 is not for reports")),
        ("dingtek-do200.js", "80", 4, Verdict("thrown", "RangeError: port 4 (line 22)")),
        ("dragino-lht65.js", "00", 9, Said(None)),
        ("terabee-lora-lm-xl.js", "00", 9, Said(None, [], ["unknown FPort"])),
        ("mclimate-co2.js", "02", 2, Said(None, [], ["not a keepalive"])),
        ("milesight.js", "0175640142", 85, Said({"battery": 100}, ["unknown channel 01 type 42"])),
        ("decentlab-dl-mbx.js", "0102030000", 1, Said(None, [], ["protocol version 1 doesn't match v2"])),
    ],
)
def test_what_they_refuse(name: str, data: str, port: int, said: Said | Verdict) -> None:
    (found,) = answers([(script_of(VENDOR / name), Raw(bytes.fromhex(data), port))], Limits(), time.time_ns())
    assert found == said


NODE = """
const vm = require("vm"), fs = require("fs");
for (const [file, hex, port] of JSON.parse(fs.readFileSync(0, "utf8"))) {
  const bytes = [...Buffer.from(hex, "hex")];
  const around = vm.createContext({ module: { exports: {} }, Buffer, console: { log() {} } });
  let told;
  try {
    const source = fs.readFileSync(file, "utf8").replace(/^export /gm, "");
    const [ts013, old, older] = vm.runInContext(source + `
      ;[typeof decodeUplink === "function" ? decodeUplink : module.exports.decodeUplink,
        typeof Decoder === "function" ? Decoder : module.exports.Decoder,
        typeof Decode === "function" ? Decode : module.exports.Decode]`, around);
    const said = ts013 ? ts013({ bytes, fPort: port, recvTime: new Date(0), variables: {} })
      : { data: old ? old(bytes, port) : older(port, bytes, {}) };
    told = said.errors && said.errors.length ? { errors: said.errors } : { data: said.data ?? null };
  } catch (error) {
    told = { threw: true };
  }
  console.log(JSON.stringify(told));
}
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to compare with")
def test_node_says_the_same_of_random_payloads() -> None:
    random = Random(7)
    rows = []
    for file in sorted(VENDOR.glob("*.js")):
        known = [vector for vector in VECTORS if codec_of(vector["device"]) == file]
        for _ in range(60):
            data = bytearray(payload(random.choice(known)))
            for _ in range(random.randrange(4)):
                data[random.randrange(len(data))] = random.randrange(256)
            rows.append((file, bytes(data[: random.choice((len(data), random.randrange(1, len(data) + 1)))]),
                         random.choice((known[0]["fport"], known[0]["fport"], 1, 2))))  # fmt: skip
    script = subprocess.run(
        ["node", "-e", NODE],
        input=json.dumps([(str(file), data.hex(), port) for file, data, port in rows]),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    theirs = [json.loads(line) for line in script.stdout.splitlines()]
    said = answers([(script_of(file), Raw(data, port)) for file, data, port in rows], Limits(), 0)
    ours = [
        {"threw": True}
        if isinstance(each, Verdict)
        else {"errors": each.errors}
        if each.errors
        else {"data": each.data}
        for each in said
    ]
    for row, mine, other in zip(rows, ours, theirs, strict=True):
        assert mine == other, row
    assert sum("data" in each for each in ours) > 400
