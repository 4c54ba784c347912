/* What codecs written for Node.js or newer engines find besides, where their text names it: Buffer, TextDecoder,
   TextEncoder, atob, btoa, structuredClone, what came to arrays and objects with ECMAScript 2022 and 2023, and dates as
   people write them. No line of it is a codec's in a trace. */
(function (global) {
  "use strict";
  const { stringify, parse } = JSON;
  const { isArray, from: listOf } = Array;
  const { defineProperty } = Object;

  const hide = (target, name, value) =>
    defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
  const add = (target, name, value) => { if (!(name in target)) hide(target, name, value); };

  function utf8(bytes) {
    let text = "", at = 0;
    while (at < bytes.length) {
      const head = bytes[at];
      const more = head < 0x80 ? 0 : head >= 0xc2 && head < 0xe0 ? 1 : head >= 0xe0 && head < 0xf0 ? 2
        : head >= 0xf0 && head < 0xf5 ? 3 : -1;
      let point = more < 1 ? head : head & (0x3f >> more), took = 1;
      while (took <= more && (bytes[at + took] & 0xc0) === 0x80) point = (point << 6) | (bytes[at + took++] & 0x3f);
      const whole = more >= 0 && took === more + 1 && point < 0x110000 && !(point >= 0xd800 && point < 0xe000)
        && point >= [0, 0x80, 0x800, 0x10000][more];
      text += whole ? String.fromCodePoint(point) : "\ufffd";
      at += took;
    }
    return text;
  }

  function bytesOf(text) {
    const out = [];
    for (const letter of String(text)) {
      const point = letter.codePointAt(0);
      if (point < 0x80) out.push(point);
      else if (point < 0x800) out.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
      else if (point < 0x10000) out.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
      else {
        out.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f));
        out.push(0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
      }
    }
    return out;
  }

  const SIXTY_FOUR = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  function base64(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; at += 3) {
      const three = (bytes[at] << 16) | ((bytes[at + 1] || 0) << 8) | (bytes[at + 2] || 0);
      for (let place = 0; place < 4; place++) {
        text += at + place > bytes.length ? "=" : SIXTY_FOUR[(three >> (18 - 6 * place)) & 63];
      }
    }
    return text;
  }

  function unbase64(text) {
    const out = [];
    let bits = 0, held = 0;
    for (const letter of String(text).replace(/-/g, "+").replace(/_/g, "/")) {
      const value = SIXTY_FOUR.indexOf(letter);
      if (value < 0) continue;
      held = ((held << 6) | value) & 0xffffff;
      bits += 6;
      if (bits >= 8) out.push((held >> (bits -= 8)) & 255);
    }
    return out;
  }

  function unhex(text) {
    const out = new Array(text.length >> 1);
    for (let at = 0; at < out.length; at++) out[at] = parseInt(text.substr(2 * at, 2), 16);
    return out;
  }

  const letters = (bytes) => listOf(bytes, (byte) => String.fromCharCode(byte)).join("");
  const hexOf = (bytes) => listOf(bytes, (byte) => (byte < 16 ? "0" : "") + byte.toString(16)).join("");

  class Buffer extends Uint8Array {
    static from(value, encoding, length) {
      if (typeof value === "string") {
        const how = String(encoding || "utf8").toLowerCase();
        value = how === "hex" ? unhex(value) : how.startsWith("base64") ? unbase64(value)
          : how === "ascii" || how === "latin1" || how === "binary" ? listOf(value, (one) => one.charCodeAt(0) & 255)
          : bytesOf(value);
      } else if (value instanceof ArrayBuffer) {
        return new Buffer(value, encoding, length);
      } else if (value && value.type === "Buffer" && isArray(value.data)) {
        value = value.data;
      }
      const made = new Buffer(value.length);
      made.set(value);
      return made;
    }
    static alloc(size, fill) { return new Buffer(size).fill(fill || 0); }
    static allocUnsafe(size) { return new Buffer(size); }
    static isBuffer(value) { return value instanceof Buffer; }
    static concat(list) { return Buffer.from([].concat(...list.map((each) => listOf(each)))); }
    static byteLength(text, encoding) { return Buffer.from(text, encoding).length; }
    slice(from, to) { return this.subarray(from, to); }
    equals(other) { return hexOf(this) === hexOf(other); }
    toString(encoding, from, to) {
      const part = this.subarray(from || 0, to === undefined ? this.length : to);
      const how = String(encoding || "utf8").toLowerCase();
      if (how === "hex") return hexOf(part);
      if (how === "base64") return base64(part);
      return how === "ascii" || how === "latin1" || how === "binary" ? letters(part) : utf8(part);
    }
    view(at, size) {
      if (at < 0 || at + size > this.length) throw new RangeError("offset " + at + " of " + this.length + " bytes");
      return new DataView(this.buffer, this.byteOffset);
    }
    readUIntBE(at, size) {
      this.view(at, size);
      let value = 0;
      for (let place = 0; place < size; place++) value = value * 256 + this[at + place];
      return value;
    }
    readUIntLE(at, size) {
      this.view(at, size);
      let value = 0;
      while (size--) value = value * 256 + this[at + size];
      return value;
    }
    readIntBE(at, size) { return signed(this.readUIntBE(at, size), size); }
    readIntLE(at, size) { return signed(this.readUIntLE(at, size), size); }
  }
  const signed = (value, size) => (value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value);
  const READS = [["UInt8", "Uint8", 1], ["Int8", "Int8", 1], ["UInt16", "Uint16", 2], ["Int16", "Int16", 2],
    ["UInt32", "Uint32", 4], ["Int32", "Int32", 4], ["Float", "Float32", 4], ["Double", "Float64", 8],
    ["BigUInt64", "BigUint64", 8], ["BigInt64", "BigInt64", 8]];
  for (const [name, get, size] of READS) {
    for (const order of size === 1 ? [""] : ["BE", "LE"]) {
      const read = function (at = 0) { return this.view(at, size)["get" + get](at, order === "LE"); };
      hide(Buffer.prototype, "read" + name + order, read);
      hide(Buffer.prototype, "read" + name.replace("UI", "Ui") + order, read);
    }
  }

  class TextDecoder {
    decode(value) {
      if (value === undefined) return "";
      return utf8(value instanceof ArrayBuffer ? new Uint8Array(value)
        : value instanceof DataView ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value);
    }
  }
  class TextEncoder {
    encode(text) { return Uint8Array.from(bytesOf(text === undefined ? "" : text)); }
  }

  add(global, "Buffer", Buffer);
  add(global, "TextDecoder", TextDecoder);
  add(global, "TextEncoder", TextEncoder);
  add(global, "atob", (text) => letters(unbase64(text)));
  add(global, "btoa", (text) => base64(listOf(String(text), (letter) => letter.charCodeAt(0) & 255)));

  // of ECMAScript 2022 and 2023, which the engine is too old for
  const at = function (index) { index = Math.trunc(index) || 0; return this[index < 0 ? this.length + index : index]; };
  add(Array.prototype, "at", at);
  add(String.prototype, "at", at);
  add(Object.getPrototypeOf(Uint8Array.prototype), "at", at);
  add(Object, "hasOwn", (target, name) => Object.prototype.hasOwnProperty.call(target, name));
  add(Array.prototype, "findLast", function (good) { return listOf(this).reverse().find(good); });
  add(Array.prototype, "toReversed", function () { return listOf(this).reverse(); });
  add(Array.prototype, "toSorted", function (compare) { return listOf(this).sort(compare); });
  add(global, "structuredClone", (value) => parse(stringify(value)));

  // of dates the engine's own words are wrong by twelve hours
  const two = (number) => String(number).padStart(2, "0");
  const day = (date) => date.getMonth() + 1 + "/" + date.getDate() + "/" + date.getFullYear();
  const hour = (date) => (date.getHours() % 12 || 12) + ":" + two(date.getMinutes()) + ":" + two(date.getSeconds())
    + (date.getHours() < 12 ? " AM" : " PM");
  hide(Date.prototype, "toLocaleDateString", function () { return day(this); });
  hide(Date.prototype, "toLocaleTimeString", function () { return hour(this); });
  hide(Date.prototype, "toLocaleString", function () { return day(this) + ", " + hour(this); });
})(globalThis);
