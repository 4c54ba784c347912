"""What was typed: the error that commands raise for it, the file a command is about, and the parser's own
complaints in our words."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from textfile import nearest, read_text

ConfigArgument = Annotated[Path | None, typer.Argument(metavar="FILE", help="The file, also without --config.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="The configuration file (TOML); without it gateway.toml in the working folder."
    ),
]


class UsageError(ValueError):
    """The command line asks for what cannot be; `str()` is one line. Exit code 2."""


def one_file(command: str, argument: Path | None, option: Path | None, usual: str = "gateway.toml") -> Path:
    """The file that a command is about: behind `--config`, its bare argument, or `usual` in the working folder."""
    if argument is not None and option is not None:
        raise UsageError(f"two files, {option} and {argument}: expected one, as in parkgate {command} --config FILE")
    found = option or argument
    if found is not None:
        return found
    if not Path(usual).exists():
        raise UsageError(f"no {usual} in {Path.cwd()}: expected one there, or parkgate {command} --config FILE")
    return Path(usual)


def _tables(path: Path) -> set[str]:
    """The tables of a TOML file. What cannot be read is for its own reader to say."""
    try:
        return set(tomllib.loads(read_text(path)))
    except (OSError, ValueError, RecursionError):
        return set()


def is_gateway(path: Path) -> bool:
    """Whether a file is meant for `parkgate run`."""
    tables = _tables(path)
    return bool(tables & {"gateway", "mqtt", "serial", "influxdb", "local", "spool", "watchdog"}) and not is_fleet(path)


def is_fleet(path: Path) -> bool:
    """Whether a file is meant for `parkgate simulate`."""
    return bool(_tables(path) & {"fleet", "thing"})


def worded(exc: Exception) -> str:
    """What the parser of the command line complains about, with what would have been right."""
    message = exc.format_message() if hasattr(exc, "format_message") else str(exc)
    context = getattr(exc, "ctx", None)
    if context is None:
        return message
    path: str = context.command_path
    words = path.split()[1:]  # without the program, which begins every line anyway
    commands: dict[str, Any] = getattr(context.command, "commands", {})
    typed = _COMMAND.match(message)
    if commands and typed is not None:
        near = nearest(typed[1], commands)
        return f"{' '.join([*words, typed[1]])}: expected {_either(commands)}" + (
            f'; did you mean "{near}"?' if near else ""
        )
    if commands and (message.startswith("Missing command") or type(exc).__name__ == "NoArgsIsHelpError"):
        return f"{' '.join(words)}: which command? expected {_either(commands)}"
    param = getattr(exc, "param", None)
    if param is None:
        return f"{message.rstrip('.')}; `{path} --help` says more"
    name = param.opts[0] if param.opts[0].startswith("-") else param.opts[0].upper()
    at = " ".join([*words, name])
    if message.startswith("Missing"):
        return f"{at} is missing; `{path} --help` says more"
    should = _SHOULD.search(message)
    return f"{at}: expected {_KINDS.get(should[1], 'a number ' + should[1])}" if should else message.rstrip(".")


_COMMAND = re.compile(r"No such command '([^']*)'")
_KINDS = {"a valid integer": "a whole number", "a valid number": "a number"}
_SHOULD = re.compile(r"Input should be ([^,]+)")
"""How the parser's library says what a number should have been."""


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
