"""The wire vectors that others published, in `published.jsonl` beside this file: one JSON object a line.

Each line keeps its `id`, its `source` (repository@commit:path, or document) and its `licence`;
`input_hex`, `input_text` or `input_json` are the bytes as published, `expected` what the publisher
reads in them (`expected_from`: who, if not the publisher). Field names in `expected` are the
publishers'; each device's test maps them explicitly.

All lines may be copied, none had to be left out:

    29  ntpsec/gpsd                             BSD-2-Clause  regression logs and what gpsd makes of them
    22  semuconsulting/pynmeagps                BSD-3-Clause  sentences of receivers in its tests
     2  Knio/pynmea2                            MIT           unit tests
    51  avaldebe/PyPMS                          MIT           captures and negative unit tests of air sensors
     9  atbrask/CMS50Dplus                      BSD-2-Clause  unit tests
     3  atick-faisal/berry-oximeter             MIT           unit tests
     9  openTCS/opentcs-commadapter-vda5050     MIT           messages of tests
     3  mavlink/rust-mavlink                    MIT           unit tests and a capture (or Apache-2.0)
     1  koalazak/dorita980                      MIT           state of a Roomba 980
     1  Paradoxdruid/pyLIDAR                    MIT           the frame of LDROBOT's manual
     1  bluenviron/gomavlib                     MIT           unit test
     6  pez-globo/pufferfish-software           Apache-2.0    unit tests
    20  RonanB96/bluetooth-sig-python           MIT           unit tests
     4  weliem/blessed-android                  MIT           unit tests
     5  TheThingsIndustries/lorawan-stack-docs  Apache-2.0    documentation
    32  TheThingsNetwork/lorawan-devices        Apache-2.0    unit tests of vendors' codecs
     3  smlng/pycayennelpp                      MIT           unit tests with the examples of the format's document
     4  chirpstack/chirpstack-docs              MIT           documentation
     4  ruuvi/ruuvi-sensor-protocols            BSD-3-Clause  test vectors of the data formats
     4  united-manufacturing-hub/benthos-umh    Apache-2.0    unit tests and a capture of Sparkplug B
     4  eclipse-sparkplug/sparkplug             EPL-2.0       examples of the specification
     1  absmach/senml                           Apache-2.0    unit test
     1  Mainflux and Magistrala documentation   Apache-2.0
     5  home-assistant/core                     Apache-2.0    unit tests of Tasmota
     2  ebarkie/weatherlink                     MIT           unit tests with captures of a Davis console
     1  pymodbus-dev/pymodbus                   BSD-3-Clause  unit test of a check
     4  ndokter/dsmr_parser                     MIT           telegrams of tests, read by dsmr_parser
     9  home-assistant-libs/aioshelly           Apache-2.0    captures of Shelly devices
     1  homieiot/convention                     CC-BY-4.0     example of the specification
"""

import json
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).with_name("published.jsonl")


def published(*protocols: str) -> list[dict[str, Any]]:
    """All vectors of these protocols, in the order of the file; LookupError for one without any."""
    vectors = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    missing = set(protocols) - {vector["protocol"] for vector in vectors}
    if missing:
        raise LookupError(f"{VECTORS.name} has no vector of {', '.join(sorted(missing))}")
    return [vector for vector in vectors if vector["protocol"] in protocols]


def payload(vector: dict[str, Any]) -> bytes:
    """The payload as published: bytes in hex, or JSON."""
    if "input_hex" in vector:
        return bytes.fromhex(vector["input_hex"])
    return json.dumps(vector["input_json"]).encode()
