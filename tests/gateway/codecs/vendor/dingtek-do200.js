// Dingtek DO200, after the protocol document: 80 00 02, kind, length, values, 81. Exported, as for Node.js.
"use strict";
const signed = (high, low) => Buffer.from([high, low]).readInt16BE(0);

function telemetry(bytes) {
  const view = new DataView(Uint8Array.from(bytes).buffer);
  return {
    level: view.getUint16(5),
    alarmPark: Boolean(bytes[7] & 0x0f),
    alarmLevel: Boolean(bytes[8] >> 4),
    alarmMagnet: Boolean(bytes[8] & 0x01),
    alarmBattery: Boolean(bytes[8] & 0x02),
    volt: view.getInt16(9) / 100,
    xMagnet: signed(bytes[11], bytes[12]),
    yMagnet: view.getInt16(13),
    zMagnet: view.getInt16(15),
    Frame_Counter: view.getUint16(17),
  };
}

module.exports.Decode = function (fPort, bytes) {
  if (fPort !== 3) throw new RangeError(`port ${fPort}`);
  if (bytes[3] === 0x01 || bytes[3] === 0x02) return telemetry(bytes);
  return {
    firmware: `${bytes[5]}.${bytes[6]}`,
    uploadInterval: bytes[7],
    ultraDetectInterval: bytes[8],
    magDetectInterval: bytes[9],
    magThreshold: new DataView(new Uint8Array(bytes).buffer).getUint16(12),
  };
};
