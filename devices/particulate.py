"""What the air sensors share: the levels their readings are judged by.

Source: US EPA, air quality index breakpoints for 24 h means, as revised in May 2024
(40 CFR part 58, appendix G): PM2.5 9.0 / 35.4 / 55.4, PM10 54 / 154 / 254 ug/m3 end
"good" / "moderate" / "unhealthy for sensitive groups". A value of one second is judged by
the same figures for the colour only; it is not an index. CO2 indoors: guide values of the German committee on indoor
guide values (2008), 1000 and 2000 ppm; 5000 ppm is the limit at places of work.
"""

from devices.spec.field import Threshold

PM2_5_LEVELS = (Threshold(0, "good"), Threshold(9.1, "fair"), Threshold(35.5, "poor"), Threshold(55.5, "bad"))
PM10_LEVELS = (Threshold(0, "good"), Threshold(55, "fair"), Threshold(155, "poor"), Threshold(255, "bad"))
CO2_LEVELS = (Threshold(0, "good"), Threshold(1000, "fair"), Threshold(2000, "poor"), Threshold(5000, "bad"))
