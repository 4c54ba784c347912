"""The published vectors of meters and weather stations, their publishers' names mapped to ours here."""

from typing import Any

import pytest

from devices.spec.device import PolledDevice, StreamDevice
from devices.spec.events import IntegrityError, Reading
from tests.device_types import BY_NAME
from tests.devices.examples import nanoseconds
from tests.devices.published import published
from tests.devices.test_oracles_dsmr import NAMES

LEFT_OUT = {
    "EQUIPMENT_IDENTIFIER", "BELGIUM_EQUIPMENT_IDENTIFIER", "EQUIPMENT_SERIAL_NUMBER", "COSEM_LOGICAL_DEVICE_NAME",
}  # fmt: skip
"""They lead to a household."""
BELGIUM = {
    "BELGIUM_MAXIMUM_DEMAND_MONTH": "demand_max_kw",
    "BELGIUM_MAXIMUM_DEMAND_13_MONTHS": "demand_max_past_1_kw",  # dsmr_parser's first of the list
    "BELGIUM_VERSION_INFORMATION": "version_be",
}
DAVIS = {
    "Bar.Altimeter": "altimeter_inhg", "Bar.SeaLevel": "barometer_inhg", "Bar.Station": "station_pressure_inhg",
    "DewPoint": "dew_point_f", "ET.Today": "evaporation_day_in", "HeatIndex": "heat_index_f",
    "InHumidity": "inside_humidity_pct", "InTemp": "inside_temperature_f", "OutHumidity": "humidity_pct",
    "OutTemp": "temperature_f", "Rain.Rate": "rain_rate_in_h", "Rain.Accum.Last15Min": "rain_15min_in",
    "Rain.Accum.LastHour": "rain_hour_in", "Rain.Accum.Last24Hours": "rain_24h_in", "Rain.Accum.Today": "rain_day_in",
    "Rain.Accum.Storm": "rain_storm_in", "SolarRad": "solar_w_m2", "THSWIndex": "thsw_index_f", "UVIndex": "uv_index",
    "Wind.Cur.Dir": "wind_direction_deg", "Wind.Cur.Speed": "wind_mph",
    "Wind.Avg.Last2MinSpeed": "wind_mean_2min_mph", "Wind.Avg.Last10MinSpeed": "wind_mean_10min_mph",
    "Wind.Gust.Last10MinDir": "wind_gust_direction_deg", "Wind.Gust.Last10MinSpeed": "wind_gust_10min_mph",
    "WindChill": "wind_chill_f",
}  # fmt: skip
UNITS = {"kWh": "kW.h", "kvarh": "kvar.h", "kW": "kW", "kvar": "kvar", "V": "V", "A": "A", "Hz": "Hz"}


@pytest.mark.parametrize("vector", published("dsmr-p1"), ids=lambda vector: vector["device"])
def test_telegram(vector: dict[str, Any]) -> None:
    device = BY_NAME["dsmr"]
    assert isinstance(device, StreamDevice)
    fields = {field.name: field for field in device.fields}
    for name in ("dsmr", "dsmr-v2"):
        kind = BY_NAME[name]
        assert isinstance(kind, StreamDevice)
        decoder = kind.decoder()
        events = decoder.feed(vector["input_text"].encode()) + decoder.flush()
        house, *others = events
        assert isinstance(house, Reading)
        assert house.field_errors == ()
        assert [event.tags["channel"] for event in others if isinstance(event, Reading)] == [
            str(n + 1) for n in range(len(others))
        ]
        for theirs, wanted in vector["expected"].items():
            if theirs in LEFT_OUT:
                assert str(wanted) not in map(str, house.fields.values())
            elif theirs == "P1_MESSAGE_TIMESTAMP":
                assert house.time_ns == nanoseconds(wanted.replace("+00:00", "Z"))
            else:
                ours = BELGIUM.get(theirs) or NAMES[theirs][0]
                value = wanted["value"] if isinstance(wanted, dict) else wanted
                assert house.fields[ours] == (value if fields[ours].kind == "text" else float(value)), theirs
                if isinstance(wanted, dict):
                    assert fields[ours].unit == UNITS[wanted["unit"]]


@pytest.mark.parametrize("vector", published("davis-loop"), ids=lambda vector: str(vector["id"]))
def test_packet(vector: dict[str, Any]) -> None:
    device = BY_NAME["davis-vantage"]
    assert isinstance(device, PolledDevice)
    decoder = device.decoder()
    (event,) = decoder.feed(bytes.fromhex(vector["input_hex"])) + decoder.flush()
    if vector["expected"].get("reject"):
        assert isinstance(event, IntegrityError)
        return
    assert isinstance(event, Reading)
    for theirs, wanted in vector["expected"].items():
        if theirs == "Bar.Trend":
            assert event.fields["barometer_trend"] == wanted.lower()
        else:
            assert event.fields[DAVIS[theirs]] == float(wanted), theirs
