"""What a file may begin with: read, or named for what it is."""

import codecs

import pytest

from textfile import NotText, as_utf8, decoded

WORDS = 'name = "Größe 池"\nx = 1\n'


@pytest.mark.parametrize(
    "data",
    [
        WORDS.encode(),
        codecs.BOM_UTF8 + WORDS.encode(),
        codecs.BOM_UTF8 + codecs.BOM_UTF8 + WORDS.encode(),
        codecs.BOM_UTF16_LE + WORDS.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + WORDS.encode("utf-16-be"),
        WORDS.encode("utf-16-le"),
        WORDS.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + WORDS.encode("utf-32-le"),
        codecs.BOM_UTF32_BE + WORDS.encode("utf-32-be"),
        WORDS.encode("utf-32-le"),
        WORDS.encode("utf-32-be"),
        WORDS.replace("\n", "\r\n").encode(),
        WORDS.replace("\n", "\r").encode(),
        WORDS.replace("\n", "\r\n", 1).replace("\n", "\r").replace("\r\r", "\r\n").encode(),
        codecs.BOM_UTF16_LE + WORDS.replace("\n", "\r\n").encode("utf-16-le"),
        codecs.BOM_UTF8 + WORDS.replace("\n", "\r").encode(),
    ],
    ids=range(16),
)
def test_whatever_an_editor_writes_is_read(data: bytes) -> None:
    assert decoded(data) == WORDS


@pytest.mark.parametrize("data", [b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_nothing_is_an_empty_text(data: bytes) -> None:
    assert decoded(data) == ""


@pytest.mark.parametrize(
    ("data", "line", "column", "why"),
    [
        (b"a = 1\nb = 'Gr\xf6\xdfe'\n", 2, 8, 'byte 0xf6 is not UTF-8 ("ö" in Windows-1252)'),
        (b"a = 1\r\nb = \x81", 2, 5, "byte 0x81 is not UTF-8"),
        (b"a = \xff\xfe", 1, 5, 'byte 0xff is not UTF-8 ("ÿ" in Windows-1252)'),
        (
            codecs.BOM_UTF16_LE + "a\nb".encode("utf-16-le") + b"c",
            2,
            2,
            "not UTF-16, although it begins like it (truncated data)",
        ),
        (
            codecs.BOM_UTF16_LE + b"a\0\0\xdc",
            1,
            3,
            "not UTF-16, although it begins like it (illegal encoding)",
        ),
        (b"a = 1\nb\0=\0", 2, 2, "a NUL character: part of the file is empty, or in another encoding"),
        (b"\0\0\0\0\0\0", 1, 1, "a NUL character: part of the file is empty, or in another encoding"),
        (b"{\\rtf1\\ansi x", 1, 1, "this is rich text (RTF), not a plain text"),
        (b"PK\x03\x04\x14\0", 1, 1, "this is a ZIP archive or an office document, not a plain text"),
        (b"\x1f\x8b\x08", 1, 1, "this is compressed with gzip, not a plain text"),
        (b"%PDF-1.7", 1, 1, "this is a PDF document, not a plain text"),
        (b"SQLite format 3\0\x10", 1, 1, "this is a SQLite database, not a plain text"),
    ],
)
def test_what_is_no_text_is_named_for_what_it_is(data: bytes, line: int, column: int, why: str) -> None:
    with pytest.raises(NotText) as caught:
        decoded(data)
    assert (caught.value.line, caught.value.column, str(caught.value)) == (line, column, why)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    "data",
    [
        WORDS.encode(),
        codecs.BOM_UTF16_LE + WORDS.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + WORDS.encode("utf-16-be"),
        WORDS.encode("utf-16-le"),
        WORDS.encode("utf-16-be"),
    ],
    ids=range(5),
)
def test_a_payload_in_a_file_may_be_saved_as_utf16(data: bytes, size: int) -> None:
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(as_utf8(chunks)) == WORDS.encode()


@pytest.mark.parametrize("data", [b"", b"\0", b"\xff\xfe$GPGGA", b"\0\0$GPGGA", b"\x81\xa2\x61n", b"a\0$GPGGA", b"{}"])
def test_noise_before_a_text_does_not_change_it(data: bytes) -> None:
    assert b"".join(as_utf8([data[:1], data[1:]])) == data
