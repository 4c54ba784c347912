// Dragino LSPH01, after the user manual, "Uplink Payload". Answers texts, as its maker's does.
function Decoder(bytes, port) {
  var value;
  var result = {};
  value = (bytes[0] << 8 | bytes[1]) & 0x3FFF;
  result.Bat = value / 1000;
  value = bytes[2] << 24 >> 16 | bytes[3];
  result.TempC_DS18B20 = (value / 10).toFixed(2);
  value = bytes[4] << 8 | bytes[5];
  result.PH1_SOIL = (value / 100).toFixed(2);
  value = bytes[6] << 24 >> 16 | bytes[7];
  result.TEMP_SOIL = (value / 10).toFixed(2);
  result.Interrupt_flag = bytes[8];
  result.Message_type = bytes[10];
  return result;
}

function decodeUplink(input) {
  return { data: Decoder(input.bytes, input.fPort) };
}
