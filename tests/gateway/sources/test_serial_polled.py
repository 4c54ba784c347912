"""A line whose devices are asked, on real ptys: who is asked when, and what is whose answer."""

import asyncio
import itertools
import logging
from dataclasses import replace

import pytest

from devices.spec.device import PolledDevice
from devices.spec.events import IntegrityError, Noise, SanityError
from devices.spec.polled import Timing, Verdict
from gateway.sources.serial.port import PortState
from tests.gateway.lines import CO2, METER, PROBE, Answers, Bus, asked, asking, bus

SOIL = {
    "soil_moisture_pct": 10.0,
    "soil_temperature_c": 20.0,
    "soil_conductivity_us_cm": 100.0,
    "soil_ph": 7.0,
    "nitrogen_mg_kg": 1.0,
    "phosphorus_mg_kg": 2.0,
    "potassium_mg_kg": 3.0,
}
VOLTS = {"voltage_v": 230.0, "current_a": 1.0, "power_w": 230.0, "apparent_power_va": 230.0, "power_factor": 1.0}
(SOIL_QUESTION,) = PROBE.questions


def soil(unit: int, moisture: float = 10.0) -> bytes:
    return SOIL_QUESTION.answer(unit, {**SOIL, "soil_moisture_pct": moisture})


def quick(device: PolledDevice, late_s: float = 0.3) -> PolledDevice:
    """The same type on a line in a hurry."""
    return replace(device, timing=Timing(timeout_s=0.1, silence_s=0.002, late_s=late_s))


def moistures(answers: Answers) -> list[object]:
    return [reading.fields["soil_moisture_pct"] for reading in answers.readings]


def answering(line: Bus, table: dict[bytes, bytes]) -> None:
    """Answer each request of the table at once."""

    def answer(request: bytes) -> None:
        if request in table:
            line.say(table[request])

    line.answer = answer


async def test_a_type_whose_own_code_fails_costs_its_answers_and_not_the_line() -> None:
    class Broken(Exception):
        pass

    def judge(_unit: int, _data: bytes) -> Verdict:
        raise Broken("a type that breaks its promise")

    def request(_unit: int) -> bytes:
        raise Broken("no question")

    bad = replace(SOIL_QUESTION, judge=judge)
    things = [
        asked(quick(replace(PROBE, questions=(bad,))), 1),
        asked(quick(PROBE), 2),
        asked(quick(replace(PROBE, questions=(replace(SOIL_QUESTION, request=request),))), 3),
    ]
    async with bus() as line:
        answering(line, {SOIL_QUESTION.request(unit): soil(unit, float(unit)) for unit in (1, 2)})
        async with asking(line.path, things) as run:
            await run.until(lambda: len(run[1].readings) >= 4 and len(run[0].bad) >= 4 and len(run[2].bad) >= 2, 30.0)
            assert not run.task.done()
        assert moistures(run[1])[:4] == [2.0, 2.0, 2.0, 2.0]
        assert run[0].readings == []
        assert SanityError("Broken('no question')", b"") in run[2].bad
        said = b"".join(event.data for event in run[0].bad if isinstance(event, SanityError))
        assert soil(1, 1.0) in said


async def test_three_things_one_of_them_dead_the_others_on_time() -> None:
    things = [asked(quick(PROBE), unit, every_s=0.5, timeout_s=0.1 if unit == 2 else 0.5) for unit in (1, 2, 3)]
    async with bus() as line:
        answering(line, {SOIL_QUESTION.request(unit): soil(unit, float(unit)) for unit in (1, 3)})
        async with asking(line.path, things) as run:
            await run.until(lambda: len(run[0].readings) >= 8 and len(run[2].readings) >= 8, 30.0)
            assert run.stats.state == "up"
        for unit in (1, 3):
            times = line.times(SOIL_QUESTION.request(unit))
            gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
            # even times, late by no more than the dead one's timeout (and what a busy machine adds)
            assert all(0.5 - 0.1 - 0.2 < gap < 0.5 + 0.1 + 0.2 for gap in gaps), gaps
            assert (times[-1] - times[0]) / len(gaps) == pytest.approx(0.5, abs=0.05)
        assert set(moistures(run[0])) == {1.0}
        assert set(moistures(run[2])) == {3.0}
        dead = line.times(SOIL_QUESTION.request(2))
        assert run[1].readings == []
        assert 3 <= run[1].silences <= len(dead)
        assert len(dead) < len(line.times(SOIL_QUESTION.request(1)))  # it is asked more rarely
        assert dead[-1] - dead[-2] > 0.9


async def test_a_late_answer_is_never_anothers() -> None:
    things = [asked(quick(PROBE), 1, every_s=0.6, timeout_s=0.1), asked(quick(PROBE), 2, every_s=0.6, timeout_s=1.0)]
    async with bus() as line:

        def answer(request: bytes) -> None:
            if request == SOIL_QUESTION.request(1):
                line.say(soil(1, 11.0), after_s=0.2)  # while unit 2 is being asked
            else:
                line.say(soil(2, 22.0), after_s=0.2)

        line.answer = answer
        async with asking(line.path, things) as run:
            await run.until(lambda: len(run[1].readings) >= 6 and len(run[0].bad) >= 3)
        assert set(moistures(run[1])) == {22.0}
        assert run[0].readings == []
        late = [event for event in run[0].bad if isinstance(event, SanityError)]
        assert late
        assert all(event.detail.startswith("late: answered 0.") for event in late)
        assert late[0].data == soil(1, 11.0)
        assert run[1].bad == []


async def test_a_late_answer_is_not_taken_for_that_to_the_next_question_of_the_same_thing() -> None:
    """Both questions here have answers of one length, so that nothing in the bytes tells them apart."""
    first, second = METER.questions[3], replace(METER.questions[3], name="the same, later")
    device = replace(
        quick(METER, late_s=0.3), questions=(METER.questions[0], first), fields=METER.questions[0].fields + first.fields
    )
    async with bus() as line:
        sent = 0

        def answer(request: bytes) -> None:
            nonlocal sent
            if request == first.request(1):
                sent += 1
                line.say(first.answer(1, {"energy_kwh": float(sent)}), after_s=0.2)

        line.answer = answer
        async with asking(line.path, [asked(device, 1, every_s=0.1, timeout_s=0.1)]) as run:
            await run.until(lambda: len(run[0].bad) >= 3)
        assert run[0].readings == []
        assert all(isinstance(event, SanityError) for event in run[0].bad)
        times = [time for time, _ in line.heard]
        assert all(later - earlier > 0.3 for earlier, later in itertools.pairwise(times))
        assert second.size == first.size


async def test_what_nobody_asked_for_is_noise_and_delays_only_a_little() -> None:
    async with bus() as line:
        answering(line, {SOIL_QUESTION.request(1): soil(1)})
        async with asking(line.path, [asked(quick(PROBE), 1)]) as run:
            await run.until(lambda: len(run[0].readings) >= 2)
            line.say(b"\x01\x03\x0e" + b"\x55" * 20)
            before = len(run[0].readings)
            await run.until(lambda: len(run[0].readings) >= before + 3)
            noise = b"".join(event.data for event in run[0].bad if isinstance(event, Noise))
            assert noise == b"\x01\x03\x0e" + b"\x55" * 20
            assert set(moistures(run[0])) == {10.0}


async def test_the_echo_of_an_adapter_is_stripped() -> None:
    async with bus() as line:
        line.answer = lambda request: (line.say(request), line.say(soil(1), after_s=0.02))  # type: ignore[assignment, func-returns-value, return-value]
        async with asking(line.path, [asked(quick(PROBE), 1)]) as run:
            await run.until(lambda: len(run[0].readings) >= 4)
            assert run[0].bad == []
            assert run[0].silences == 0


async def test_a_port_is_called_silent_once_a_question_was_not_answered(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "parkgate.serial")
    async with bus() as line:
        line.answer = lambda _request: line.say(soil(1))  # type: ignore[method-assign]
        async with asking(line.path, [asked(quick(PROBE), 1, every_s=0.1, timeout_s=5.0)]) as run:
            await run.until(lambda: run.source.state is PortState.UP)
    assert [record.getMessage().split(": ", 1)[1] for record in caplog.records] == ["up"]
    caplog.clear()
    async with bus() as line:
        line.answer = lambda _request: None  # type: ignore[method-assign]
        async with asking(line.path, [asked(quick(PROBE, late_s=0.0), 1, every_s=0.1, timeout_s=0.1)]) as run:
            await run.until(lambda: run[0].silences >= 3)
            assert run.stats.state == "open but silent: no answer yet"
    assert [record.getMessage().split(": ", 1)[1] for record in caplog.records] == ["open but silent: no answer yet"]


async def test_an_echo_alone_is_no_answer() -> None:
    async with bus() as line:
        line.answer = line.say  # type: ignore[assignment]
        async with asking(line.path, [asked(quick(PROBE, late_s=0.0), 1, every_s=0.1, timeout_s=0.1)]) as run:
            await run.until(lambda: run[0].silences >= 3)
            assert run[0].bad == []
            assert run.source.state is PortState.SILENT
            assert run.source.last_bytes_monotonic is None


async def test_noise_before_an_answer_and_an_answer_in_pieces() -> None:
    async with bus() as line:

        def answer(_request: bytes) -> None:
            whole = soil(1)
            line.say(b"\x00\xff" + whole[:4])
            line.say(whole[4:9], after_s=0.02)
            line.say(whole[9:], after_s=0.04)

        line.answer = answer
        async with asking(line.path, [asked(quick(PROBE), 1)]) as run:
            await run.until(lambda: len(run[0].readings) >= 3)
            assert run[0].silences == 0
            assert {event.data for event in run[0].bad if isinstance(event, Noise)} == {b"\x00\xff"}


async def test_two_devices_on_one_number_are_failed_checks_not_readings() -> None:
    async with bus() as line:
        both = bytes(one | other for one, other in zip(soil(1, 10.0), soil(1, 37.5), strict=True))
        answering(line, {SOIL_QUESTION.request(1): both})
        async with asking(line.path, [asked(quick(PROBE, late_s=0.0), 1, every_s=0.1, timeout_s=0.1)]) as run:
            await run.until(lambda: run[0].silences >= 3)
            assert run[0].readings == []
            assert isinstance(run[0].bad[0], IntegrityError)


async def test_a_refusal_is_an_answer_and_is_named() -> None:
    async with bus() as line:
        answering(line, {SOIL_QUESTION.request(1): bytes.fromhex("018302c0f1")})
        async with asking(line.path, [asked(quick(PROBE), 1)]) as run:
            await run.until(lambda: len(run[0].bad) >= 3)
            assert run[0].silences == 0
            assert run[0].readings == []
            assert run.stats.state == "up"
            assert {event.detail for event in run[0].bad} == {  # type: ignore[union-attr]
                "refused with exception 2, illegal data address: the device has no such registers; is it of this type?"
            }


async def test_the_answers_of_a_round_are_one_reading_and_one_silence_costs_the_others_nothing() -> None:
    volts, energies, currents, total = METER.questions
    table = {
        volts.request(1): volts.answer(1, VOLTS),
        currents.request(1): currents.answer(1, {}),
        total.request(1): total.answer(1, {"energy_kwh": 5.0}),
    }
    async with bus() as line:
        answering(line, table)
        async with asking(line.path, [asked(quick(METER, late_s=0.05), 1, every_s=0.2)]) as run:
            await run.until(lambda: len(run[0].readings) >= 6)
        whole = {"voltage_v", "current_a", "power_w", "apparent_power_va", "power_factor", "energy_kwh"}
        assert all(reading.fields.keys() == whole for reading in run[0].readings)
        rounds = len(line.times(volts.request(1)))
        assert 0 < len(line.times(energies.request(1))) < rounds - 1  # asked more rarely, never not at all


async def test_a_dead_thing_is_asked_more_rarely_for_ever_and_as_before_when_it_lives() -> None:
    async with bus() as line:
        async with asking(line.path, [asked(quick(CO2, late_s=0.0), 0, every_s=0.1, timeout_s=0.1)]) as run:
            request = CO2.questions[0].request(0)
            await run.until(lambda: len(line.times(request)) >= 6)
            times = line.times(request)
            gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
            assert gaps[-1] > 0.35
            assert gaps[-1] > gaps[0]
            answering(line, {request: bytes.fromhex("ff86027c42000000ba")})
            await run.until(lambda: len(run[0].readings) >= 4)
            times = line.times(request)
            assert times[-1] - times[-2] < 0.3
        assert {reading.fields["co2_ppm"] for reading in run[0].readings} == {636.0}


async def test_stopping_hands_over_what_was_answered_in_the_round() -> None:
    volts = METER.questions[0]
    async with bus() as line:
        answering(line, {volts.request(1): volts.answer(1, VOLTS)})
        async with asking(line.path, [asked(quick(METER, late_s=5.0), 1, every_s=60.0, timeout_s=0.3)]) as run:
            await run.until(lambda: run[0].silences >= 1)
            assert run[0].readings == []
            run.source.stop_reading()
            assert [reading.fields["voltage_v"] for reading in run[0].readings] == [230.0]
            asked_before = len(line.heard)
            await asyncio.sleep(0)
            assert len(line.heard) == asked_before


async def test_a_port_that_goes_and_comes_is_asked_again() -> None:
    async with bus() as line:
        answering(line, {SOIL_QUESTION.request(1): soil(1)})
        async with asking(line.path, [asked(quick(PROBE), 1)]) as run:
            await run.until(lambda: len(run[0].readings) >= 2)
            run.source.reopen("for the test")
            await run.until(lambda: run.stats.connects == 2)
            before = len(run[0].readings)
            await run.until(lambda: len(run[0].readings) >= before + 2)
            assert run.stats.state == "up"


async def test_a_line_that_never_is_silent_is_asked_all_the_same() -> None:
    async with bus() as line:
        talking = True

        def babble() -> None:
            if talking:
                line.say(b"\x55")
                asyncio.get_running_loop().call_later(0.0008, babble)

        answering(line, {SOIL_QUESTION.request(1): soil(1)})
        async with asking(line.path, [asked(quick(PROBE), 1)]) as run:
            babble()
            await run.until(lambda: len(line.times(SOIL_QUESTION.request(1))) >= 2)
            talking = False
            await run.until(lambda: run[0].readings)


async def test_a_strangers_frame_on_the_line_is_told_by_its_reason() -> None:
    things = [asked(quick(PROBE), 1, every_s=0.25)]
    async with bus() as line:
        answering(line, {SOIL_QUESTION.request(1): soil(2)})
        async with asking(line.path, things) as run:
            await run.until(lambda: len(run[0].bad) >= 2)
        assert run[0].readings == []
        assert set(map(str, (event.detail for event in run[0].bad))) == {"an answer of unit 2, not of unit 1"}
