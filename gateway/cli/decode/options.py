"""What `parkgate decode` can be told, and its words for each in `--help`."""

from pathlib import Path
from typing import Annotated

import typer

DeviceOption = Annotated[
    str | None,
    typer.Option("--device", "-d", help="The device type; see `parkgate devices`. Without it: what a port says."),
]
SourceArgument = Annotated[str | None, typer.Argument(metavar="[FILE|-]", help="Raw bytes; - is standard input.")]
TopicOption = Annotated[str | None, typer.Option("--topic", "-t", help="The topic name, for types behind MQTT.")]
HexOption = Annotated[str | None, typer.Option("--hex", metavar="HEX|FILE|-", help="The bytes in hex.")]
TextOption = Annotated[str | None, typer.Option("--text", help="The bytes as text: a sentence, a JSON payload.")]
FileOption = Annotated[str | None, typer.Option("--file", "-f", help="A file of raw bytes; - is standard input.")]
PortOption = Annotated[
    str | None,
    typer.Option("--port", "-p", metavar="PORT", help="A serial port to listen to, or socket://HOST:PORT."),
]
BaudOption = Annotated[int | None, typer.Option("--baud", help="With --port: other than the type's own.")]
ParityOption = Annotated[
    str | None, typer.Option("--parity", metavar="N|E|O", help="With --port: other than the type's own.")
]
ForOption = Annotated[
    float | None, typer.Option("--for", metavar="S", help="With --port: S seconds; without it until Ctrl-C.")
]
RecordOption = Annotated[
    Path | None, typer.Option("--record", metavar="FILE", help="With --port: also write what it says to FILE.")
]
UnitOption = Annotated[
    int | None,
    typer.Option("--unit", metavar="N", help="For types that are asked: the unit number; else as delivered."),
]
WithOption = Annotated[
    str | None,
    typer.Option("--with", metavar="FILE", help="For types with state: what came before, lines of topic and payload."),
]
EveryOption = Annotated[
    float | None,
    typer.Option("--every", metavar="S", help="For types that are asked, with --port: seconds; else the type's own."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON in a terminal, too: one object a line.")]
CodecOption = Annotated[
    Path | None,
    typer.Option("--codec", metavar="FILE.js", help="For LoRaWAN: the vendor's JavaScript that reads the payload."),
]
CodecsOption = Annotated[
    Path | None,
    typer.Option("--codecs", metavar="FOLDER", help="For LoRaWAN: a folder of codecs, chosen from as a gateway does."),
]
FPortOption = Annotated[
    int | None, typer.Option("--fport", metavar="N", min=0, max=255, help="With -d lorawan-payload: its port, else 0.")
]
SenderOption = Annotated[
    str | None,
    typer.Option("--sender", metavar="WHO", help="With --codecs: whose payload it is, a DevEUI or a device profile."),
]
