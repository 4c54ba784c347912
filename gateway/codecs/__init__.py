"""Payloads decoded by their makers' JavaScript, in a process of its own."""

from gateway.codecs.hand import Asked, CodecsUnusable, answers, broken, script_of, shelf_of
from gateway.codecs.process import Limits, Said, Verdict
from gateway.codecs.room import Codecs, absent, answer

__all__ = [
    "Asked",
    "Codecs",
    "CodecsUnusable",
    "Limits",
    "Said",
    "Verdict",
    "absent",
    "answer",
    "answers",
    "broken",
    "script_of",
    "shelf_of",
]
