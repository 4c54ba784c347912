"""What the air sensors share: the masses they report, and the levels their readings are judged by.

Source: US EPA, air quality index breakpoints for 24 h means, as revised in May 2024
(40 CFR part 58, appendix G): PM2.5 9.0 / 35.4 / 55.4, PM10 54 / 154 / 254 ug/m3 end
"good" / "moderate" / "unhealthy for sensitive groups". A value of one second is judged by
the same figures for the colour only; it is not an index. CO2 indoors: guide values of the German committee on indoor
guide values (2008), 1000 and 2000 ppm; 5000 ppm is the limit at places of work.
"""

from devices.spec.field import Field, Threshold

PM2_5_LEVELS = (Threshold(0, "good"), Threshold(9.1, "fair"), Threshold(35.5, "poor"), Threshold(55.5, "bad"))
PM10_LEVELS = (Threshold(0, "good"), Threshold(55, "fair"), Threshold(155, "poor"), Threshold(255, "bad"))
CO2_LEVELS = (Threshold(0, "good"), Threshold(1000, "fair"), Threshold(2000, "poor"), Threshold(5000, "bad"))


def mass(size: str, step: float = 1, name: str = "", air: str = "", *, panel: bool = True) -> Field:
    """Mass concentration of particles up to `size` um ("1_0", "2_5", "4_0", "10"), in ug/m3, as 16 bits say it.

    `name` is another than its usual one, which is judged by the levels; `air` says what kind of air it is meant for.
    """
    levels = {"2_5": PM2_5_LEVELS, "10": PM10_LEVELS}.get(size, ())
    return Field(
        name or f"pm{size}_ug_m3",
        "ug/m3",
        f"PM{size.replace('_', '.')} mass concentration{air and f' {air}'}",
        minimum=0,
        maximum=65535,
        step=step,
        thresholds=() if name else levels,
        panel=panel,
    )
