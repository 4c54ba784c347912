"""`parkgate devices`: the catalogue, and everything about one device type."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.usage import UsageError
from textfile import nearest

if TYPE_CHECKING:
    from devices.catalogue import Catalogue
    from devices.spec.device import Device, PolledDevice
    from devices.spec.field import Field


USUAL = Path("gateway.toml")
TypesOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="Also the types of this file or folder; without it those of gateway.toml, if it is here."
    ),
]


def known(config: Path | None = None) -> "Catalogue":
    """The installed device types, and those of a configuration, or of gateway.toml in the working folder."""
    from devices.catalogue import installed
    from devices.files import with_path

    catalogue = installed()
    path = config or (USUAL if USUAL.is_file() else None)
    return catalogue if path is None else with_path(catalogue, path, os.environ)


def usable(config: Path | None = None) -> "Catalogue":
    """Those of `known` that can be used: a package may be broken, and so may a gateway.toml nobody has asked for."""
    from devices.catalogue import Catalogue, installed
    from textfile import Mistaken

    try:
        types = known(config)
    except Mistaken as mistakes:
        if config is not None:
            raise
        typer.echo(f"parkgate: its types are left out: {mistakes}", err=True)
        types = installed()
    return Catalogue({}).plus(good(types))


def find(name: str, config: Path | None = None) -> "list[Device]":
    """The device type of that name, or those that speak a protocol of that name, the usual one first; a usage error
    that suggests the nearest name where there is none."""
    from devices.catalogue import ALIASES, installed
    from devices.spec.errors import DescriptionError

    catalogue = installed()
    if config is not None or name not in catalogue:
        catalogue = known(config)
    names = (name,) if name in catalogue else ALIASES.get(name, ())
    if not names:
        meant = nearest(name, [*catalogue, *ALIASES])
        hint = f'did you mean "{meant}"?' if meant else "`parkgate devices` lists them"
        where = "" if config is None else f", nor in {config}"
        raise UsageError(f'no device type "{name}"{where}; {hint}')
    try:
        return [catalogue[each] for each in names]
    except DescriptionError as error:
        raise UsageError(str(error)) from error


def devices(
    name: Annotated[str | None, typer.Argument(help="One device type, for its fields, units, ranges and link.")] = None,
    config: TypesOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object (or an array of them).")] = False,
) -> None:
    """List the device types, or describe one."""
    if name is not None:
        found = find(name, config)
        if as_json:
            typer.echo(json.dumps(described(found[0]) if len(found) == 1 else [described(each) for each in found]))
        else:
            if name not in [each.name for each in found]:
                typer.echo(f"{name} is another name of {', '.join(each.name for each in found)}\n")
            typer.echo("\n\n".join(text(each) for each in found))
        return
    usable, broken = _made(known(config))
    if as_json:
        typer.echo(json.dumps([described(device) for device in usable], ensure_ascii=False))
    else:
        rows = [("name", "title", "link", "domain", "fields")]
        rows += [
            (each.name, each.title, each.link, each.domain, fields_of(each)) for each in sorted(usable, key=_place)
        ]
        typer.echo(table(rows))
    for why in broken:
        typer.echo(f"parkgate: {why}", err=True)


def _place(device: "Device") -> tuple[str, str]:
    """Where a type stands in the list: by domain, then by name."""
    return device.domain, device.name


def good(catalogue: "Mapping[str, Device]") -> "list[Device]":
    """The types that can be used; why others of installed packages cannot is said."""
    usable, broken = _made(catalogue)
    for why in broken:
        typer.echo(f"parkgate: {why}", err=True)
    return usable


def _made(catalogue: "Mapping[str, Device]") -> "tuple[list[Device], list[str]]":
    """The types that can be used, and why others cannot: those of a package may be broken."""
    from devices.catalogue import left_out
    from devices.spec.errors import DescriptionError

    usable: list[Device] = []
    broken: list[str] = [*left_out(catalogue)]
    for name in catalogue:
        try:
            usable.append(catalogue[name])
        except DescriptionError as error:
            broken.append(str(error))
    return usable, broken


def fields_of(device: "Device") -> str:
    """How many fields; with a plus where a payload may bring more."""
    return f"{len(device.fields)}{'+' if device.open_fields else ''}"


def table(rows: Sequence[tuple[str, ...]], indent: str = "") -> str:
    """Columns of plain text: the same in a terminal, a pipe and a file."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(indent + line.rstrip() for line in lines)


def link_of(device: "Device") -> dict[str, Any]:
    """How the device is reached: the port's settings, and what it is asked, or the usual topic."""
    from devices.spec.device import MessageDevice, PolledDevice

    if isinstance(device, MessageDevice):
        return {"topic": device.topic}
    serial = device.serial
    port = {"baud": serial.baud, "bits": serial.bits, "parity": serial.parity, "stop": serial.stop}
    if not isinstance(device, PolledDevice):
        return port
    return {
        **port,
        "units": [device.units[0], device.units[-1]] if device.units else None,
        "unit": device.unit if device.units else None,
        "questions": [
            {"name": question.name, "request_hex": question.request(device.unit).hex(), "answer_bytes": question.size}
            for question in device.questions
        ],
        "timeout_s": device.timing.timeout_s,
        "silence_s": device.timing.silence_s,
        "late_s": device.timing.late_s,
    }


def described(device: "Device") -> dict[str, Any]:
    """The description as JSON values."""
    return {
        "name": device.name,
        "title": device.title,
        "link": device.link,
        **link_of(device),
        "domain": device.domain,
        "measurement": device.measurement,
        "expected_every_s": device.expected_every_s,
        "open_fields": device.open_fields,
        "source": device.source,
        "fields": [described_field(field) for field in device.fields],
        "commands": [
            {
                "name": each.name,
                "description": each.description,
                "answers": each.answers,
                "open_arguments": each.open_arguments,
                "arguments": [
                    {**described_field(one.field), "default": one.default, "expected": one.words}
                    for one in each.arguments
                ],
            }
            for each in device.told
        ],
    }


def described_field(field: "Field") -> dict[str, Any]:
    return {
        "name": field.name,
        "unit": field.unit,
        "kind": field.kind,
        "description": field.description,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "step": field.step,
        "optional": field.optional,
        "states": list(field.states),
    }


def allowed(field: "Field") -> str:
    """The range or the states, as people read them."""
    if field.states:
        return " | ".join(field.states)
    if field.minimum is None and field.maximum is None:
        return "-"
    low = "" if field.minimum is None else f"{field.minimum:.10g}"
    high = "" if field.maximum is None else f"{field.maximum:.10g}"
    return f"{low} .. {high}".strip()


def _asked(device: "PolledDevice") -> list[tuple[str, str]]:
    """What a type that is asked is asked, and how long it may take."""
    units, timing = device.units, device.timing
    numbers = f"{units[0]} .. {units[-1]}, {device.unit} as delivered" if units else "none; alone on its port"
    return [
        ("unit number", numbers),
        *(("asked", f"{question.name}: {question.size} bytes") for question in device.questions),
        ("timeout", f"{timing.timeout_s:g} s; an answer may be {timing.late_s:g} s late"),
    ]


def _told(device: "Device") -> list[tuple[str, ...]]:
    """What it can be told, a row for each argument more."""
    rows: list[tuple[str, ...]] = [("command", "arguments", "description")]
    for command in device.told:
        said = [f"{each.name}{'' if each.required else '?'}: {each.words}" for each in command.arguments]
        said += ["… as the thing says itself"] if command.open_arguments else []
        rows.append((command.name, said[0] if said else "-", command.description))
        rows += [("", each, "") for each in said[1:]]
    return rows


def text(device: "Device") -> str:
    """One device type, for people."""
    from devices.spec.device import MessageDevice, PolledDevice
    from devices.spec.units import UNITS

    if isinstance(device, MessageDevice):
        link = f"mqtt, usually {device.topic}"
    else:
        serial = device.serial
        link = f"serial, {serial.baud} baud, {serial.bits}{serial.parity}{serial.stop}"
    head = [
        ("title", device.title),
        ("link", link),
        ("domain", device.domain),
        ("stored as", device.measurement),
        ("expected", f"every {device.expected_every_s:g} s"),
        ("source", " ".join(device.source.split())),
    ]
    if isinstance(device, PolledDevice):
        head[2:2] = _asked(device)
    rows = [("field", "unit", "UCUM", "kind", "range", "description")]
    for field in device.fields:
        kind = field.kind + (", optional" if field.optional else "")
        rows.append((field.name, UNITS[field.unit].symbol, field.unit, kind, allowed(field), field.description))
    parts = [device.name, table(head, indent="  "), "", table(rows, indent="  ")]
    if device.open_fields:
        parts.append("  … and whatever else a payload brings")
    if device.told:
        parts += ["", table(_told(device), indent="  ")]
    return "\n".join(parts)
