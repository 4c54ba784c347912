"""Rows out of the bare pages of a spool file, for when SQLite can no longer read them.

Only what the file format needs for table `row` is read:

    page            4096 bytes; byte 0 (byte 100 of page 1) is 0x0d on a leaf that holds rows
    leaf            [3:5] number of cells, [8:] their offsets, 2 bytes each
    cell            varint payload length, varint seq, payload; past 4061 bytes the payload goes on
                    in overflow pages: 4-byte page number, then [0:4] next page, [4:] content
    payload         varint header length, a varint type a column, the columns
    -wal            32-byte header (salts in [16:24]); frames of 24 bytes ([0:4] page number,
                    [4:8] not 0 on a commit, [8:16] salts) and a page; the last commit counts

Whatever is found is taken only if its CRC-32 fits, so a page that merely looks like a leaf
yields nothing. A page that SQLite has freed may still hold rows that were delivered.

Source: "Database File Format", sqlite.org/fileformat2.html, sections 1.6, 2.1 and 4.1.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from gateway.spool.rows import StoredRow
from gateway.spool.schema import PAGE_BYTES

_LOCAL_MOST = PAGE_BYTES - 35
_LOCAL_LEAST = (PAGE_BYTES - 12) * 32 // 255 - 23
_CONTENT = PAGE_BYTES - 4
_COLUMNS = 7
_MOST_PAYLOAD = 1 << 30
_INT_BYTES = (0, 1, 2, 3, 4, 6, 8)


class Place(NamedTuple):
    """Where a row was seen: `offset` of its cell in page `page`."""

    seq: int
    page: int
    offset: int


class Pages:
    """A spool file and its log, read page by page. Nothing is written."""

    def __init__(self, file: BinaryIO, log: BinaryIO | None, size: int) -> None:
        """`size` is the file's size in bytes."""
        self._file = file
        self._log = log
        self._logged = _committed_frames(log) if log is not None else {}
        self.count = max(-(-size // PAGE_BYTES), max(self._logged, default=0))

    def page(self, number: int) -> bytes:
        """Page `number` (from 1) as last committed; short or empty beyond the end."""
        offset = self._logged.get(number)
        if offset is not None and self._log is not None:
            self._log.seek(offset)
            return self._log.read(PAGE_BYTES)
        self._file.seek((number - 1) * PAGE_BYTES)
        return self._file.read(PAGE_BYTES)

    def places(self) -> Iterator[Place]:
        """Everything that looks like a row, in page order."""
        for number in range(1, self.count + 1):
            page = self.page(number)
            start = 100 if number == 1 else 0
            if len(page) < PAGE_BYTES or page[start] != 0x0D:
                continue
            cells = int.from_bytes(page[start + 3 : start + 5], "big")
            for index in range(min(cells, PAGE_BYTES // 4)):
                at = start + 8 + 2 * index
                offset = int.from_bytes(page[at : at + 2], "big")
                if 0 < offset < PAGE_BYTES - 4:
                    _, at = _varint(page, offset)
                    yield Place(_signed(_varint(page, at)[0]), number, offset)

    def row(self, place: Place) -> StoredRow | None:
        """The row at `place`, or None where there is none whose checksum fits."""
        page = self.page(place.page)
        length, at = _varint(page, place.offset)
        _, at = _varint(page, at)
        if length > _MOST_PAYLOAD:
            return None
        local = length
        if length > _LOCAL_MOST:
            local = _LOCAL_LEAST + (length - _LOCAL_LEAST) % _CONTENT
            local = local if local <= _LOCAL_MOST else _LOCAL_LEAST
        payload = bytearray(page[at : at + local])
        following = int.from_bytes(page[at + local : at + local + 4], "big") if local < length else 0
        while len(payload) < length and 0 < following <= self.count:
            page = self.page(following)
            if len(page) < PAGE_BYTES:
                break
            payload += page[4 : 4 + length - len(payload)]
            following = int.from_bytes(page[:4], "big")
        if len(payload) < length:
            return None
        found = _decode(place.seq, bytes(payload))
        return found if found is not None and found.sound else None


def open_pages(path: Path) -> tuple[Pages, list[BinaryIO]]:
    """The pages, and the files that the caller closes. Raises OSError."""
    files: list[BinaryIO] = [path.open("rb")]
    log = path.with_name(path.name + "-wal")
    if log.exists():
        files.append(log.open("rb"))
    return Pages(files[0], files[1] if len(files) > 1 else None, path.stat().st_size), files


def _committed_frames(log: BinaryIO) -> dict[int, int]:
    """Page number to the offset of its newest committed copy in the log."""
    header = log.read(32)
    committed: dict[int, int] = {}
    pending: dict[int, int] = {}
    offset = 32
    while len(header) == 32:
        log.seek(offset)
        frame = log.read(24)
        if len(frame) < 24 or frame[8:16] != header[16:24]:
            break
        pending[int.from_bytes(frame[0:4], "big")] = offset + 24
        if frame[4:8] != b"\0\0\0\0":
            committed.update(pending)
            pending.clear()
        offset += 24 + PAGE_BYTES
    return committed


def _decode(seq: int, payload: bytes) -> StoredRow | None:
    header, at = _varint(payload, 0)
    kinds: list[int] = []
    while at < header and len(kinds) < _COLUMNS:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if len(kinds) != _COLUMNS or kinds[0] != 0 or kinds[6] < 12 or kinds[6] % 2:
        return None
    at = header
    numbers: list[int] = []
    for kind in kinds[1:5]:
        if kind in (8, 9):
            numbers.append(kind - 8)
            continue
        if not 1 <= kind <= 6:
            return None
        size = _INT_BYTES[kind]
        numbers.append(int.from_bytes(payload[at : at + size], "big", signed=True))
        at += size
    if kinds[5] >= 13:
        at += (kinds[5] - 13) // 2
    lines = payload[at : at + (kinds[6] - 12) // 2]
    at_ns, lane, points, crc = numbers
    return StoredRow(seq, at_ns, lane, points, crc, lines)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number (unsigned, 64 bits) and where it ends. Beyond the data everything is 0."""
    value = 0
    for index in range(8):
        byte = data[at + index] if at + index < len(data) else 0
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    last = data[at + 8] if at + 8 < len(data) else 0
    return value << 8 | last, at + 9


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
