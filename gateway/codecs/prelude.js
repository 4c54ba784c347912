/* What a codec finds around it, and the one function that calls it.

   Evaluates to run(make, bytes, port, ms, variables, entry, rich): "=" and the answer as JSON, "?" and a function that
   is not there, "!" and what was thrown that is no Error, "#" and how long an answer was that is too long.

   `make` runs the codec's file as the body of a function and answers its three functions; so each uplink finds the
   file freshly run, as at a network server, and nothing of one uplink is left for the next. Without `bytes`, which
   functions are there. `rich`: answers may hold what JSON does not know (typed arrays, maps, whole numbers of any
   size). This text stands behind more empty lines than the codec's file has, so a trace tells whose a line is. */
(function (global) {
  "use strict";
  const { stringify, parse } = JSON;
  const { isView } = ArrayBuffer;
  const { isArray, from: listOf } = Array;
  const { fromEntries, defineProperty, keys } = Object;
  const { deleteProperty } = Reflect;
  const LONGEST = 65536, MOST_LINES = 20, LONGEST_LINE = 200;
  let printed = [];

  const hide = (target, name, value) =>
    defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });

  function parkgate_plain(_key, value) {
    if (typeof value !== "object" || value === null) return typeof value === "bigint" ? Number(value) : value;
    if (isView(value)) return value instanceof DataView ? listOf(new Uint8Array(value.buffer)) : listOf(value);
    if (value instanceof ArrayBuffer) return listOf(new Uint8Array(value));
    if (value instanceof Map) return fromEntries(value);
    if (value instanceof Set) return listOf(value);
    return value;
  }

  function parkgate_words(value) {
    try {
      const text = typeof value === "string" ? value
        : value instanceof Error || typeof value !== "object" ? String(value) : stringify(value, parkgate_plain);
      return String(text).slice(0, LONGEST_LINE);
    } catch (_) {
      return "something that cannot be shown";
    }
  }

  function print() {
    if (printed.length < MOST_LINES) printed.push(listOf(arguments, parkgate_words).join(" ").slice(0, LONGEST_LINE));
  }

  const console = {};
  for (const name of ["log", "info", "warn", "error", "debug", "trace", "dir", "table"]) console[name] = print;
  for (const name of ["assert", "clear", "count", "group", "groupEnd", "time", "timeEnd", "timeLog"]) {
    console[name] = function () {};
  }

  hide(global, "console", console);
  hide(global, "global", global);
  hide(global, "require", function (name) {
    if (String(name).replace("node:", "") === "buffer") return { Buffer: global.Buffer };
    throw new Error("require(\"" + name + "\"): a codec is one file, there are no modules");
  });

  const NAMES = ["decodeUplink", "Decoder", "Decode"];

  /* The functions of the file by name: what it declares, or else exports, or else puts on the global object. */
  function parkgate_functions(make) {
    const module = { exports: {} };
    hide(global, "module", module);
    hide(global, "exports", module.exports);
    const declared = make.call(global);
    const found = {};
    NAMES.forEach((name, at) => {
      const given = module.exports && module.exports[name];
      const own = typeof declared[at] === "function" ? declared[at] : typeof given === "function" ? given : global[name];
      if (typeof own === "function") found[name] = own;
    });
    if (typeof module.exports === "function" && !keys(found).length) found.decodeUplink = module.exports;
    return found;
  }

  function parkgate_listed(value) {
    if (value === undefined || value === null || value === false || value === "") return [];
    return listOf(isArray(value) ? value : [value], parkgate_words);
  }

  /* Whether an answer has the form of TS013. An older function says its values alone; some say them as the new one. */
  function parkgate_enveloped(value, entry) {
    if (typeof value !== "object" || value === null || isArray(value)) return false;
    const names = keys(value);
    const whole = names.every((name) => ["data", "errors", "warnings"].includes(name));
    if (entry === "decodeUplink") return whole || names.includes("data") || isArray(value.errors);
    return whole && typeof value.data === "object";
  }

  function parkgate_call(entry, found, bytes, port, ms, variables) {
    if (entry === "Decoder") return found.Decoder(bytes, port, variables);
    if (entry === "Decode") return found.Decode(port, bytes, variables);
    return found.decodeUplink({ bytes, fPort: port, recvTime: new Date(ms), variables });
  }

  function parkgate_answer(value, entry, rich) {
    const told = parkgate_enveloped(value, entry) ? value : { data: value };
    const errors = parkgate_listed(told.errors);
    let data = errors.length ? undefined : told.data;
    if (data === undefined || typeof data === "function") data = null;
    const said = { data, warnings: parkgate_listed(told.warnings), errors, printed };
    const text = rich ? stringify(said, parkgate_plain) : stringify(said);
    return text.length > LONGEST ? "#" + text.length : "=" + text;
  }

  return function parkgate_run(make, bytes, port, ms, variables, entry, rich) {
    printed = [];
    try {
      const found = parkgate_functions(make);
      const names = keys(found);
      if (bytes === null) return "=" + stringify({ functions: names, printed });
      const name = entry || NAMES.find((each) => found[each]);
      if (!name || !found[name]) return "?" + (entry || "");
      const given = variables === "" ? {} : parse(variables);
      return parkgate_answer(parkgate_call(name, found, parse(bytes), port, ms, given), name, rich);
    } catch (thrown) {
      if (thrown === null || thrown instanceof Error) throw thrown;
      return "!" + parkgate_words(thrown);
    } finally {
      for (const name of keys(global)) deleteProperty(global, name);
    }
  };
})(globalThis);
