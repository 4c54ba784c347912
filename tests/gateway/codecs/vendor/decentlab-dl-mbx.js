/* Decentlab DL-MBX: version, device, flags, then 16-bit words of each sensor whose flag is set, big endian. Written for
   these tests after its data sheet. */
const BATTERY = { words: 1, values: [["battery_voltage", "Battery voltage", (x) => x[0] / 1000, "V"]] };
const SENSORS = [
  {
    words: 2,
    values: [
      ["distance", "Distance", (x) => x[0], "mm"],
      ["number_of_valid_samples", "Number of valid samples", (x) => x[1]],
    ],
  },
  BATTERY,
];

function decode(bytes, sensors) {
  const version = bytes[0];
  if (version !== 2) {
    return { error: `protocol version ${version} doesn't match v2` };
  }
  const word = (at) => (bytes[at] << 8) | bytes[at + 1];
  const result = { protocol_version: version, device_id: word(1) };
  let flags = word(3);
  let at = 5;
  for (const { words, values } of sensors) {
    if (flags & 1) {
      const x = Array.from({ length: words }, (_, n) => word(at + 2 * n));
      at += 2 * words;
      for (const [name, displayName, convert, unit] of values) {
        result[name] = { displayName, value: convert(x) };
        if (unit !== undefined) result[name]["unit"] = unit;
      }
    }
    flags >>= 1;
  }
  return result;
}

function decodeUplink(input) {
  const { error, ...data } = decode(input.bytes, SENSORS);
  return error ? { errors: [error] } : { data };
}
