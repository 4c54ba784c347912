"""`${NAME}` in a text: replaced from the environment; `$${` stands for `${`."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def expanded(text: str, environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """`text` with its references replaced, and for each that cannot be what was expected."""
    wanted: list[str] = []

    def replace(found: re.Match[str]) -> str:
        name = found.group(1)
        if name is None:
            return "${"
        if not _NAME.fullmatch(name) or not found.group().endswith("}"):
            wanted.append("${NAME} with the name of an environment variable ($${ for a plain ${)")
        elif f"\ufeff{name}" in environ and name not in environ:
            wanted.append(f"the environment variable {name}, which is set with a byte order mark before its name")
        elif name not in environ:
            wanted.append(f"the environment variable {name} to be set")
        elif environ[name].endswith("\r"):
            wanted.append(f"the environment variable {name} without a carriage return at its end, as a file "
                          "with Windows line ends leaves it")  # fmt: skip
        return environ.get(name, "")

    return _REFERENCE.sub(replace, text), wanted
