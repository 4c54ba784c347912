"""The only durable place: SQLite store-and-forward, with a quarantine; bounded in bytes and age.

`Spool` is what a running gateway uses; `look` and `quarantine` read the file of any gateway, `salvage` a damaged one.
"""

from gateway.spool.filling import Outlook
from gateway.spool.fit import does_not_fit
from gateway.spool.open import DiskFull, SpoolError, SpoolFull, SpoolUnusable
from gateway.spool.peek import Look, look, quarantine
from gateway.spool.rate import FillRate, say_duration, say_forecast
from gateway.spool.salvage import salvage
from gateway.spool.spool import Depth, Spool

__all__ = [
    "Depth",
    "DiskFull",
    "FillRate",
    "Look",
    "Outlook",
    "Spool",
    "SpoolError",
    "SpoolFull",
    "SpoolUnusable",
    "does_not_fit",
    "look",
    "quarantine",
    "salvage",
    "say_duration",
    "say_forecast",
]
