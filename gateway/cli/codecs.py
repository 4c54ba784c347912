"""What `parkgate check` says of a folder of codecs: each one is run, without an uplink, in a process of its own."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gateway.config import Config
    from textfile import Mistakes

AT = ("codecs", "dir")
MOST_TOLD = 20


class Seen(NamedTuple):
    """Lines of what there is, and of what is wrong with it that keeps nothing from running."""

    said: list[str]
    warnings: list[str]


def see_codecs(loaded: "Config", mistakes: "Mistakes") -> Seen:
    """Look at the codecs of a configuration. One that the index names and that is none is a mistake."""
    config = loaded.codecs
    if config is None or mistakes.about(AT):
        return Seen([], [])
    from gateway.codecs import CodecsUnusable, Limits, absent, broken, shelf_of

    missing = absent()
    if missing:
        mistakes.add(AT, f' = "{config.dir}": {missing}')
        return Seen([], [])
    try:
        shelf = shelf_of(config.dir)
        found = broken(shelf, Limits(config.time_limit_s, config.memory_limit))
    except CodecsUnusable as unusable:
        mistakes.add(AT, f": {'; '.join(str(unusable).splitlines())}")
        return Seen([], [])
    named = {entry.file for entry in shelf.entries}
    wrong = [f"{config.dir / name} {why}" for name, why in found if name in named]
    if wrong:
        mistakes.add(AT, f": {'; '.join(wrong)}")
    warnings = [f"codec {config.dir / name} {why}" for name, why in found if name not in named]
    if len(warnings) > MOST_TOLD:
        warnings[MOST_TOLD:] = [f"{len(warnings) - MOST_TOLD} more files of {config.dir} are no codecs"]
    count = len(shelf.scripts)
    return Seen([f"codecs  {config.dir}: {count} file{'' if count == 1 else 's'}, {len(named)} in the index"], warnings)
