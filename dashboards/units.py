"""UCUM codes to Grafana unit ids, complete over `devices.spec.units`.

Ids without a colon are Grafana's own (packages/grafana-data, valueFormats/categories.ts);
`suffix:X` is its notation for "put X behind the number" where no id exists. Grafana scales
some of its own ids by itself (1500 lengthm reads 1.50 km); suffixes are never scaled.
"""

from devices.spec.units import UNITS

GRAFANA_UNITS: dict[str, str] = {
    "1": "none",
    "%": "percent",
    "Cel": "celsius",
    "[degF]": "fahrenheit",
    "K": "kelvin",
    "ug/m3": "conμgm3",
    "mg/m3": "conmgm3",
    "/cm3": "suffix:/cm³",
    "/dL": "suffix:/0.1 L",
    "[ppm]": "ppm",
    "[ppb]": "conppb",
    "V": "volt",
    "mV": "mvolt",
    "A": "amp",
    "mA": "mamp",
    "W": "watt",
    "V.A": "voltamp",
    "kV.A": "kvoltamp",
    "var": "voltampreact",
    "kvar": "kvoltampreact",
    "kW": "kwatt",
    "MW": "megwatt",
    "Ohm": "ohm",
    "W/m2": "Wm2",
    "W.h": "watth",
    "W.min": "suffix:W·min",
    "kW.h": "kwatth",
    "MW.h": "suffix:MWh",
    "V.A.h": "suffix:VAh",
    "kvar.h": "suffix:kvarh",
    "var.h": "suffix:varh",
    "J": "joule",
    "Hz": "hertz",
    "kHz": "suffix:kHz",
    "Pa": "pressurepa",
    "hPa": "pressurehpa",
    "kPa": "pressurekpa",
    "[psi]": "pressurepsi",
    "[in_i'Hg]": "pressurehg",
    "bar": "pressurebar",
    "lx": "lux",
    "deg": "degree",
    "deg/min": "suffix:°/min",
    "deg/s": "suffix:°/s",
    "rad": "radian",
    "rad/s": "rotrads",
    "m": "lengthm",
    "cm": "suffix:cm",
    "mm": "lengthmm",
    "mm/h": "suffix:mm/h",
    "km": "lengthkm",
    "[ft_i]": "lengthft",
    "[fth_i]": "suffix:fath",
    "[nmi_i]": "suffix:NM",
    "m/s": "velocityms",
    "km/h": "velocitykmh",
    "[mi_i]/h": "velocitymph",
    "[ft_i]/s": "suffix:ft/s",
    "[yd_i]/s": "suffix:yd/s",
    "[kn_i]": "velocityknot",
    "m/s2": "accMS2",
    "[g]": "accG",
    "s": "s",
    "ms": "ms",
    "us": "µs",
    "ns": "ns",
    "ns/s": "suffix:ns/s",
    "min": "m",
    "/min": "suffix:/min",
    "{rev}/min": "rotrpm",
    "g": "massg",
    "kg": "masskg",
    "mg/kg": "suffix:mg/kg",
    "L": "litre",
    "L/min": "flowlpm",
    "m3": "m3",
    "m3/h": "suffix:m³/h",
    "mg/L": "suffix:mg/L",
    "dB": "dB",
    "dB[A]": "suffix:dB(A)",
    "dBm": "dBm",
    "dB.Hz": "suffix:dB-Hz",
    "[pH]": "suffix:pH",
    "uS/cm": "suffix:µS/cm",
    "mS/m": "suffix:mS/m",
    "mS/cm": "suffix:mS/cm",
    "By": "decbytes",
}


def grafana_unit(ucum: str) -> str:
    """The Grafana unit id of a UCUM code; KeyError for a code that is not in the table."""
    return GRAFANA_UNITS[ucum]


def missing() -> list[str]:
    """UCUM codes that devices may use and this table does not know; empty when complete."""
    return sorted(UNITS.keys() - GRAFANA_UNITS.keys())
