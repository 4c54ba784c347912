"""An intake is divided where its messages are whole, and joined again without a change."""

from gateway.intake import Intake


class Connection:
    def acknowledge(self, packet_ids: list[int]) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


EAST, WEST = Connection(), Connection()


def messages(first: int, count: int, connection: Connection = EAST, session: str = "east") -> Intake:
    """As if `count` messages of one line each had come in chunks of two."""
    intake = Intake()
    for number in range(first, first + count):
        intake.lines.append(f"m v={number}")
        intake.taken.setdefault(session, []).append(number)
        intake.acks.setdefault(connection, []).append(number)
        if (number - first) % 2:
            intake.mark()
    return intake


def test_divided_in_the_middle_at_a_mark() -> None:
    intake = messages(1, 8)
    intake.drop_lines, intake.drop_things = ["d v=1"], {"lamp": 1}
    parts = intake.divide()
    assert parts is not None
    older, newer = parts
    assert older.lines == ["m v=1", "m v=2", "m v=3", "m v=4"]
    assert (older.taken, older.acks, older.drop_lines) == ({"east": [1, 2, 3, 4]}, {EAST: [1, 2, 3, 4]}, [])
    assert newer.lines == ["m v=5", "m v=6", "m v=7", "m v=8"]
    assert (newer.taken, newer.acks) == ({"east": [5, 6, 7, 8]}, {EAST: [5, 6, 7, 8]})
    assert (newer.drop_lines, newer.drop_things) == (["d v=1"], {"lamp": 1})


def test_divided_down_to_the_marks_and_no_further() -> None:
    left, found = [messages(1, 8)], []
    while left:
        intake = left.pop()
        parts = intake.divide()
        if parts is None:
            found.append(intake.acks[EAST])
        else:
            left += parts[::-1]
    assert found == [[1, 2], [3, 4], [5, 6], [7, 8]]


def test_nothing_to_divide() -> None:
    assert Intake().divide() is None
    assert messages(1, 2).divide() is None
    assert Intake(["m v=1", "m v=2"]).divide() is None


def test_joined_intakes_keep_their_marks() -> None:
    intake = messages(1, 4)
    intake.join(messages(101, 4, WEST, "west"))
    intake.join(messages(5, 2))
    assert intake.taken == {"east": [1, 2, 3, 4, 5, 6], "west": [101, 102, 103, 104]}
    parts = intake.divide()
    assert parts is not None
    older, newer = parts
    assert older.lines == ["m v=1", "m v=2", "m v=3", "m v=4"]
    assert older.acks == {EAST: [1, 2, 3, 4]}
    again = newer.divide()
    assert again is not None
    assert [part.acks for part in again] == [
        {WEST: [101, 102]},
        {EAST: [5, 6], WEST: [103, 104]},
    ]
