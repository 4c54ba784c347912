"""The entry point: names the commands, and turns a failure into one line on stderr, a wrong file into one a mistake.

Exit codes: 0 done; 1 it could not be done; 2 the command line or the configuration is wrong;
130 interrupted. `--verbose`, anywhere on the line, shows the traceback as well.

What a command needs is imported when it runs, so that `parkgate devices` answers at once.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Annotated

import typer

from gateway import __version__
from gateway.cli import bench, check, dashboards, devices, simulate, spool, tell
from gateway.cli import run as run_
from gateway.cli.decode import decode
from gateway.cli.demo import demo
from gateway.cli.learn import learn
from gateway.cli.serial import app as serial
from gateway.cli.usage import UsageError, worded
from textfile import Mistaken

app = typer.Typer(
    name="parkgate",
    help="Testbed gateway: park sensors, robots and health devices into InfluxDB and Grafana, losing nothing.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"parkgate {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the traceback of an error.")] = False,  # noqa: ARG001
) -> None:
    """Both options are dealt with elsewhere; a bare `parkgate` shows what there is."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("demo")(demo)
app.command("run")(run_.run)
app.command("check")(check.check)
app.command("devices")(devices.devices)
app.command("decode")(decode)
app.command("learn")(learn)
app.command("tell")(tell.tell)
app.command("commands")(tell.commands)
app.command("simulate")(simulate.simulate)
app.add_typer(dashboards.app, name="dashboards")
app.add_typer(serial, name="serial")
app.add_typer(spool.app, name="spool")
app.add_typer(bench.app, name="bench")


_PARSING: type[Exception] = typer.BadParameter.__mro__[2]
"""ClickException, of whichever click typer carries: its own copy, or the package."""


def leaves(exc: BaseException) -> list[BaseException]:
    """The exceptions inside (nested) exception groups."""
    if isinstance(exc, BaseExceptionGroup):
        return [leaf for inner in exc.exceptions for leaf in leaves(inner)]
    return [exc]


def complain(exc: BaseException, verbose: bool) -> None:
    """One line on stderr for each thing that went wrong, each mistake of a file; the traceback first if `verbose`."""
    if verbose:
        traceback.print_exception(exc)
    for leaf in leaves(exc):
        text = worded(leaf) if isinstance(leaf, _PARSING) else str(leaf)
        if type(leaf).__module__ == "builtins" and not isinstance(leaf, ValueError | OSError | RuntimeError):
            text = f"{type(leaf).__name__}: {text}"
        lines = text.splitlines() if isinstance(leaf, Mistaken) else [text]
        for line in lines:
            print("parkgate: " + " ".join(line.split()), file=sys.stderr)


def main(arguments: Sequence[str]) -> int:
    """Run one command line; answer the exit code."""
    verbose = "--verbose" in arguments
    rest = [word for word in arguments if word != "--verbose"]
    try:
        # called without Typer.__call__, which would put its own excepthook in place
        answer = typer.main.get_command(app).main(args=rest, prog_name="parkgate", standalone_mode=False)
    except (_PARSING, Mistaken, UsageError) as exc:
        complain(exc, verbose)
        return 2
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads: no word more at exit
        return 1
    return answer if isinstance(answer, int) else 0


def run() -> None:
    """The console script. What `main` lets through ends here, through the interpreter's own hook."""
    verbose = "--verbose" in sys.argv

    def hook(_kind: type[BaseException], exc: BaseException, _trace: TracebackType | None) -> None:
        complain(exc, verbose)

    sys.excepthook = hook
    sys.exit(main(sys.argv[1:]))
