"""Units, as UCUM codes, with the suffix a field name carries and the symbol people read.

Source of the codes: The Unified Code for Units of Measure, version 2.1.
A field's name ends in the suffix of its unit (`temperature_c`); units without a suffix
(dimensionless states, counts, texts) put nothing behind the quantity.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: `ucum` code, `suffix` for field names (may be empty), `symbol` for people."""

    ucum: str
    suffix: str
    symbol: str


UNITS: dict[str, Unit] = {
    unit.ucum: unit
    for unit in (
        Unit("1", "", ""),
        Unit("%", "pct", "%"),
        Unit("Cel", "c", "°C"),
        Unit("K", "k", "K"),
        Unit("ug/m3", "ug_m3", "µg/m³"),
        Unit("mg/m3", "mg_m3", "mg/m³"),
        Unit("/cm3", "per_cm3", "/cm³"),
        Unit("/dL", "per_dl", "/0.1 L"),
        Unit("[ppm]", "ppm", "ppm"),
        Unit("[ppb]", "ppb", "ppb"),
        Unit("V", "v", "V"),
        Unit("A", "a", "A"),
        Unit("W", "w", "W"),
        Unit("V.A", "va", "VA"),
        Unit("W/m2", "w_m2", "W/m²"),
        Unit("kW.h", "kwh", "kWh"),
        Unit("J", "j", "J"),
        Unit("Hz", "hz", "Hz"),
        Unit("kHz", "khz", "kHz"),
        Unit("Pa", "pa", "Pa"),
        Unit("hPa", "hpa", "hPa"),
        Unit("lx", "lx", "lx"),
        Unit("deg", "deg", "°"),
        Unit("deg/min", "deg_min", "°/min"),
        Unit("rad", "rad", "rad"),
        Unit("rad/s", "rad_s", "rad/s"),
        Unit("m", "m", "m"),
        Unit("mm", "mm", "mm"),
        Unit("km", "km", "km"),
        Unit("[ft_i]", "ft", "ft"),
        Unit("[fth_i]", "fathoms", "fath"),
        Unit("[nmi_i]", "nmi", "NM"),
        Unit("m/s", "m_s", "m/s"),
        Unit("km/h", "km_h", "km/h"),
        Unit("[kn_i]", "kn", "kn"),
        Unit("m/s2", "m_s2", "m/s²"),
        Unit("s", "s", "s"),
        Unit("ms", "ms", "ms"),
        Unit("us", "us", "µs"),
        Unit("ns", "ns", "ns"),
        Unit("ns/s", "ns_s", "ns/s"),
        Unit("min", "min", "min"),
        Unit("/min", "bpm", "/min"),
        Unit("kg", "kg", "kg"),
        Unit("mg/kg", "mg_kg", "mg/kg"),
        Unit("L", "l", "L"),
        Unit("dB", "db", "dB"),
        Unit("dB[A]", "dba", "dB(A)"),
        Unit("dBm", "dbm", "dBm"),
        Unit("dB.Hz", "db_hz", "dB-Hz"),
        Unit("[pH]", "ph", "pH"),
        Unit("uS/cm", "us_cm", "µS/cm"),
        Unit("mS/m", "ms_m", "mS/m"),
        Unit("By", "bytes", "B"),
    )
}
