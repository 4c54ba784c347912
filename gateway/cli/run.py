"""`parkgate run`: the gateway, until it is told to stop."""

from gateway.cli.check import runnable
from gateway.cli.usage import ConfigArgument, ConfigOption, one_file


def run(file: ConfigArgument = None, config: ConfigOption = None) -> int:
    """Run the gateway. SIGTERM or Ctrl-C stops reading, commits and flushes, then ends with 0."""
    from gateway.cli.log import log_to_stderr

    loaded = runnable(one_file("run", file, config))
    from dashboards.maps import pages
    from gateway import app  # after the file was found good: most of what is imported here

    log_to_stderr()
    return app.run(loaded, pages())
