"""Codecs that harm, each in its way: source, and what is said of it."""

HOSTILE: dict[str, tuple[str, str]] = {
    "loop": ("function decodeUplink(input) { for (;;) {} }", "took more than 0.25 s of processor time"),
    "loop-caught": (
        "function decodeUplink(input) { for (;;) { try { for (;;) {} } catch (e) {} finally { continue; } } }",
        "took more than 0.25 s of processor time",
    ),
    "loop-at-load": ("while (true) {}\nfunction decodeUplink(input) { return { data: {} }; }", "processor time"),
    "regex": (
        'function Decoder(bytes, port) { return { x: /^(a+)+$/.test("a".repeat(40) + "b") }; }',
        "took more than 0.25 s of processor time, in one step",
    ),
    "native-loop": (
        "function Decoder(bytes, port) { return { x: Array.prototype.indexOf.call({ length: 9e15 }, 1) }; }",
        "took more than 0.25 s of processor time, in one step",
    ),
    "memory": (
        "function Decode(fPort, bytes) { var kept = []; for (;;) kept.push(new Array(1000).fill(fPort)); }",
        "memory",  # more than 16 MiB of it, or QuickJS crashes at the limit
    ),
    "memory-text": ('function Decode(fPort, bytes) { var s = "x"; for (;;) s += s; }', "memory"),
    "recursion": (
        "function deep(n) {\n  return deep(n + 1) + 1;\n}\nfunction decodeUplink(input) {\n  return deep(0);\n}",
        "InternalError: stack overflow",
    ),
    "throws": ('function decodeUplink(input) {\n  throw new Error("no such port");\n}', "Error: no such port (line 2)"),
    "throws-null": ("function decodeUplink(input) { throw { toString: null }; }", "threw {"),
    "huge": ('function decodeUplink(input) { return { data: { x: "y".repeat(2000000) } }; }', "answered 2000056 char"),
    "circle": ("function decodeUplink(input) { input.self = input; return { data: input }; }", "circular reference"),
    "getter": (
        "function decodeUplink(input) { return { data: { get x() { for (;;) {} } } }; }",
        "took more than 0.25 s of processor time",
    ),
    "to-json": (
        "function decodeUplink(input) { return { data: { toJSON: function () { throw new Error('no'); } } }; }",
        "Error: no",
    ),
    "prototypes": (
        "Object.prototype.data = 1; Array.prototype.push = null; JSON.stringify = null; Object.keys = null;\n"
        "Array.prototype[Symbol.iterator] = function* () { for (;;) yield 1; };\n"
        "function decodeUplink(input) { return [...input.bytes]; }",
        "",
    ),
    "half-a-character": (r'function decodeUplink(input) { return { data: { x: "\ud800" } }; }', "no JSON"),
    "deep-answer": (
        "function decodeUplink(input) { var x = 1; for (var i = 0; i < 3000; i++) x = [x]; return { data: x }; }",
        "",
    ),
}
"""`""` where any reason will do."""

SPAM = """
function decodeUplink(input) {
  for (var i = 0; i < 2000; i++) console.log("spam", i, input);
  return { data: { value: 7 } };
}
"""
