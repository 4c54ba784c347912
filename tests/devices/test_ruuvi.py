"""Ruuvi beyond its examples: published vectors, another reader's values, what is heard twice, hostile messages."""

import json
import random
from typing import Any

import pytest

from devices.ruuvi.device import DEVICE, MOST_SENSORS, Tags
from devices.ruuvi.encode import advertisement
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Reading, SanityError
from tests.devices.published import payload, published

T = 1_700_000_000_000_000_000
S = 1_000_000_000
PUBLISHED = {
    "Temperature": ("temperature_c", "C"), "Pressure": ("pressure_pa", ""), "Humidity": ("humidity_pct", "RH-%"),
    "Acceleration X": ("acceleration_x_gn", "G"), "Acceleration Y": ("acceleration_y_gn", "G"),
    "Acceleration Z": ("acceleration_z_gn", "G"), "Voltage": ("battery_v", "V"), "TX Power": ("tx_power_dbm", "dBm"),
    "Movement counter": ("movement_counter", ""), "Measurement Sequence": ("measurement_sequence", ""),
}  # fmt: skip
"""The publisher's name to ours, and the unit behind the value."""

RECORDED: list[tuple[str, dict[str, Any]]] = [
    ("03f1fd0518bec66ca50405aca74b",
     {"data_format": "3", "humidity": 120.5, "temperature": -125.05, "pressure": 563.34, "acceleration_x": -14740,
      "acceleration_y": -23292, "acceleration_z": 1452, "battery": 42827}),
    ("038f3928095de8da5f6d46f68e0b",
     {"data_format": "3", "humidity": 71.5, "temperature": 57.4, "pressure": 523.97, "acceleration_x": -5926,
      "acceleration_y": 24429, "acceleration_z": 18166, "battery": 36363}),
    ("03111001ee80694e3bb622b8e0c4",
     {"data_format": "3", "humidity": 8.5, "temperature": 16.01, "pressure": 1110.56, "acceleration_x": 26958,
      "acceleration_y": 15286, "acceleration_z": 8888, "battery": 57540}),
    ("039a7a0cb48ab528afa6bf312ba0",
     {"data_format": "3", "humidity": 77.0, "temperature": 122.12, "pressure": 962.18, "acceleration_x": -19160,
      "acceleration_y": -20570, "acceleration_z": -16591, "battery": 11168}),
    ("0302d006b5f614147559887b3125",
     {"data_format": "3", "humidity": 1.0, "temperature": -80.06, "pressure": 965.82, "acceleration_x": 5140,
      "acceleration_y": 30041, "acceleration_z": -30597, "battery": 12581}),
    ("03ed990d0bb73d3dfe36ca60a187",
     {"data_format": "3", "humidity": 118.5, "temperature": -25.13, "pressure": 529.99, "acceleration_x": 15677,
      "acceleration_y": -458, "acceleration_z": -13728, "battery": 41351}),
    ("058000839ad67d16884337c9463ffbe7f9d634a4a336a5fd",
     {"data_format": "5", "humidity": 84.22, "pressure": 1049.09, "acceleration_x": 5768, "acceleration_y": 17207,
      "acceleration_z": -14010, "tx_power": 14, "battery": 2111, "movement_counter": 231,
      "measurement_sequence_number": 63958, "mac": "34a4a336a5fd"}),
    ("054fd4ffff15469db6d93101e6fc979d6ae859905a2bb29e",
     {"data_format": "5", "temperature": 102.18, "pressure": 554.46, "acceleration_x": -25162, "acceleration_y":
      -9935, "acceleration_z": 486, "tx_power": 6, "battery": 3620, "movement_counter": 157,
      "measurement_sequence_number": 27368, "mac": "59905a2bb29e"}),
    ("055f96c896b58e0d2fceb6edb5b6da3d8bf3d79b2876cc70",
     {"data_format": "5", "humidity": 128.38, "temperature": 122.35, "pressure": 964.78, "acceleration_x": 3375,
      "acceleration_y": -12618, "acceleration_z": -4683, "tx_power": 12, "battery": 3062, "movement_counter": 61,
      "measurement_sequence_number": 35827, "mac": "d79b2876cc70"}),
    ("0580000147b3e13c8b58ef7da7d450b4b62e2c64b61a8a0e",
     {"data_format": "5", "humidity": 0.82, "pressure": 960.49, "acceleration_x": 15499, "acceleration_y": 22767,
      "acceleration_z": 32167, "tx_power": -8, "battery": 3298, "movement_counter": 180,
      "measurement_sequence_number": 46638, "mac": "2c64b61a8a0e"}),
    ("05b5db050af288908553dc6f871782d769b583fd3fab6a80",
     {"data_format": "5", "humidity": 3.23, "temperature": -94.91, "pressure": 1120.88, "acceleration_x": -28539,
      "acceleration_y": 21468, "acceleration_z": 28551, "tx_power": -36, "battery": 1788, "movement_counter": 215,
      "measurement_sequence_number": 27061, "mac": "83fd3fab6a80"}),
    ("05682bffffcd94f06e22c57d0af517a7dd98b28c618e8f4a",
     {"data_format": "5", "temperature": 133.34, "pressure": 1026.28, "acceleration_x": -3986, "acceleration_y":
      8901, "acceleration_z": 32010, "tx_power": 6, "battery": 3560, "movement_counter": 167,
      "measurement_sequence_number": 56728, "mac": "b28c618e8f4a"}),
    ("0580009104af4504c4fa1d9aaaf9c6373e796dc9fbf031d0",
     {"data_format": "5", "humidity": 92.81, "pressure": 948.69, "acceleration_x": 1220, "acceleration_y": -1507,
      "acceleration_z": -25942, "tx_power": -28, "battery": 3598, "movement_counter": 55,
      "measurement_sequence_number": 15993, "mac": "6dc9fbf031d0"}),
    ("0530c4953f45a60ae9b7acbbd82fe658f11963790eb3aee3",
     {"data_format": "5", "humidity": 95.52, "temperature": 62.42, "pressure": 678.3, "acceleration_x": 2793,
      "acceleration_y": -18516, "acceleration_z": -17448, "tx_power": -28, "battery": 1983, "movement_counter": 88,
      "measurement_sequence_number": 61721, "mac": "63790eb3aee3"}),
    ("05bb126fbdca5f38878f4099369b3599974e9809c7dfe2fd",
     {"data_format": "5", "humidity": 71.51, "temperature": -88.23, "pressure": 1018.07, "acceleration_x": 14471,
      "acceleration_y": -28864, "acceleration_z": -26314, "tx_power": 2, "battery": 2841, "movement_counter": 153,
      "measurement_sequence_number": 38734, "mac": "9809c7dfe2fd"}),
    ("058000ffffb40f069fd620eab2cb3bcfbc974281fc6295ce",
     {"data_format": "5", "pressure": 960.95, "acceleration_x": 1695, "acceleration_y": -10720, "acceleration_z":
      -5454, "tx_power": 14, "battery": 3225, "movement_counter": 207, "measurement_sequence_number": 48279, "mac":
      "4281fc6295ce"}),
    ("068000284ecd94c10460736e615dcc550c71fe91",
     {"data_format": "6", "humidity": 25.795, "pressure": 1026.28, "pm_2_5": 4941.2, "co2": 24691, "voc": 220,
      "nox": 194, "luminosity": 57.01, "measurement_sequence_number": 85, "calibration_in_progress": False, "mac":
      "71fe91"}),
    ("06d0b8fffff0abc48a1af117f5e5a8bc2a142b65",
     {"data_format": "6", "temperature": -60.52, "pressure": 1116.11, "pm_2_5": 5031.4, "co2": 6897, "voc": 46,
      "nox": 490, "luminosity": 21998.71, "measurement_sequence_number": 188, "calibration_in_progress": False,
      "mac": "142b65"}),
    ("068f28bb921969476947ce47d373d2467d2f42ba",
     {"data_format": "6", "temperature": -144.44, "humidity": 120.045, "pressure": 565.05, "pm_2_5": 1828.1, "co2":
      18382, "voc": 143, "nox": 422, "luminosity": 150.6, "measurement_sequence_number": 70,
      "calibration_in_progress": True, "mac": "2f42ba"}),
    ("06800003e6f639ac73f056e015d312eb25d6700c",
     {"data_format": "6", "humidity": 2.495, "pressure": 1130.33, "pm_2_5": 4414.7, "co2": 61526, "voc": 448,
      "nox": 42, "luminosity": 10024.17, "measurement_sequence_number": 235, "calibration_in_progress": True, "mac":
      "d6700c"}),
    ("0642ba45d6533fb91b94a054b2a59b975b7d8f22",
     {"data_format": "6", "temperature": 85.41, "humidity": 44.695, "pressure": 713.11, "pm_2_5": 4738.7, "co2":
      38048, "voc": 169, "nox": 356, "luminosity": 1344.29, "measurement_sequence_number": 151,
      "calibration_in_progress": True, "mac": "7d8f22"}),
    ("069331ffff78cb043ea1b48de0eaaa73420e27eb",
     {"data_format": "6", "temperature": -139.275, "pressure": 809.23, "pm_2_5": 108.6, "co2": 41396, "voc": 283,
      "nox": 448, "luminosity": 27366.15, "measurement_sequence_number": 115, "calibration_in_progress": False,
      "mac": "0e27eb"}),
    ("e18000ad08f0a4aa5690cf5194b40c7ec1827a2eaa60b36c4b2fc635e666fb765b634f3900a3a632",
     {"data_format": "E1", "humidity": 110.74, "pressure": 1116.04, "pm_1": 4360.6, "pm_2_5": 3707.1, "pm_4":
      2088.4, "pm_10": 4609.2, "co2": 32449, "voc": 261, "nox": 245, "luminosity": 30582.72,
      "measurement_sequence_number": 3130933, "calibration_in_progress": False, "mac": "4F:39:00:A3:A6:32"}),
    ("e12a81fffff5acaafdea781f8cf7d26bad3a86d7754c7ee06cfc60bcd717a340fb432c35edafd5a6",
     {"data_format": "E1", "temperature": 54.405, "pressure": 1128.92, "pm_1": 4377.3, "pm_2_5": 6002.4, "pm_4":
      807.6, "pm_10": 6344.2, "co2": 27565, "voc": 117, "nox": 269, "luminosity": 141202.68,
      "measurement_sequence_number": 16539836, "calibration_in_progress": True, "mac": "2C:35:ED:AF:D5:A6"}),
    ("e1eec701c14e72e73449bc2d9a891f5a0f7f51fa2a3b70a04bba7239f8f8cad0d760b3a2c361a53d",
     {"data_format": "E1", "humidity": 1.123, "temperature": -22.045, "pressure": 700.82, "pm_1": 5918.8, "pm_2_5":
      1887.6, "pm_4": 1167.4, "pm_10": 3510.3, "co2": 23055, "voc": 255, "nox": 163, "luminosity": 163948.11,
      "measurement_sequence_number": 12218937, "calibration_in_progress": False, "mac": "B3:A2:C3:61:A5:3D"}),
    ("e1800081e4a45609a0683ab1bf195775f4da9f5104c2338fcf1f56ce40e0e893407d1b9aa804ed54",
     {"data_format": "E1", "humidity": 83.13, "pressure": 920.7, "pm_1": 246.4, "pm_2_5": 2668.2, "pm_4": 4550.3,
      "pm_10": 648.7, "co2": 30196, "voc": 437, "nox": 318, "luminosity": 53096.34, "measurement_sequence_number":
      2053838, "calibration_in_progress": False, "mac": "1B:9A:A8:04:ED:54"}),
    ("e177b22f034b8d4b2fd27f060c65f85d903dab7ce988a28445ad186607a2aef4152a5dfe15c13280",
     {"data_format": "E1", "humidity": 30.088, "temperature": 153.21, "pressure": 693.41, "pm_1": 1924.7, "pm_2_5":
      5388.7, "pm_4": 154.8, "pm_10": 2610.4, "co2": 23952, "voc": 122, "nox": 342, "luminosity": 81862.48,
      "measurement_sequence_number": 11343974, "calibration_in_progress": True, "mac": "5D:FE:15:C1:32:80"}),
    ("e1fb49ffff4787c56969b12f8e827c30b5647aa7c6b7e2563389b39c57c0bdac7f1dbd6ca7a2e3d1",
     {"data_format": "E1", "temperature": -6.035, "pressure": 683.11, "pm_1": 5053.7, "pm_2_5": 2705.7, "pm_4":
      1217.4, "pm_10": 3340.4, "co2": 12469, "voc": 201, "nox": 244, "luminosity": 109953.83,
      "measurement_sequence_number": 9024412, "calibration_in_progress": True, "mac": "BD:6C:A7:A2:E3:D1"}),
]  # fmt: skip
"""Random payloads, and what ruuvitag-sensor 4.1.0 (MIT) reads in them; None is left out."""
NAMES = {
    "humidity": ("humidity_pct", 1.0), "temperature": ("temperature_c", 1.0), "pressure": ("pressure_pa", 100.0),
    "acceleration_x": ("acceleration_x_gn", 0.001), "acceleration_y": ("acceleration_y_gn", 0.001),
    "acceleration_z": ("acceleration_z_gn", 0.001), "battery": ("battery_v", 0.001), "tx_power": ("tx_power_dbm", 1.0),
    "movement_counter": ("movement_counter", 1), "measurement_sequence_number": ("measurement_sequence", 1),
    "pm_1": ("pm1_0_ug_m3", 1.0), "pm_2_5": ("pm2_5_ug_m3", 1.0), "pm_4": ("pm4_0_ug_m3", 1.0),
    "pm_10": ("pm10_ug_m3", 1.0), "co2": ("co2_ppm", 1.0), "voc": ("voc_index", 1.0), "nox": ("nox_index", 1.0),
    "luminosity": ("illuminance_lx", 1.0),
}  # fmt: skip
"""Its name to ours, and what its value is multiplied by."""


def one(topic: str, data: bytes) -> Reading:
    (event,) = DEVICE.decode(topic, data, T)
    assert isinstance(event, Reading), event
    return event


@pytest.mark.parametrize("vector", published("ruuvi-df3", "ruuvi-df5"), ids=lambda vector: vector["id"])
def test_published_vector(vector: dict[str, Any]) -> None:
    fields = one("", payload(vector)).fields
    expected = dict(vector["expected"])
    assert fields["data_format"] == expected.pop("Data format")
    mac = expected.pop("MAC", "NAN")
    assert fields.get("mac") == (None if mac == "NAN" else mac.replace(" ", ":"))
    for name, text in expected.items():
        ours, unit = PUBLISHED[name]
        number, _, written = text.partition(" ")
        assert fields.get(ours) == (None if number == "NAN" else float(number))
        assert number == "NAN" or written == unit


@pytest.mark.parametrize(("data", "expected"), RECORDED, ids=[case[0][:8] for case in RECORDED])
def test_the_same_as_another_reader(data: str, expected: dict[str, Any]) -> None:
    fields = one("", bytes.fromhex(data)).fields
    assert fields.pop("data_format") == expected.pop("data_format")
    mac = expected.pop("mac", "").replace(":", "").upper()
    assert str(fields.pop("mac", "")).replace(":", "") == mac
    assert fields.pop("calibrating_flag", None) == expected.pop("calibration_in_progress", None)
    assert fields.keys() == {NAMES[name][0] for name in expected}
    for name, value in expected.items():
        ours, factor = NAMES[name]
        assert fields[ours] == pytest.approx(value * factor, abs=0.0051)


@pytest.mark.parametrize("data", [data for data, _ in RECORDED], ids=lambda data: data[:8])
def test_a_payload_comes_back_but_for_what_is_reserved(data: str) -> None:
    fields = one("", bytes.fromhex(data)).fields
    back = advertisement(fields)[7:]
    assert one("", back).fields == fields
    assert back[0] == bytes.fromhex(data)[0]


def passed_on(sequence: int, gateway: str = "A", rssi: int = -60, ts: int = 1_699_999_999) -> bytes:
    data = f"0201061BFF99040512FC5394C37C0004FFFC040CAC3642{sequence:04X}CBB8334C884F"
    return json.dumps({"gw_mac": gateway, "rssi": rssi, "aoa": [], "ts": ts, "data": data, "coords": ""}).encode()


def test_a_measurement_that_several_gateways_hear_is_stored_once() -> None:
    tags = Tags("ruuvi/#")
    (first,) = tags.decode("ruuvi/A/CB:B8:33:4C:88:4F", passed_on(205), T)
    (second,) = tags.decode("ruuvi/B/CB:B8:33:4C:88:4F", passed_on(205, "B", -80), T)
    (third,) = tags.decode("ruuvi/B/CB:B8:33:4C:88:4F", passed_on(206, "B", -80), T + 2 * S)
    (late,) = tags.decode("ruuvi/C/CB:B8:33:4C:88:4F", passed_on(205, "C"), T + 3 * S)
    assert isinstance(first, Reading)
    assert (first.fields["rssi_dbm"], first.fields["gateway_id"]) == (-60.0, "A")
    assert second == Empty("this measurement has come before", passed_on(205, "B", -80), "CB:B8:33:4C:88:4F")
    assert isinstance(third, Reading)
    assert isinstance(late, Empty)


def test_the_same_number_with_other_values_or_much_later_is_another_measurement() -> None:
    tags = Tags("ruuvi/#")
    restarted = passed_on(205).replace(b"12FC", b"12FD")
    said = [tags.decode("ruuvi/A/x", data, T + at * S) for at, data in ((0, passed_on(205)), (9, restarted))]
    assert all(isinstance(event, Reading) for (event,) in said)
    (again,) = tags.decode("ruuvi/A/x", passed_on(205), T + 601 * S)
    assert isinstance(again, Reading)


def test_format_3_has_no_number_and_all_of_it_is_kept() -> None:
    tags = Tags("ruuvi/#")
    data = bytes.fromhex("03291a1ece1efc18f94202ca0b53")
    assert [type(event) for _ in range(2) for event in tags.decode("tags/x", data, T)] == [Reading, Reading]


def test_format_6_of_a_sensor_that_is_heard_in_e1_is_not_needed() -> None:
    tags = Tags("ruuvi/#")
    short = bytes.fromhex("06170C5668C79E007000C90501D9FFCD004C884F")
    long = bytes.fromhex("E1170C5668C79E0065007004BD11CA00C90A0213E0ACFFFFFFDECDEE10FFFFFFFFFFCBB8334C884F")
    assert isinstance(tags.decode("ruuvi/A/x", short, T)[0], Reading)
    assert isinstance(tags.decode("ruuvi/A/x", long, T)[0], Reading)
    (event,) = tags.decode("ruuvi/A/x", short.replace(b"\xcd", b"\xce"), T + S)
    assert event == Empty("format E1 of this sensor says more", short.replace(b"\xcd", b"\xce"), "x")
    assert isinstance(tags.decode("ruuvi/A/y", short, T + S)[0], Reading)


def test_what_is_remembered_is_bounded() -> None:
    tags = Tags("ruuvi/#")
    for number in range(2 * MOST_SENSORS):
        tags.decode(f"ruuvi/A/{number}", passed_on(number % 65535), T)
    assert len(tags._known) == MOST_SENSORS
    assert isinstance(tags.decode(f"ruuvi/A/{2 * MOST_SENSORS - 1}", passed_on(19_999), T)[0], Empty)
    assert isinstance(tags.decode("ruuvi/A/0", passed_on(0), T)[0], Reading)


def test_values_that_the_gateway_has_decoded() -> None:
    """As main/adv_decode_0x05.c writes them."""
    said = {
        "gw_mac": "C8:25:2D:8E:9C:2C", "rssi": -46, "ts": 1687922292, "dataFormat": 5, "temperature": 28.075,
        "humidity": 46.155, "pressure": 150787, "accelX": 0.056, "accelY": 0.016, "accelZ": 1.008,
        "movementCounter": 80, "voltage": 2.651, "txPower": -32, "measurementSequenceNumber": 8273,
        "id": "F4:C6:46:2C:3E:B4", "coords": "",
    }  # fmt: skip
    reading = one("ruuvi/g/F4:C6:46:2C:3E:B4", json.dumps(said).encode())
    assert reading.fields == {
        "data_format": "5", "temperature_c": 28.075, "humidity_pct": 46.155, "pressure_pa": 150787.0,
        "acceleration_x_gn": 0.056, "acceleration_y_gn": 0.016, "acceleration_z_gn": 1.008, "movement_counter": 80,
        "battery_v": 2.651, "tx_power_dbm": -32.0, "measurement_sequence": 8273, "mac": "F4:C6:46:2C:3E:B4",
        "rssi_dbm": -46.0, "gateway_id": "C8:25:2D:8E:9C:2C",
    }  # fmt: skip
    (event,) = DEVICE.decode("ruuvi/g/s", b'{"rssi":1,"dataFormat":9}', T)
    assert isinstance(event, SanityError)
    assert event.detail == "expected data, or a dataFormat of 3, 5, C5, 6, E1, got 9"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"data_format": "7"}, "data format '7', expected one of 3, 5, C5, 6, E1"),
        ({"data_format": "3"}, "is missing"),
        ({"mac": "home"}, "mac 'home', expected an address"),
        ({"temperature_c": 200.0}, "temperature_c: 200.0 is outside"),
        ({"data_format": "5", "co2_ppm": 400.0}, "co2_ppm: not in this frame"),
        (
            {"data_format": "6", "illuminance_lx": -1.0, "measurement_sequence": 1, "calibrating_flag": False},
            "illuminance_lx: -1.0, expected 0 to 167772.14",
        ),
    ],
)
def test_what_no_sensor_can_say(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(EncodeError, match=words):
        DEVICE.encode(Reading(fields))


@pytest.mark.parametrize(("light", "code"), [(65_535.0, 0xFE), (90_000.0, 0xFE), (167_772.14, 0xFE), (0.0, 0x00)])
def test_bright_daylight_is_the_most_that_format_6_says(light: float, code: int) -> None:
    fields = {"data_format": "6", "illuminance_lx": light, "measurement_sequence": 1, "calibrating_flag": False}
    said = DEVICE.encode(Reading(fields))
    (event,) = DEVICE.decode("ruuvi/g/s", said, T)
    assert isinstance(event, Reading)
    assert event.fields["illuminance_lx"] == (65_535.0 if code else 0.0)
    assert bytes.fromhex(json.loads(said)["data"])[7:][13] == code


def test_any_message_ends_in_events() -> None:
    chance = random.Random(3)
    for _ in range(3000):
        data = bytearray(passed_on(chance.randrange(65536)))
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        (event,) = Tags("ruuvi/#").decode("ruuvi/A/x", bytes(data), T)
        assert isinstance(event, Reading | Empty | SanityError)
        (event,) = DEVICE.decode("x", chance.randbytes(chance.randint(1, 45)), T)
        assert isinstance(event, Reading | Empty | SanityError)
