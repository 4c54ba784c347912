"""A float of IEEE 11073 that is a whole payload: what both formats have in common.

A bridge that knows nothing of Bluetooth profiles forwards what it reads from a characteristic of one such float (a
concentration of gas or particles, a temperature) as it is. The format, the exactness and the values that are no
numbers: `devices/spec/medfloat.py`. The payload is the bytes, little-endian, or hex text of them.

A value that is no number (NaN, NRes, the infinities, the reserved one) is `Empty` with the format's words for it:
the device lives and has no value. What quantity it is, and in which unit, the bytes do not say; where the topic names a
characteristic, the type `ble-gatt` says both.
"""

from devices.spec.device import MessageDevice
from devices.spec.errors import EncodeError
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError
from devices.spec.field import Field
from devices.spec.hexed import from_hex
from devices.spec.medfloat import MedFloat, Special
from devices.spec.sequence import Bits, Sequence

VALUE = Field("value", "1", "The value; testbed data, not for clinical use")


def device(name: str, title: str, last: str, kind: MedFloat) -> MessageDevice:
    """The type of payloads of one `kind`, on topics that end in `last`."""

    def decode(_topic: str, payload: bytes, _received_ns: int) -> list[Event]:
        data = payload if len(payload) == kind.size else from_hex(payload)
        if not payload:
            return [Empty(DELETED, payload)]
        if data is None or len(data) != kind.size:
            words = f"expected the {kind.size} bytes of one {kind.name}, or hex of them, got {len(payload)} bytes"
            return [SanityError(words, payload)]
        value = kind.unpack(data)
        return [Empty(value.value, payload) if isinstance(value, Special) else Reading({VALUE.name: value})]

    def encode(reading: Reading) -> bytes:
        value = reading.fields.get(VALUE.name)
        if reading.fields.keys() != {VALUE.name} or isinstance(value, str | None):
            raise EncodeError(f"{name}: a payload is one number, {VALUE.name}")
        return kind.pack(float(value))

    return MessageDevice(
        name=name,
        title=title,
        domain="health",
        source="IEEE 11073-20601 (2019), annex F.8; Bluetooth SIG, Personal Health Devices Transcoding White Paper",
        fields=(VALUE,),
        expected_every_s=60.0,
        sequence=Sequence((Bits(VALUE.name, 6),)),
        topic=f"ieee11073/{{thing}}/{last}",
        decode=decode,
        encode=encode,
        checked=False,
    )
