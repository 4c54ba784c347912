// Dragino LGT92, after the user manual, "Payload": bit fields of one byte hold mode, LED and firmware.
function Decoder(bytes, port) {
  var degrees = function (at) {
    return (bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3]) / 1000000;
  };
  var out = {
    latitude: degrees(0),
    longitude: degrees(4),
    ALARM_status: (bytes[8] & 0x40) !== 0,
    BatV: ((bytes[8] & 0x3f) << 8 | bytes[9]) / 1000,
    MD: { 0: "Disable", 1: "Move", 2: "Collide", 3: "Custom" }[bytes[10] >> 6],
    LON: (bytes[10] & 0x20) !== 0,
    FW: 160 + (bytes[10] & 0x1f)
  };
  if (bytes.length >= 15) {
    out.Roll = (bytes[11] << 24 >> 16 | bytes[12]) / 100;
    out.Pitch = (bytes[13] << 24 >> 16 | bytes[14]) / 100;
  }
  return out;
}
