"""What Sparkplug says of every node and device, and quantities that are known by the names of the simulated ones."""

from devices.spec.field import Field, Threshold

TEMPERATURE = Field("temperature_c", "Cel", "Temperature", minimum=-60, maximum=150, step=0.01, optional=True)
FIELDS = (
    TEMPERATURE,
    Field("humidity_pct", "%", "Relative humidity", minimum=0, maximum=100, step=0.01, optional=True),
    Field("co2_ppm", "[ppm]", "Carbon dioxide; levels of the German Umweltbundesamt (2008)", minimum=0, maximum=10_000,
          step=1, optional=True,
          thresholds=(Threshold(0.0, "good"), Threshold(1000.0, "fair"), Threshold(2000.0, "bad"))),
    Field("power_w", "W", "Power drawn; below 0 what is fed in", minimum=-1e6, maximum=1e6, step=0.1, optional=True),
    Field("energy_kwh", "kW.h", "Energy drawn so far", minimum=0, maximum=1e9, step=0.001, optional=True),
    Field("online_flag", "1", "The node or device is there: between its birth and its death", kind="flag",
          optional=True),
    Field("seq", "1", "Number of the message: 0 to 255, and again", kind="counter", minimum=0, maximum=255, step=1,
          panel=False),
    Field("messages_missed", "1", "Messages of the node that are missing before this one", kind="counter", minimum=0,
          maximum=255, step=1, optional=True, panel=False),
    Field("bd_seq", "1", "Number of the node's session", kind="counter", minimum=0, maximum=(1 << 63) - 1, step=1,
          optional=True, panel=False),
    Field("metric_count", "1", "Metrics that the birth defines", kind="counter", minimum=0, maximum=1_000_000, step=1,
          optional=True, panel=False),
    Field("message_type", "1", "Births and deaths", kind="state", states=("NBIRTH", "DBIRTH", "NDEATH", "DDEATH"),
          optional=True, panel=False),
)  # fmt: skip
"""Any other metric is a field, too, by its own name."""
