// MClimate CO2 sensor and notifier, after "Uplink payload" of the maker's pages.
function decodeUplink(input) {
  try {
    const bytes = input.bytes;
    const data = {};
    if (bytes[0] !== 1) throw new Error("not a keepalive");
    data.CO2 = (bytes[1] << 8) | bytes[2];
    data.sensorTemperature = Number(((((bytes[3] << 8) | bytes[4]) - 400) / 10).toFixed(2));
    data.relativeHumidity = Number(((bytes[5] * 100) / 256).toFixed(2));
    data.batteryVoltage = Number(((bytes[6] * 8 + 1600) / 1000).toFixed(2));
    return { data };
  } catch (error) {
    return { errors: [error.message] };
  }
}
