"""Where log lines go: stderr, one line each, with UTC time and level."""

import logging
import time


def log_to_stderr(level: int = logging.INFO) -> None:
    line = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    line.converter = time.gmtime
    stream = logging.StreamHandler()
    stream.setFormatter(line)
    logging.basicConfig(level=level, handlers=[stream], force=True)
    logging.captureWarnings(True)
