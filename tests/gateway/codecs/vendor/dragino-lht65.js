// Dragino LHT65, after the user manual, "Decode Payload". The form of The Things Network 2; nothing is declared that
// need not be, as in much that was written then.
function Decoder(bytes, port) {
  if (port != 2) return null;
  decoded = {};
  decoded.Bat_status = bytes[0] >> 6;
  decoded.BatV = ((bytes[0] << 8 | bytes[1]) & 0x3FFF) / 1000;
  decoded.TempC_SHT = parseFloat(((bytes[2] << 24 >> 16 | bytes[3]) / 100).toFixed(2));
  decoded.Hum_SHT = parseFloat(((bytes[4] << 8 | bytes[5]) / 10).toFixed(1));
  switch (bytes[6] & 0x7F) {
    case 1:
      decoded.Ext_sensor = "Temperature Sensor";
      decoded.TempC_DS = parseFloat(((bytes[7] << 24 >> 16 | bytes[8]) / 100).toFixed(2));
      break;
    case 4:
      decoded.Ext_sensor = "Interrupt Sensor";
      decoded.Exti_pin_level = bytes[7] ? "High" : "Low";
      break;
    case 5:
      decoded.Ext_sensor = "Illumination Sensor";
      decoded.ILL_lx = bytes[7] << 8 | bytes[8];
      break;
    case 6:
      decoded.Ext_sensor = "ADC Sensor";
      decoded.ADC_V = (bytes[7] << 8 | bytes[8]) / 1000;
      break;
    case 7:
      decoded.Ext_sensor = "Interrupt Sensor count";
      decoded.Exit_count = bytes[7] << 8 | bytes[8];
  }
  return decoded;
}
