"""The tables of the file and the objects made of them: keys are the names of an object's fields."""

from dataclasses import fields

from textfile import Table


def keys_of(kind: type, **renamed: str) -> tuple[str, ...]:
    """The keys of the table that a `kind` is read from."""
    return tuple(renamed.get(item.name, item.name) for item in fields(kind))


def section(top: Table, key: str, kind: type) -> Table:
    """The table [key], an empty one where there is none."""
    return top.table(key, keys_of(kind)) or Table(top.origin, (key,), {}, ())
