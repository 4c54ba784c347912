// ELSYS sensors: type, value, big endian; for ChirpStack 3. After "Elsys payload" of the maker's support pages.
var TEMP = 0x01, RH = 0x02, ACC = 0x03, LIGHT = 0x04, MOTION = 0x05, CO2 = 0x06, VDD = 0x07, ANALOG1 = 0x08,
    OCCUPANCY = 0x11, SOUND = 0x15;

function bin16dec(bin) {
    var num = bin & 0xFFFF;
    if (0x8000 & num) num = -(0x010000 - num);
    return num;
}

function bin8dec(bin) {
    var num = bin & 0xFF;
    if (0x80 & num) num = -(0x0100 - num);
    return num;
}

function DecodeElsys(data) {
    var obj = new Object();
    for (i = 0; i < data.length; i++) {
        switch (data[i]) {
            case TEMP:
                obj.temperature = bin16dec((data[i + 1] << 8) | (data[i + 2])) / 10;
                i += 2;
                break;
            case RH:
                obj.humidity = data[i + 1];
                i += 1;
                break;
            case ACC:
                obj.x = bin8dec(data[i + 1]);
                obj.y = bin8dec(data[i + 2]);
                obj.z = bin8dec(data[i + 3]);
                i += 3;
                break;
            case LIGHT:
                obj.light = (data[i + 1] << 8) | (data[i + 2]);
                i += 2;
                break;
            case MOTION:
                obj.motion = data[i + 1];
                i += 1;
                break;
            case CO2:
                obj.co2 = (data[i + 1] << 8) | (data[i + 2]);
                i += 2;
                break;
            case VDD:
                obj.vdd = (data[i + 1] << 8) | (data[i + 2]);
                i += 2;
                break;
            case ANALOG1:
                obj.analog1 = (data[i + 1] << 8) | (data[i + 2]);
                i += 2;
                break;
            case OCCUPANCY:
                obj.occupancy = data[i + 1];
                i += 1;
                break;
            case SOUND:
                obj.soundPeak = data[i + 1];
                obj.soundAvg = data[i + 2];
                i += 2;
                break;
            default:
                i = data.length;
        }
    }
    return obj;
}

function Decode(fPort, bytes, variables) {
    return DecodeElsys(bytes);
}
