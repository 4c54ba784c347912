"""A RuuviTag in a park with two Ruuvi Gateways, as a broker sees it.

The tag measures at its period and advertises in data format 5; both gateways pass it on, the second with
another signal strength, so that each measurement comes twice and is to be stored once. The first gateway says
`gw_status` online, retained, on every connection, offline as the last will. The tag's address is made of its name. Its
first measurement after it was switched on has no humidity and no pressure yet; now and then somebody moves it.

Source: docs.ruuvi.com, "MQTT: time-stamped data from Bluetooth sensors", data format 5.
"""

from zlib import crc32

from msgspec import json

from devices.ruuvi import DEVICE
from devices.spec.events import Reading, Value
from simulators.peer import Epoch, Frame, Instrument, Series
from simulators.scene import truth
from simulators.signals import NOWHERE, Spot, wander

GATEWAYS = ("C8:25:2D:8E:9C:2C", "C8:25:2D:8E:9C:2D")
WEAKER_DB = 12
"""How much weaker the second gateway hears the tag."""
_ONLINE, _OFFLINE = b'{"state":"online"}', b'{"state":"offline"}'
_SAID = ("temperature_c", "humidity_pct", "pressure_pa", "measurement_sequence")
_MOVED_S = 900.0


def epoch(seed: int, _topic: str, spot: Spot = NOWHERE) -> Epoch:
    """What a tag measures."""
    one = truth(DEVICE, seed, spot=spot)

    def at(moment: float) -> list[Reading]:
        true = one(moment)
        fields: dict[str, Value] = {name: true.fields[name] for name in _SAID if name in true.fields}
        fields["measurement_sequence"] = int(moment) % 65_535
        for axis, rest in (("x", 0.0), ("y", 0.0), ("z", 1.0)):
            shake = 0.004 * wander(seed + ord(axis), moment, 3.0)
            fields[f"acceleration_{axis}_gn"] = round(rest + shake, 3)
        fields["battery_v"] = round(2.95 + 0.05 * wander(seed + 1, moment, 86_400.0), 3)
        fields["tx_power_dbm"] = 4.0
        fields["movement_counter"] = int(moment // _MOVED_S + seed) % 255
        fields["rssi_dbm"] = float(round(-72.0 + 8.0 * wander(seed + 2, moment, 40.0)))
        fields["data_format"] = "5"
        return [Reading(fields, int(moment) * 1_000_000_000)]

    return at


class Tag(Instrument):
    """A tag, and the gateways that hear it."""

    _said = False

    @property
    def address(self) -> str:
        return ":".join(f"{byte:02X}" for byte in (0xC0, 0xDE, *crc32((self.thing or "").encode()).to_bytes(4, "big")))

    def tick(self, now_s: float) -> list[Frame]:
        frames = super().tick(now_s)
        return [each for frame in frames for each in (frame, self._second(frame))]

    def presence(self, word: str, now_s: float) -> Frame | None:  # noqa: ARG002
        return Frame(_ONLINE if word == "ONLINE" else _OFFLINE, topic=self._beside(0, "gw_status"), retain=True)

    def _beside(self, gateway: int, last: str) -> str:
        """The topic of a gateway below the same prefix as the tag's."""
        prefix = self.topic.split("/")[0] or "ruuvi"
        return f"{prefix}/{GATEWAYS[gateway]}/{last}"

    def _frame(self, reading: Reading, series: Series, number: int) -> Frame:
        if not self._said:
            self._said = True
            for name in ("humidity_pct", "pressure_pa"):
                del reading.fields[name]
        reading.fields |= {"gateway_id": GATEWAYS[0], "mac": self.address}
        return super()._frame(reading, series, number)

    def _second(self, frame: Frame) -> Frame:
        """The same measurement, as the other gateway heard it."""
        said = json.decode(frame.data)
        data = json.encode(said | {"gw_mac": GATEWAYS[1], "rssi": said["rssi"] - WEAKER_DB})
        return Frame(data, topic=self._beside(1, self.topic.rpartition("/")[2]))
