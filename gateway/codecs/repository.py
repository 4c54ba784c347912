"""A copy of The Things Network's device repository as a folder of codecs: its own tables say which file is for whom.

    vendor/elsys/ers-eye.yaml          … codec: ers-eye-codec …          of each firmware, band by band
    vendor/elsys/ers-eye-codec.yaml    uplinkDecoder:
                                         fileName: elsys.js

The folder may be the repository, its `vendor`, or one made like it. Only these two keys are looked for, line by line; a
device whose firmwares have several codecs is left to the index. Nothing is read before an uplink of the device comes.

Source: TheThingsNetwork/lorawan-devices, README.
"""

import re
from pathlib import Path

LONGEST = 1 << 18
PLACES = ("", "vendor")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_CODEC = re.compile(r"""^\s*codec:\s*['"]?([^'"\s#]+)""", re.M)
_FILE = re.compile(r"""\s+fileName:\s*['"]?([^'"\s#]+)""")


def codec_file(folder: Path, brand: str, model: str) -> str | None:
    """The file, from the folder on, of the codec of a device; None where the repository names none, or several."""
    if not (_NAME.fullmatch(brand) and _NAME.fullmatch(model)):
        return None
    for place in PLACES:
        within = folder / place / brand
        codecs = set(_CODEC.findall(_text(within / f"{model}.yaml")))
        files = {_decoder(_text(within / f"{Path(codec).name}.yaml")) for codec in codecs} - {""}
        if len(files) == 1:
            return (Path(place) / brand / files.pop()).as_posix()
    return None


def _decoder(table: str) -> str:
    """The `fileName` below `uplinkDecoder`; empty where there is none."""
    below = False
    for line in table.split("\n"):
        match = _FILE.match(line) if below else None
        if match is not None:
            return match[1]
        if line[:1].strip("# "):
            below = line.startswith("uplinkDecoder:")
    return ""


def _text(file: Path) -> str:
    """What a file says; nothing where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(LONGEST).decode("utf-8", "replace").replace("\r\n", "\n") + "\n"
    except OSError:
        return ""
