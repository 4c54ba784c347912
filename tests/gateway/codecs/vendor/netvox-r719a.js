// Netvox R719A, after "Netvox LoRaWAN Application Command", device type 0x59. A function put into a variable.
var pad = function (value) { return (value < 16 ? "0" : "") + value.toString(16); };
var devices = { 0x59: "R719A" };

Decoder = function (bytes, port) {
  if (port !== 6) throw "port " + port + " is not for reports";
  var out = { Device: devices[bytes[1]] };
  if (bytes[2] === 0x00) {
    out.SWver = bytes[3] / 10;
    out.HWver = bytes[4];
    out.Datecode = pad(bytes[5]) + pad(bytes[6]) + pad(bytes[7]) + pad(bytes[8]);
    return out;
  }
  if (bytes[3] & 0x80) out.Volt = (bytes[3] & 0x7f) / 10 + "(low battery)";
  else out.Volt = bytes[3] / 10;
  out.CarOnOff = bytes[4];
  return out;
};
