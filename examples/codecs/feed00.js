// The codec of the simulated LoRaWAN nodes of kind "raw", whose DevEUI begins with feed00: type and value, big endian.
//
//     01 00 E1   temperature, 0.1 °C     02 29      relative humidity, %
//     06 02 71   CO2, ppm                07 0D 2A   battery, mV
var SIZES = { 1: 2, 2: 1, 6: 2, 7: 2 };
var NAMES = { 1: "temperature", 2: "humidity", 6: "co2", 7: "battery_mv" };

function decodeUplink(input) {
  if (input.fPort !== 5) {
    return { errors: ["expected port 5"] };
  }
  var data = {};
  var bytes = input.bytes;
  for (var i = 0; i < bytes.length; ) {
    var type = bytes[i++];
    if (!(type in SIZES) || i + SIZES[type] > bytes.length) {
      return { errors: ["byte " + (i - 1) + ": expected a type and its value"] };
    }
    var value = SIZES[type] === 2 ? (bytes[i] << 8) | bytes[i + 1] : bytes[i];
    data[NAMES[type]] = type === 1 ? (value > 0x7fff ? value - 0x10000 : value) / 10 : value;
    i += SIZES[type];
  }
  return { data: data };
}
