"""Every device type that is asked is simulated: alone and on a line with others, with faults and without."""

from dataclasses import replace

import pytest

from devices.spec.device import PolledDevice
from devices.spec.events import Empty, Event, Reading, Value
from devices.spec.polled import Exchange, Round, together
from devices.spec.sequence import audit
from simulators.faults import Armour, Faults, Injector
from simulators.ledger import Entry
from simulators.line import Line, Respondent
from simulators.things import ThingSpec, respondent
from tests.device_types import BY_NAME, DEVICES

NOON = 1_767_326_400.0  # 2026-01-02 12:00 in UTC+8
ROUNDS = 400
POLLED = [device for device in DEVICES if isinstance(device, PolledDevice)]
FAULTY = Faults(
    seed=7, flip=0.05, partial=0.04, duplicate=0.03, noise=0.06, missing=0.05, late=0.05, stranger=0.04, echo=0.3
)

NOTHING_YET = {"data_ready_flag": False}
"""What an SCD30 says beside zeros while it has measured nothing."""

everyone = pytest.mark.parametrize("device", POLLED, ids=lambda device: device.name)


def made(device: PolledDevice, seed: int = 7, unit: int | None = None, faults: Faults | None = None) -> Respondent:
    one = respondent(ThingSpec(f"thing-{unit or 1}", device, seed, unit=unit))
    if faults is not None:
        one.injector = Injector(faults, Armour.of(device), one.name)
    return one


class Master:
    """Asks the devices of a line in a time of its own, as a gateway would, and keeps what it hears by thing."""

    def __init__(self, respondents: list[Respondent], patience_s: float | None = None) -> None:
        self.now = NOON
        self.line = Line(respondents)
        self.entries = {
            one.name: Entry(one.name, one.device.name, one.device.sequence.modulus, injector=one.injector)
            for one in respondents
        }
        self.rounds = {one.name: Round(one.device.questions, one.unit) for one in respondents}
        self.events: dict[str, list[Event]] = {one.name: [] for one in respondents}
        self._respondents = respondents
        self._due = NOON

    def go_round(self) -> None:
        """Ask every device once; each late answer comes while somebody else is asked, or nobody.

        One that is alone is asked at its own pace.
        """
        if len(self._respondents) == 1:
            self.now = max(self.now, self._due)
            self._due = self.now + self._respondents[0].device.expected_every_s
        for one in self._respondents:
            round_ = self.rounds[one.name]
            round_.begin()
            answers: list[Reading] = []
            while (exchange := round_.next()) is not None:
                events = self._ask(exchange, one.device.timing.timeout_s)
                round_.result(exchange.answered)
                answers += [event for event in events if isinstance(event, Reading)]
                self.events[one.name] += [event for event in events if not isinstance(event, Reading)]
                if not exchange.answered:
                    self.now += one.device.timing.late_s if len(self._respondents) == 1 else 0.0
                    self.hear()
            if answers:
                self.events[one.name].append(together(answers))

    def _ask(self, exchange: Exchange, timeout_s: float) -> list[Event]:
        events = exchange.feed(self.say(exchange.request))
        end = self.now + timeout_s
        while not exchange.answered and self.now < end:
            self.now += 0.01
            events += exchange.feed(self.hear())
        return events + exchange.end()

    def say(self, request: bytes) -> bytes:
        """Put a question on the line; what the line answers to that at once."""
        return self.line.receive(request, self.now)

    def hear(self) -> bytes:
        """What went out since, counted as the fleet counts it."""
        heard = b""
        for said in self.line.take(self.now):
            out = b"".join(said.wire.pieces)
            self.entries[said.by.name].count(said.frame, said.wire.copies, len(out))
            heard += out
        return heard

    def readings(self, name: str) -> list[Reading]:
        return [event for event in self.events[name] if isinstance(event, Reading)]


def assert_counted(master: Master, one: Respondent) -> None:
    """All that was said well is there once, with its own values."""
    entry, sequence = master.entries[one.name], one.device.sequence
    counts = [sequence.extract(reading.fields) for reading in master.readings(one.name)]
    stored = [count for count in counts if count is not None]
    result = audit(entry.sent.total(), stored, sequence.modulus)
    assert (result.stored, result.duplicates) == (entry.good, 0)
    assert result.lost == entry.spoiled.total()


def go_rounds(master: Master, one: Respondent, rounds: int, period_s: float = 0.0) -> int:
    """Go `rounds`, and find each value heard among those that the double made in that round.

    Answers how many readings there were.
    """
    truth: list[Reading] = []
    epoch = one._epoch

    def remembered(moment: float) -> list[Reading]:
        (reading,) = epoch(moment)
        truth.append(Reading(dict(reading.fields)))
        return [reading]

    one._epoch = remembered
    carriers = {part.field for part in one.device.sequence.parts}
    steps = {field.name: field.step or 1e-6 for field in one.device.fields}
    seen = 0
    for number in range(rounds):
        master.now = max(master.now, NOON + number * period_s)
        truth.clear()
        before = len(master.events[one.name])
        master.go_round()
        for reading in master.events[one.name][before:]:
            if not isinstance(reading, Reading):
                continue
            seen += 1
            assert reading.fields
            if reading.fields == NOTHING_YET:
                continue
            for name, value in reading.fields.items():
                said = [each.fields[name] for each in truth if name in each.fields]
                assert name in carriers or any(_near(each, value, steps[name]) for each in said), f"{name}: {value}"
    return seen


def _near(told: Value, value: Value, step: float) -> bool:
    if isinstance(told, bool | str) or isinstance(value, bool | str):
        return told == value
    return abs(told - value) <= step * (1 + 1e-6) + abs(value) * 6e-8  # what an f32 rounds


@everyone
def test_the_same_seed_says_the_same_and_another_seed_others(device: PolledDevice) -> None:
    def said(seed: int) -> list[Reading]:
        master = Master([made(device, seed)])
        for _ in range(20):
            master.go_round()
        return master.readings("thing-1")

    assert said(7) == said(7)
    assert said(7) != said(8)


@everyone
def test_what_is_answered_is_understood_whole(device: PolledDevice) -> None:
    one = made(device)
    master = Master([one])
    for _ in range(ROUNDS):
        master.go_round()
    readings = [reading for reading in master.readings(one.name) if reading.fields != NOTHING_YET]
    quiet = [
        event
        for event in master.events[one.name]
        if isinstance(event, Empty) or (isinstance(event, Reading) and event.fields == NOTHING_YET)
    ]  # it is told to measure, and starts
    assert len(readings) + len(quiet) == len(master.events[one.name])
    assert ROUNDS - 2 <= len(readings) <= ROUNDS
    assert all(reading.fields.keys() == {field.name for field in device.fields} for reading in readings)
    assert_counted(master, one)


@everyone
def test_with_faults_on_no_value_is_wrong_and_the_losses_are_those_injected(device: PolledDevice) -> None:
    one = made(device, faults=FAULTY if device.units else replace(FAULTY, stranger=0.0))
    master = Master([one])
    seen = go_rounds(master, one, ROUNDS)
    assert seen > 0
    assert_counted(master, one)
    assert one.injector is not None
    assert all(one.injector.counts[name] for name in ("flip", "partial", "duplicate", "missing", "late", "echo"))
    assert (one.injector.counts["stranger"] > 0) == bool(device.units)


def test_on_a_line_of_several_with_faults_nobody_gets_what_another_said() -> None:
    meter, probe = BY_NAME["sdm120"], BY_NAME["soil-7in1"]
    assert isinstance(meter, PolledDevice)
    assert isinstance(probe, PolledDevice)
    devices = [
        *(made(meter, seed, unit, replace(FAULTY, seed=seed, late=0.15)) for seed, unit in ((1, 1), (2, 2), (3, 3))),
        *(made(probe, seed, unit, replace(FAULTY, seed=seed, late=0.15)) for seed, unit in ((4, 4), (5, 5))),
    ]
    for number, one in enumerate(devices):  # each says a value of its own, so that a mix-up would show
        name = "energy_kwh" if one.device is meter else "soil_ph"
        epoch = one._epoch

        def told(moment: float, epoch=epoch, name=name, number=number) -> list[Reading]:
            (reading,) = epoch(moment)
            return [Reading({**reading.fields, name: 1.0 + number})]

        one._epoch = told
    master = Master(devices)
    for _ in range(ROUNDS):
        master.go_round()
        master.now += 0.5
    for number, one in enumerate(devices):
        name = "energy_kwh" if one.device is meter else "soil_ph"
        values = {reading.fields[name] for reading in master.readings(one.name) if name in reading.fields}
        assert values == {1.0 + number}
        assert one.injector is not None
        assert one.injector.counts["late"] > 20


def test_a_request_that_is_nobodys_is_not_answered() -> None:
    meter = BY_NAME["sdm120"]
    assert isinstance(meter, PolledDevice)
    line = Line([made(meter, unit=3)])
    assert line.receive(meter.questions[0].request(4), NOON) == b""
    assert line.take(NOON + 10) == []
    assert line.receive(b"\x55" + meter.questions[0].request(3)[:5], NOON) == b""
    line.receive(meter.questions[0].request(3)[5:], NOON)
    (said,) = line.take(NOON + 0.02)
    assert said.frame.data[:3] == b"\x03\x04\x4c"
