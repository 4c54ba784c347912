// Terabee LoRa Level Monitoring XL, after its user manual: distance, level, voltage.
export function decodeUplink({ bytes, fPort }) {
  if (fPort !== 1) return { errors: ["unknown FPort"] };
  const [d1, d0, level, v1, v0] = bytes;
  return { data: { distance: (d1 << 8) | d0, levelPercentage: level, batteryVoltage: (v1 << 8) | v0 } };
}
