"""Davis consoles: what wakes them, packets in recordings, and what was read off packets that others publish."""

import pytest

from devices.davis.family import WAKE
from devices.spec.device import PolledDevice
from devices.spec.events import Event, IntegrityError, Noise, Reading
from devices.spec.polled import Exchange, Round
from simulators.line import Line
from simulators.things import ThingSpec, respondent
from tests.device_types import BY_NAME

NOON = 1_767_326_400.0
LOOP_NO_RAIN = bytes.fromhex(
    "4c4f4f00004701a775200329260301012f01ffffffffffffffffffffffffffffff4effffffffffffff00002340010000ffff"
    "000027002700280063006300ffffffffffffff0000000000000000000000000000000000002d03062c5902f3070a0d0df8"
)
LOOP2_RAIN = bytes.fromhex(
    "4c4f4f1401ff7f5275220327f30201ffc6000f0017000500ca00ff7fff7f4900ff5cff4f004c004e00f6020000003100"
    "906b31003000310000003100020000d1ffad73ad736b75ff000f03090606001e000000ff7fff7fff7fff7fff7fff7f0a0d6437"
)
"""ebarkie/weatherlink@57df5ec08452:data/lps_test.go (MIT)."""
FROST = bytes.fromhex(
    "4c4f4f1401ff7f3c751503270a0300ffe50006000b000200e100ff7fff7fffffff49ff50004e005600000011b7010000"
    "ffff0000000000000e000000020000d1ff957395735275ff06120d1205120006000000ff7fff7fff7fff7fff7fff7f0a0d093c"
)


def vantage(name: str = "davis-vantage") -> PolledDevice:
    device = BY_NAME[name]
    assert isinstance(device, PolledDevice)
    return device


def recorded(data: bytes, name: str = "davis-vantage") -> list[Event]:
    decoder = vantage(name).decoder()
    return decoder.feed(data) + decoder.flush()


def test_a_recording_is_read_with_acknowledgements_and_without() -> None:
    events = recorded(b"\n\r\x06" + LOOP_NO_RAIN + LOOP2_RAIN + b"\x06" + FROST)
    assert [type(event).__name__ for event in events] == ["Noise", "Reading", "Reading", "Reading"]
    first, second, frost = (event for event in events if isinstance(event, Reading))
    assert (first.fields["barometer_inhg"], first.fields["temperature_f"]) == (30.119, 80.6)
    assert (first.fields["next_record"], first.fields["evaporation_month_in"]) == (327, 0.99)
    assert "storm_start" not in first.fields
    assert (second.fields["rain_rate_in_h"], second.fields["rain_storm_in"]) == (7.58, 0.49)
    assert (second.fields["rain_15min_in"], second.fields["rain_24h_in"]) == (0.48, 0.49)
    assert (second.fields["storm_start"], second.fields["barometer_trend"]) == ("2016-06-23", "rising slowly")
    assert frost.fields["dew_point_f"] == -1.0


def test_rain_of_the_metric_bucket_is_a_fifth_of_a_millimetre_a_click() -> None:
    (event,) = recorded(LOOP2_RAIN, "davis-vantage-mm")
    assert isinstance(event, Reading)
    assert event.fields["rain_storm_mm"] == 9.8
    assert event.fields["rain_rate_mm_h"] == 151.6
    assert event.fields["evaporation_day_in"] == 0.0


@pytest.mark.parametrize("at", range(len(LOOP_NO_RAIN)))
def test_no_byte_of_a_packet_may_be_wrong(at: int) -> None:
    broken = bytearray(LOOP_NO_RAIN)
    broken[at] ^= 0x21
    events = recorded(bytes(broken) + LOOP2_RAIN)
    assert sum(isinstance(event, Reading) for event in events) == 1
    assert sum(len(event.data) for event in events if isinstance(event, IntegrityError | Noise)) == 99


def test_what_wakes_is_no_event_and_comes_first() -> None:
    exchange = Exchange(WAKE, 0)
    assert exchange.feed(b"\n") == []
    assert not exchange.answered
    assert exchange.feed(b"\r") == []
    assert exchange.answered
    assert exchange.end() == []


def asked(round_: Round, answers: dict[str, bool]) -> list[str]:
    """The names of the questions of a round, answered or not."""
    names = []
    round_.begin()
    while (exchange := round_.next()) is not None:
        names.append(exchange.question.name)
        round_.result(answers[exchange.question.name])
    return names


def test_a_console_is_woken_up_to_three_times_a_round() -> None:
    round_ = Round(vantage().questions, 0)
    assert asked(round_, {"wake": True, "LOOP": True, "LOOP2": True}) == ["wake", "LOOP", "LOOP2"]
    for _ in range(3):
        assert asked(round_, {"wake": False}) == ["wake", "wake", "wake"]
    assert asked(round_, {"wake": True, "LOOP": True, "LOOP2": True}) == ["wake", "LOOP", "LOOP2"]


def test_firmware_that_does_not_know_lps_is_asked_for_it_more_rarely() -> None:
    round_ = Round(vantage().questions, 0)
    rounds = [asked(round_, {"wake": True, "LOOP": True, "LOOP2": False}) for _ in range(64)]
    assert all(names[:2] == ["wake", "LOOP"] for names in rounds)
    assert 2 <= sum("LOOP2" in names for names in rounds) <= 8


def test_the_double_sleeps_and_wakes() -> None:
    device = vantage()
    line = Line([respondent(ThingSpec("roof", device, 7))])

    def told(request: bytes, now_s: float) -> bytes:
        line.receive(request, now_s)
        return b"".join(piece for said in line.take(now_s + 1.0) for piece in said.wire.pieces)

    wake, loop, loop2 = (question.request(0) for question in device.questions)
    assert told(wake, NOON) == b""
    assert told(wake, NOON + 1.2) == b"\n\r"
    assert told(loop, NOON + 2)[:4] == b"\x06LOO"
    assert told(loop2, NOON + 3)[5] == 1
    assert told(loop, NOON + 200) == b""
    assert told(loop, NOON + 201)[:4] == b"\x06LOO"
