/**
 * Milesight sensors: channel, type, value, little endian. Written for these tests after the sections "Sensor Data" of
 * the user guides of AM319, EM310-UDL, EM500, WS52x, WS558 and WTS506.
 */
var ACTIVITY = ["idle", "trigger"];
var POSITION = ["normal", "tilt"];
var LIGHTS = [];
for (var lamp = 1; lamp <= 8; lamp++) {
    LIGHTS.push("switch_" + lamp);
}

function decodeUplink(input) {
    var decoded = {};
    var warnings = [];
    var bytes = input.bytes;
    var i = 0;
    while (i < bytes.length) {
        var channel = bytes[i++];
        var type = bytes[i++];
        var size = read(decoded, channel, type, bytes.slice(i));
        if (size === 0) {
            warnings.push("unknown channel " + hex(channel) + " type " + hex(type));
            break;
        }
        i += size;
    }
    return { data: decoded, warnings: warnings, errors: [] };
}

/** Puts one value into `out`; how many bytes it took. */
function read(out, channel, type, rest) {
    // what all of them say of themselves
    if (channel === 0xff) {
        return readAbout(out, type, rest);
    }
    if (channel === 0x01 && type === 0x75) {
        out.battery = rest[0];
        return 1;
    }
    switch (type) {
        case 0x67: // temperature
            out.temperature = int16(rest) / 10;
            return 2;
        case 0x68: // humidity
            out.humidity = rest[0] / 2;
            return 1;
        case 0x73: // barometer
            out.pressure = uint16(rest) / 10;
            return 2;
        case 0x00: // two states: who is there, or how it stands
            if (channel === 0x05) {
                out.activity = ACTIVITY[rest[0]];
            } else {
                out.tilt = POSITION[rest[0]];
            }
            return 1;
        case 0xcb:
            out.light_level = rest[0];
            return 1;
        case 0x7d: // concentrations, by channel
            return readAir(out, channel, rest);
        case 0x7f:
            out.ec = uint16(rest);
            return 2;
        case 0x77:
            if (channel === 0x08) {
                out.rainfall_total = uint16(rest) / 100;
                out.rainfall_counter = rest[2];
                return 3;
            }
            out.distance = uint16(rest);
            return 2;
        case 0x82:
            out.distance = uint16(rest);
            return 2;
        case 0x84:
            out.wind_direction = uint16(rest) / 10;
            return 2;
        case 0x92:
            out.wind_speed = uint16(rest) / 10;
            return 2;
        case 0x94:
            out.light = uint32(rest);
            return 4;
        case 0x74:
            out.voltage = uint16(rest) / 10;
            return 2;
        case 0x80:
            out.power = uint32(rest);
            return 4;
        case 0x81:
            out.factor = rest[0];
            return 1;
        case 0x83:
            out.power_consumption = uint32(rest);
            return 4;
        case 0xc9:
            out.current = uint16(rest);
            return 2;
        case 0x31:
            for (var n = 0; n < LIGHTS.length; n++) {
                out[LIGHTS[n]] = (rest[1] >> n) & 1 ? "on" : "off";
            }
            return 2;
        default:
            return 0;
    }
}

function readAir(out, channel, rest) {
    var value = uint16(rest);
    var names = { 7: "co2", 8: "tvoc", 10: "hcho", 11: "pm2.5", 12: "pm10", 13: "o3" };
    var name = names[channel];
    if (name === undefined) {
        return 0;
    }
    out[name] = name === "hcho" || name === "o3" ? value / 100 : value;
    return 2;
}

function readAbout(out, type, rest) {
    switch (type) {
        case 0x01:
            out.protocol_version = rest[0];
            return 1;
        case 0x09:
            out.hardware_version = version(rest);
            return 2;
        case 0x0a:
            out.firmware_version = version(rest);
            return 2;
        case 0x0b:
            out.device_status = "on";
            return 1;
        case 0x0f:
            out.device_class = "ABC"[rest[0]];
            return 1;
        case 0x16:
            out.sn = rest.slice(0, 8).map(hex).join("");
            return 8;
        default:
            return 0;
    }
}

function hex(value) {
    return ("0" + value.toString(16)).slice(-2);
}

function version(bytes) {
    return "v" + (bytes[0] & 0xff) + "." + (bytes[1] >> 4);
}

function uint16(bytes) {
    return (bytes[1] << 8) | bytes[0];
}

function int16(bytes) {
    var value = uint16(bytes);
    return value > 0x7fff ? value - 0x10000 : value;
}

function uint32(bytes) {
    return ((bytes[3] << 24) | (bytes[2] << 16) | (bytes[1] << 8) | bytes[0]) >>> 0;
}
