"""Device types that stand in files: `[[type]]` tables of a configuration, and folders of them.

A folder holds files NAME.toml, read in the order of their names; each is one type, its keys at the top, or has
`[[type]]` tables. A gateway's configuration gives its own `[[type]]` tables and those of its
`[gateway] types_dir`; the rest of it is not looked at here.

Limits: 1,000 files a folder.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from devices.catalogue import Catalogue
from devices.spec.device import Device
from devices.spec.errors import DescriptionError
from devices.spec.mapping import TYPE_KEYS, MappingError
from devices.tables import device_type, stand_in
from textfile import Mistaken, Mistakes, Table, lines_of, nearest, one_line, open_toml

MOST_FILES = 1000
TYPES_DIR = "types_dir"


Wrong = Mistakes | Mistaken
"""What is wrong with a file: its mistakes, none perhaps, or why it cannot be read at all."""


class TypesError(Mistaken):
    """Files of device types that cannot be used; one line for each mistake."""


def with_tables(catalogue: Catalogue, tables: Sequence[Table]) -> Catalogue:
    """`catalogue` and the types of these tables. What is wrong with one is noted where it stands.

    A type of its name and link then stands for it, or its name is among those that were refused, so that what
    names it is no mistake of its own.
    """
    for table in tables:
        try:
            catalogue = catalogue.plus([device_type(table.raw, one_line(str(table.origin.file)))])
        except MappingError as error:
            for mistake in error.mistakes:
                table.origin.mistakes.add((*table.steps, *mistake.path), mistake.said, at_key=mistake.unknown)
            try:
                catalogue = catalogue.plus([stand_in(table.raw.get("name"), table.raw)])
            except DescriptionError:  # the name is wrong or missing
                name = table.raw.get("name")
                catalogue = catalogue.without(name if isinstance(name, str) else "")
        except DescriptionError as error:  # the name is taken
            table.fail("name", f"another name; {str(error).partition(': ')[2]}")
    return catalogue


def only_refused(devices: Mapping[str, Device], name: str) -> bool:
    """Whether there may be no type of that name only because what describes it is wrong, which is told there.

    Where a type has no name that could be read, or a file of types could not, it may be any that is not like another.
    """
    if not isinstance(devices, Catalogue):
        return False
    return name in devices.refused or ("" in devices.refused and nearest(name, devices) is None)


def with_folder(catalogue: Catalogue, folder: Path, environ: Mapping[str, str]) -> tuple[Catalogue, list[Wrong]]:
    """`catalogue` and the types of a folder, and what is wrong with its files. OSError where it cannot be read."""
    found: list[Wrong] = []
    files = sorted(file for file in folder.iterdir() if file.suffix == ".toml" and not file.name.startswith("."))
    for file in files[:MOST_FILES]:
        try:
            top = open_toml(file, environ, None, TypesError, "a file of a device type")
        except TypesError as error:
            found.append(error)
            catalogue = catalogue.without("")
            continue
        found.append(top.origin.mistakes)
        if "type" in top.raw:
            top = Table(top.origin, (), top.raw, ("type",))
        elif top.raw.keys().isdisjoint(TYPE_KEYS):
            top.fail("type", "[[type]] tables, or the keys of one type at the top")
        catalogue = _with_top(catalogue, top)
    return catalogue, found


def with_path(catalogue: Catalogue, path: Path, environ: Mapping[str, str]) -> Catalogue:
    """`catalogue` and the types of a file, a folder, or a gateway's configuration. TypesError, a line a mistake."""
    catalogue, found = read_path(catalogue, path, environ)
    lines = [line for each in found for line in lines_of(each)]
    if lines:
        raise TypesError("\n".join(lines))
    return catalogue


def read_path(catalogue: Catalogue, path: Path, environ: Mapping[str, str]) -> tuple[Catalogue, list[Wrong]]:
    """As `with_path`, for whoever has more to read: what is wrong is answered."""
    try:
        if path.is_dir():
            return with_folder(catalogue, path, environ)
        top = open_toml(path, environ, None, TypesError, "a file of device types, or a gateway's configuration")
    except OSError as error:
        said = f"{one_line(str(path))}: {error.strerror or 'cannot be read'}: expected a folder of device types"
        return catalogue.without(""), [TypesError(said)]
    except TypesError as error:
        return catalogue.without(""), [error]
    catalogue = _with_top(catalogue, top)
    gateway = top.raw.get("gateway")
    if isinstance(gateway, dict):
        catalogue = with_types_dir(catalogue, Table(top.origin, ("gateway",), gateway, None))
    return catalogue, [top.origin.mistakes]


def with_types_dir(catalogue: Catalogue, gateway: Table) -> Catalogue:
    """`catalogue` and the types of the folder that a table names as `types_dir`; what is wrong is noted."""
    folder = gateway.path_or(TYPES_DIR, None, "a folder of device types")
    if folder is None:
        return catalogue
    try:
        catalogue, found = with_folder(catalogue, folder, gateway.origin.environ)
    except OSError as error:
        gateway.fail(TYPES_DIR, f"a folder of device types; {one_line(str(folder))}: {error.strerror}")
        return catalogue.without("")
    for each in found:
        gateway.origin.mistakes.behind(each)
    return catalogue


def _with_top(catalogue: Catalogue, top: Table) -> Catalogue:
    """The types of a file: its [[type]] tables, or the one type that it is."""
    if "type" in top.raw:
        return with_tables(catalogue, top.tables("type", None))
    one = "format" in top.raw or "field" in top.raw
    return with_tables(catalogue, [top]) if one else catalogue
