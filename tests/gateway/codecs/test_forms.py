"""What a codec may look like and find around it: each source, run in the real process, and what it says."""

import time
from pathlib import Path

import pytest

from devices.spec.coded import Raw
from gateway.codecs import Limits, Said, Verdict, answers, script_of

GOOD = {
    "declared": "function decodeUplink(input) { return { data: { n: input.bytes[0] } }; }",
    "a constant": "const decodeUplink = ({ bytes }) => ({ data: { n: bytes[0] } });",
    "not declared": "decodeUplink = function (input) { return { data: { n: input.bytes[0] } }; };",
    "on this": "this.decodeUplink = function (input) { return { data: { n: input.bytes[0] } }; };",
    "on globalThis": "globalThis.Decoder = (bytes, port) => ({ n: bytes[0] });",
    "exported": "exports.decodeUplink = (input) => ({ data: { n: input.bytes[0] } });",
    "module.exports": "function f(i) { return { data: { n: i.bytes[0] } }; }\nmodule.exports = { decodeUplink: f };",
    "a module": "export function decodeUplink(input) { return { data: { n: input.bytes[0] } }; }\nexport const x = 1;",
    "a module, named at its end": "function Decode(p, b) { return { n: b[0] }; }\nexport { Decode };",
    "a module's default": "export default function decodeUplink(input) { return { data: { n: input.bytes[0] } }; }",
    "a default without a name": "export default function (input) { return { data: { n: input.bytes[0] } }; }",
    "a default object": "export default { decodeUplink: (input) => ({ data: { n: input.bytes[0] } }) };",
    "modules of its own names": "const module = 1, exports = 2; function Decoder(b) { return { n: b[0] }; }",
    "strict": '"use strict";\nfunction Decoder(bytes, port) { return { n: bytes[0] }; }',
    "values alone": "function decodeUplink(input) { return { n: input.bytes[0] }; }",
    "as TS013": "function Decode(port, bytes) { return { data: { n: bytes[0] }, warnings: [] }; }",
    "three, the first is meant": (
        "function Decode() { return { n: 'no' }; } function Decoder() { return { n: 'no' }; }\n"
        "function decodeUplink(i) { return { data: { n: i.bytes[0] } }; }"
    ),
    "a shebang": "#!/usr/bin/env node\nfunction Decoder(bytes) { return { n: bytes[0] }; }",
    "a comment at its end": "function Decoder(bytes) { return { n: bytes[0] }; } // the end",
    "a byte order mark": "\ufefffunction Decoder(bytes) { return { n: bytes[0] }; }",
    "late helpers": "function Decoder(b) { return { n: first(b) }; }\nvar first = function (b) { return b[0]; };",
    "a class": "class R { #b; constructor(b) { this.#b = b; } get n() { return this.#b[0]; } }\n"
    "function Decoder(bytes) { const r = new R(bytes); return { n: r.n }; }",
    "new words": "function Decoder(b) { let x = null; x ??= { n: b?.at(-1) };"
    " return { ...x, m: 1_0n, ['l']: x?.y?.z }; }",
    "old words": "function Decoder(b) { var o = {}; with (o) { n = b[0]; }"
    " return { n: n, oct: 010, a: arguments.length }; }",
    "Buffer": "function Decoder(b) { const x = Buffer.from(b); return { n: x.readUInt8(0), h: x.toString('hex'),"
    " w: Buffer.from('0102ff', 'hex').readInt16LE(1), f: Buffer.from([0, 0, 0xc8, 0x42]).readFloatLE(0) }; }",
    "require buffer": "const { Buffer: B } = require('buffer');\nfunction Decoder(b) { return { n: B.from(b)[0] }; }",
    "text": "function Decoder(b) { const t = new TextDecoder().decode(new Uint8Array([0xc2, 0xb5, 0x6d]));"
    " return { n: b[0], t, u: atob('wrVt') === unescape('%C2%B5m'), v: btoa('\\u00c2\\u00b5m') }; }",
    "console": "console.log('load');\nfunction Decoder(b) { console.table(b); console.assert(1); return { n: b[0] }; }",
}
"""The first byte is `n`."""


@pytest.mark.parametrize("name", GOOD)
def test_forms_that_are_taken(tmp_path: Path, name: str) -> None:
    file = tmp_path / "codec.js"
    file.write_text(GOOD[name])
    (said,) = answers([(script_of(file), Raw(b"\x2a", 3))], Limits(), time.time_ns())
    assert isinstance(said, Said), said
    assert said.data["n"] == 42
    more = {key: value for key, value in said.data.items() if key not in ("n", "l")}
    assert more == {
        "new words": {"m": 10},
        "old words": {"oct": 8, "a": 3},
        "Buffer": {"h": "2a", "w": -254, "f": 100},
        "text": {"t": "µm", "u": True, "v": "wrVt"},
    }.get(name, {})


STATE = """
var seen = [], table = { count: 0 };
function decodeUplink(input) {
  seen.push(input.bytes[0]);
  table.count++;
  if (typeof left === "undefined") left = 0;
  left += 1;
  return { data: { seen: seen, count: table.count, left: left } };
}
"""


def test_each_uplink_finds_the_file_freshly_run(tmp_path: Path) -> None:
    file = tmp_path / "codec.js"
    file.write_text(STATE)
    script = script_of(file)
    said = answers([(script, Raw(bytes((n,)), 1)) for n in range(3)], Limits(), time.time_ns())
    assert said == [Said({"seen": [n], "count": 1, "left": 1}) for n in range(3)]


def test_what_it_is_given(tmp_path: Path) -> None:
    file = tmp_path / "codec.js"
    file.write_text(
        "function decodeUplink(i) { return { data: { port: i.fPort, list: Array.isArray(i.bytes), bytes: i.bytes,"
        " when: i.recvTime instanceof Date && i.recvTime.toISOString(), off: i.recvTime.getTimezoneOffset(),"
        " vars: i.variables } }; }"
    )
    (said,) = answers([(script_of(file), Raw(b"\x00\xff", 0))], Limits(), 1_700_000_000_123_456_789)
    assert said == Said(
        {
            "port": 0,
            "list": True,
            "bytes": [0, 255],
            "when": "2023-11-14T22:13:20.123Z",
            "off": 0,
            "vars": {},
        }
    )


def test_it_finds_nothing_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKGATE_API_TOKEN", "secret")
    file = tmp_path / "codec.js"
    file.write_text(
        "function Decoder(b) { return ['process', 'std', 'os', 'fetch', 'XMLHttpRequest', 'setTimeout', 'Deno',"
        " 'print', 'load', 'scriptArgs'].filter((name) => typeof globalThis[name] !== 'undefined'); }"
    )
    (said,) = answers([(script_of(file), Raw(b"\x00", 0))], Limits(), time.time_ns())
    assert said == Said([])


@pytest.mark.parametrize(
    ("source", "kind", "why"),
    [
        ("function decodeUplink(input) {\n  return {;\n}", "broken", "SyntaxError: invalid property name (line 2)"),
        ("function decodeUplink(input) {\n  return 1;\n}\n}\n", "broken", "SyntaxError: "),
        ("function decodeUplink(input) {\n  if (1) {\n", "broken", "SyntaxError: "),
        ("import x from 'y';\nfunction Decoder() {}", "broken", "SyntaxError: "),
        ("", "broken", "has none of the functions decodeUplink, Decoder and Decode"),
        ("var decodeUplink = 3;", "broken", "has none of the functions"),
        ("const x = require('fs');", "thrown", 'Error: require("fs"): a codec is one file, there are no modules'),
        ("function Decoder(b) {\n\n  return b.c.d;\n}", "thrown", "of undefined (line 3)"),
        ("function Decoder(b) { throw 'no'; }", "thrown", "threw no"),
        ("function Decoder(b) { throw { code: 3 }; }", "thrown", 'threw {"code":3}'),
        ("function Decoder(b) {\n  setTimeout(Decoder, 1);\n}", "thrown", "'setTimeout' is not defined (line 2)"),
    ],
)
def test_what_is_said_of_a_bad_one(tmp_path: Path, source: str, kind: str, why: str) -> None:
    file = tmp_path / "codec.js"
    file.write_text(source)
    (said,) = answers([(script_of(file), Raw(b"\x2a", 3))], Limits(), time.time_ns())
    assert isinstance(said, Verdict)
    assert said.kind == kind
    assert why in said.why


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (
            "// of one file\nvar x = require('fs');\nfunction decodeUplink(i) { return { data: {} }; }\n",
            'Error: require("fs"): a codec is one file, there are no modules (line 2)',
        ),
        ("function decodeUplink(i) { return { data: { a: 1 }", "SyntaxError: expecting '}' (line 1)"),
        ("function decodeUplink(i) {\n  return { data: { a: 1 }\n", "SyntaxError: expecting '}' (line 2)"),
        ("function decodeUplink(i) {\n  /* to be done", "SyntaxError: unexpected end of comment (line 2)"),
        ("function a() {}\n}\nfunction Decoder(b) {}\n", "SyntaxError: unexpected token in expression: '}' (line 2)"),
        ("export function Decoder(b) {\n  return )\n}", "SyntaxError: unexpected token in expression: ')' (line 2)"),
        ("export {\n  a\n};\nvar a;\nnull.b;", "TypeError: cannot read property 'b' of null (line 5)"),
        ("function decodeUplink(i) { throw new Error('no'); }", "Error: no (line 1)"),
        ("\n\nfunction decodeUplink(i) { throw new Error('no'); }\n", "Error: no (line 3)"),
        ("function decodeUplink(i) { return f(i); }\n\nvar f = (i) => i.a.b;\n", "'b' of undefined (line 3)"),
        ("function Decoder(b) {\n  return JSON.parse(\n    '{');\n}", "SyntaxError: expecting property name (line 3)"),
        (
            "function Decoder(b) {\n\n  return Buffer.from(b).readUInt8(9);\n}",
            "RangeError: offset 9 of 1 bytes (line 3)",
        ),
    ],
)
def test_a_line_is_one_of_the_makers_file(tmp_path: Path, source: str, why: str) -> None:
    file = tmp_path / "codec.js"
    file.write_text(source)
    (said,) = answers([(script_of(file), Raw(b"\x2a", 3))], Limits(), time.time_ns())
    assert isinstance(said, Verdict)
    assert said.why.endswith(why)


def test_there_is_no_line_where_a_codec_runs_text_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "codec.js"
    file.write_text("function Decoder(b) {\n  return eval('\\n\\n\\nnull.x');\n}")
    said = answers([(script_of(file), Raw(b"\x2a", 3))], Limits(), time.time_ns())
    assert said == [Verdict("thrown", "TypeError: cannot read property 'x' of null")]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    big = tmp_path / "big.js"
    big.write_text("//" + "x" * (1 << 20))
    said = answers([(script_of(tmp_path / "gone.js"), Raw(b"\x00", 1)), (script_of(big), Raw(b"\x00", 1))], Limits(), 0)
    assert said == [
        Verdict("broken", "cannot be read: No such file or directory"),
        Verdict("broken", "is longer than 1 MiB"),
    ]


def test_a_long_payload_is_given_to_none(tmp_path: Path) -> None:
    file = tmp_path / "codec.js"
    file.write_text(GOOD["declared"])
    said = answers([(script_of(file), Raw(bytes(size), 1)) for size in (512, 513)], Limits(), 0)
    assert said == [Said({"n": 0}), Verdict("long", "is given at most 512 bytes, not 513")]
