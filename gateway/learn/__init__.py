"""For a board without a device type: what its bytes look like, what its keys mean, which type would read it."""

from gateway.learn.look import MOST_SAMPLE, PRINTABLE, Guess, Look, few, look, printable, shape_of, texts
from gateway.learn.propose import Proposal, Question, propose
from gateway.learn.toml import table_text, value_text
from gateway.learn.topics import Part, parts_of, pattern_of, same_shape

__all__ = [
    "MOST_SAMPLE",
    "PRINTABLE",
    "Guess",
    "Look",
    "Part",
    "Proposal",
    "Question",
    "few",
    "look",
    "parts_of",
    "pattern_of",
    "printable",
    "propose",
    "same_shape",
    "shape_of",
    "table_text",
    "texts",
    "value_text",
]
