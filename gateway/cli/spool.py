"""`parkgate spool`: what waits in the spool, what is in its quarantine, what is left of a damaged file."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.usage import ConfigOption, UsageError, one_file

if TYPE_CHECKING:
    from gateway.config import SpoolConfig
    from gateway.spool import Look

app = typer.Typer(
    help="What waits in the spool; `quarantine` and `salvage`.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@app.callback()
def spool(
    context: typer.Context,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show depth, oldest row and forecast of a spool, also while its gateway runs."""
    context.obj = config
    if context.invoked_subcommand is not None:
        return
    from gateway.spool import does_not_fit, look

    path, limits = _spool_of("spool", config)
    found, unfit = look(path, limits.max_bytes), does_not_fit(path, limits)
    if as_json:
        typer.echo(json.dumps(_fields(found, limits.max_bytes, unfit)))
    else:
        typer.echo(_said(found, path, limits.max_bytes, unfit))


@app.command("quarantine")
def quarantine(
    context: typer.Context,
    config: ConfigOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest first.")] = 20,
) -> None:
    """List what could not be decoded or was refused by the sink: one JSON object a line."""
    from gateway.spool import quarantine as newest

    path, _ = _spool_of("spool quarantine", config or context.obj)  # the option may stand before the command, too
    for item in newest(path, limit):
        fields = {**item._asdict(), "time": _time(item.time_ns), "data": item.data.hex()}
        if item.data.isascii() and item.data.decode().isprintable():
            fields["text"] = item.data.decode()
        typer.echo(json.dumps(fields))


@app.command("salvage")
def salvage(
    file: Annotated[Path, typer.Argument(help="A spool file that was set aside (spool.db.damaged-…).")],
    to: Annotated[
        Path | None,
        typer.Option("--to", help="A spool (*.db) or a new text file of line protocol (*.lp). Default: spool beside."),
    ] = None,
) -> None:
    """Copy whatever is still readable in a damaged spool file; the file itself is left as it is."""
    from gateway.spool import SpoolUnusable
    from gateway.spool import salvage as copy

    if not file.is_file():
        raise UsageError(f"FILE {file}: expected a spool file that was set aside (spool.db.damaged-…)")
    into = to or file.with_name(file.name.partition(".damaged-")[0])
    if into.suffix not in (".db", ".lp"):
        raise UsageError(f"--to {into}: expected a spool (*.db) or a text file of line protocol (*.lp)")
    try:
        report = copy(file, into, time.time_ns())
    except SpoolUnusable as error:
        if "in use" in str(error):
            raise SpoolUnusable(f"{error}; or write the points to a text file: --to {file.name}.lp") from error
        raise
    typer.echo(f"{report.points} points in {report.rows} rows written to {into}")
    if report.carved:
        typer.echo(f"{report.carved} rows were found in bare pages: some may have been delivered before")
    if report.unsound:
        typer.echo(f"{report.unsound} rows were left out: their checksum does not fit")
    if not report.whole:
        typer.echo("part of the file could not be read: what stood there is lost")


def _spool_of(command: str, config: Path | None) -> "tuple[Path, SpoolConfig]":
    """The spool file that a configuration means, and its bounds."""
    from gateway.config import load

    loaded = load(one_file(command, None, config), os.environ)
    return loaded.gateway.state_dir / "spool.db", loaded.spool


def _fields(found: "Look", max_bytes: int, unfit: str | None) -> dict[str, object]:
    """What `--json` prints: `disk` is "ok", "nearly full" or "full", and null where the system does not say."""
    disk = found.disk
    return {
        **found._asdict(),
        "max_bytes": max_bytes,
        "max_bytes_fits": unfit is None,
        "damaged": [str(file) for file in found.damaged],
        "disk": None if disk is None else disk.word,
        "disk_free": None if disk is None else disk.free,
        "disk_size": None if disk is None else disk.size,
    }


def _said(found: "Look", path: Path, max_bytes: int, unfit: str | None) -> str:
    from gateway.disk import say_size
    from gateway.spool import say_duration

    used = ", written by a running gateway" if found.in_use else ", no gateway is running on it"
    most = found.bytes + found.room
    by_disk = most < max_bytes
    share = 100.0 * found.bytes / max(1, most if by_disk else max_bytes)
    bound = f"the {say_size(most)} that the disk has room for" if by_disk else say_size(max_bytes)
    lines = [
        f"spool       {path}{used}",
        f"waiting     {found.points:,} points in {found.rows:,} rows,"
        f" {say_size(found.bytes)} of {bound} ({share:.1f} %)",
    ]
    if found.oldest_ns is not None:
        age = max(0.0, (time.time_ns() - found.oldest_ns) / 1e9)
        lines.append(f"oldest      {_time(found.oldest_ns)}, {say_duration(age)} ago")
    if found.room == 0:
        lines.append(f"forecast    the {'disk' if by_disk else 'spool'} is full")
    elif found.lasts_s is not None:
        lasts = f"{'the disk ' if by_disk else ''}lasts {say_duration(found.lasts_s)}"
        lines.append(f"forecast    {lasts} at the gross rate (these rows, none delivered); /healthz has the net rate")
    else:
        lines.append("forecast    none: less than 10 s of rows wait")
    lines.append(f"quarantine  {found.quarantined:,} items, {say_size(found.quarantine_bytes)}")
    if found.disk is not None:
        lines.append(f"disk        {found.disk}" + (f": {found.disk.word}" if found.disk.word != "ok" else ""))
    if unfit is not None:
        lines.append(f"warning     {unfit}")
    lines += [f"set aside   {file}: parkgate spool salvage {file}" for file in found.damaged]
    return "\n".join(lines)


def _time(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
