// Ellenex PLS2-L, after its payload document; the whole answer is the values, as ChirpStack 3 has it.
function Decode(fPort, bytes, variables) {
  var raw = bytes[3] * 256 + bytes[4];
  if (raw > 32767) raw -= 65536;
  return { level: raw, batteryVoltage: bytes[7] / 10, unused: undefined, bad: 0 / 0 };
}
