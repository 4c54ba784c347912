"""Davis Vantage whose rain bucket has 0.01 inch a click: family.py, loop.py.

Limits: rain is wrong by 27 % where the bucket has the metric adapter: that is `davis-vantage-mm`.
Source: as in family.py.
"""

from devices.davis.family import inches, vantage

DEVICE = vantage("davis-vantage", "Davis Vantage weather station", inches())
