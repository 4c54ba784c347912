"""Davis Vantage whose rain bucket has 0.2 mm a click (metric adapter, as sold in Europe): family.py, loop.py.

All but rain is in the units of the wire, which are American.

Limits: rain is wrong by 27 % where the bucket has 0.01 inch: that is `davis-vantage`.
Source: as in family.py.
"""

from devices.davis.family import millimetres, vantage

DEVICE = vantage("davis-vantage-mm", "Davis Vantage weather station, metric rain", millimetres())
