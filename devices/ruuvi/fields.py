"""What Ruuvi sensors say, and what a gateway says of them."""

from devices.spec.field import Field, Threshold

TEMPERATURE = Field("temperature_c", "Cel", "Air temperature", minimum=-163.835, maximum=163.835, step=0.005,
                    optional=True)  # fmt: skip
HUMIDITY = Field("humidity_pct", "%", "Relative humidity; above 100 % the sensor is broken or wet",
                 minimum=0, maximum=163.835, step=0.0025, optional=True)  # fmt: skip
PRESSURE = Field("pressure_pa", "Pa", "Air pressure", minimum=50_000, maximum=115_534, step=1, optional=True)
ACCELERATION = tuple(
    Field(f"acceleration_{axis}_gn", "[g]", f"Acceleration, {axis}", minimum=-32.767, maximum=32.767, step=0.001,
          optional=True)
    for axis in "xyz"
)  # fmt: skip
BATTERY = Field("battery_v", "V", "Battery voltage", minimum=1.6, maximum=3.646, step=0.001, optional=True)
TX_POWER = Field("tx_power_dbm", "dBm", "Power it sends with", minimum=-40, maximum=20, step=2, optional=True,
                 panel=False)  # fmt: skip
MOVEMENTS = Field("movement_counter", "1", "Movements, counted to 254 and from 0 again", kind="counter",
                  minimum=0, maximum=254, step=1, optional=True)  # fmt: skip
SEQUENCE = Field("measurement_sequence", "1", "Number of the measurement", kind="counter",
                 minimum=0, maximum=65_534, step=1, optional=True, panel=False)  # fmt: skip
PM = tuple(
    Field(f"pm{name}_ug_m3", "ug/m3", f"Particles up to {micrometres} um", minimum=0, maximum=6553.4, step=0.1,
          optional=True)
    for name, micrometres in (("1_0", "1.0"), ("2_5", "2.5"), ("4_0", "4.0"), ("10", "10"))
)  # fmt: skip
CO2 = Field("co2_ppm", "[ppm]", "Carbon dioxide; levels of the German Umweltbundesamt (2008)",
            minimum=0, maximum=65_534, step=1, optional=True,
            thresholds=(Threshold(0.0, "good"), Threshold(1000.0, "fair"), Threshold(2000.0, "bad")))  # fmt: skip
VOC = Field("voc_index", "1", "Volatile organic compounds: 100 is the mean of the last day", minimum=0, maximum=510,
            step=1, optional=True)  # fmt: skip
NOX = Field("nox_index", "1", "Nitrogen oxides: 1 is clean air", minimum=0, maximum=510, step=1, optional=True)
ILLUMINANCE = Field("illuminance_lx", "lx", "Light on the sensor", minimum=0, maximum=167_772.14, step=0.01,
                    optional=True)  # fmt: skip
CALIBRATING = Field("calibrating_flag", "1", "Sensors are not accurate yet", kind="flag", optional=True)
RSSI = Field("rssi_dbm", "dBm", "Signal strength at the gateway that passed it on", minimum=-128, maximum=127, step=1,
             optional=True)  # fmt: skip
FORMATS = ("3", "5", "6", "C5", "E1")
DATA_FORMAT = Field("data_format", "1", "Data format of the advertisement", kind="state", states=FORMATS, panel=False)
MAC = Field("mac", "1", "Address of the sensor, as far as the format has it", kind="text", optional=True, panel=False)
GATEWAY = Field("gateway_id", "1", "Address of the gateway that passed it on first", kind="text", optional=True,
                panel=False)  # fmt: skip
ONLINE = Field("online_flag", "1", "The gateway can be reached", kind="flag", optional=True)

FIELDS = (
    TEMPERATURE,
    HUMIDITY,
    PRESSURE,
    *ACCELERATION,
    BATTERY,
    TX_POWER,
    MOVEMENTS,
    SEQUENCE,
    *PM,
    CO2,
    VOC,
    NOX,
    ILLUMINANCE,
    CALIBRATING,
    RSSI,
    DATA_FORMAT,
    MAC,
    GATEWAY,
    ONLINE,
)
