"""The text in a file that a person's editor wrote, whatever the file begins with.

| begins with | is |
|---|---|
| `EF BB BF`, or anything else | UTF-8 |
| `FF FE` or `FE FF`; a NUL as its second or first byte | UTF-16, little or big endian |
| `FF FE 00 00` or `00 00 FE FF`; three NULs around its first byte | UTF-32 |

Byte order marks go, and line ends become LF: CRLF as Windows writes them, and the bare CR of an old Mac.
What is no text is named for what it is. Lines and columns count from 1, columns in characters.
Source: Unicode 15.0, section 23.8 (byte order mark); RFC 4627, section 3 (the pattern of NULs).
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = (
    (re.compile(rb"[^\0]\0\0\0", re.DOTALL), "utf-32-le"),
    (re.compile(rb"\0\0\0[^\0]", re.DOTALL), "utf-32-be"),
    (re.compile(rb"[^\0]\0", re.DOTALL), "utf-16-le"),
    (re.compile(rb"\0[^\0]", re.DOTALL), "utf-16-be"),
)
_SURE = (
    (re.compile(rb"\xff\xfe(?:[\t-~]\0){2}|(?:[\t-~]\0){8}"), "utf-16-le"),
    (re.compile(rb"\xfe\xff(?:\0[\t-~]){2}|(?:\0[\t-~]){8}"), "utf-16-be"),
)
_OTHERS = (
    (b"{\\rtf", "rich text (RTF)"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3\0", "a SQLite database"),
)


class NotText(ValueError):
    """These bytes are no text. `str()` says what they are; `line` and `column` where, from 1."""

    def __init__(self, why: str, line: int = 1, column: int = 1) -> None:
        super().__init__(why)
        self.line = line
        self.column = column


def read_text(file: Path) -> str:
    """The text of `file`. Raises OSError, and NotText."""
    return decoded(file.read_bytes())


def decoded(data: bytes) -> str:
    """The text that `data` is, with LF as its line end. Raises NotText."""
    for begin, what in _OTHERS:
        if data.startswith(begin):
            raise NotText(f"this is {what}, not a plain text")
    encoding = encoding_of(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line, column = end_of(_with_lf(data[: error.start].decode(encoding)))
        raise NotText(_undecodable(data[error.start], encoding, error.reason), line, column) from error
    text = _with_lf(text.lstrip("\ufeff"))
    at = text.find("\0")
    if at >= 0:
        raise NotText("a NUL character: part of the file is empty, or in another encoding", *end_of(text[:at]))
    return text


def followed(data: bytes, text: str) -> bytes:
    """`data` with `text`, whose lines end with LF, behind it: after an empty line, in its encoding and with its line
    ends. Raises NotText."""
    before = decoded(data)
    encoding = encoding_of(data)
    raw = data.decode(encoding)
    end = "\r\n" if "\r\n" in raw else "\n" if "\n" in raw or "\r" not in raw else "\r"
    gap = "" if not before or before.endswith("\n\n") else "\n" if before.endswith("\n") else "\n\n"
    return data + (gap + text).replace("\n", end).encode(encoding)


def open_text(file: Path) -> TextIO:
    """`file`, to be read line by line whatever it begins with and of any size. Raises OSError; reading raises
    UnicodeDecodeError where it is no text."""
    with file.open("rb") as begin:
        head = begin.read(4)
    stream = file.open(encoding=encoding_of(head))
    if any(head.startswith(mark) for mark, _ in _MARKS):
        stream.read(1)
    return stream


def begins_with(head: bytes, words: str) -> bool:
    """Whether the text that begins with the bytes `head` begins with `words`."""
    return head.decode(encoding_of(head), "ignore").lstrip("\ufeff").startswith(words)


def as_utf8(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks of a text in UTF-16 as UTF-8 without a byte order mark; any other as they are.

    They may be what a device has said, noise included, so it takes two ASCII characters behind a mark, or eight
    without one, to be such a text.
    """
    head = b""
    rest = iter(chunks)
    for chunk in rest:
        head += chunk
        if len(head) >= 16:
            break
    encoding = next((encoding for pattern, encoding in _SURE if pattern.match(head)), None)
    if encoding is None:
        yield head
        yield from rest
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    yield decoder.decode(head).lstrip("\ufeff").encode()
    for chunk in rest:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", True).encode()


def end_of(text: str) -> tuple[int, int]:
    """Line and column behind the last character of `text`."""
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def encoding_of(data: bytes) -> str:
    """The encoding of a text that begins with `data`."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    return next((encoding for pattern, encoding in _UNMARKED if pattern.match(data)), "utf-8")


def _with_lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _undecodable(byte: int, encoding: str, reason: str) -> str:
    if encoding != "utf-8":
        return f"not {encoding[:6].upper()}, although it begins like it ({reason})"
    meant = bytes((byte,)).decode("cp1252", "replace")
    hint = f' ("{meant}" in Windows-1252)' if meant.isprintable() and meant != "\ufffd" else ""
    return f"byte 0x{byte:02x} is not UTF-8{hint}"
