"""Files that people write: their text, where each key of a TOML file stands, and all that is wrong with them."""

from textfile.complaints import is_secret
from textfile.mistakes import Mistaken, Mistakes, Origin, lines_of
from textfile.places import Place, Places, Steps
from textfile.table import Table
from textfile.text import NotText, as_utf8, begins_with, decoded, followed, open_text, read_text
from textfile.toml import open_toml
from textfile.words import key_path, listed, nearest, one_line, shown

__all__ = [
    "Mistaken",
    "Mistakes",
    "NotText",
    "Origin",
    "Place",
    "Places",
    "Steps",
    "Table",
    "as_utf8",
    "begins_with",
    "decoded",
    "followed",
    "is_secret",
    "key_path",
    "lines_of",
    "listed",
    "nearest",
    "one_line",
    "open_text",
    "open_toml",
    "read_text",
    "shown",
]
