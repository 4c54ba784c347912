"""What the network says of an uplink: port, count, raw payload, and what the gateways heard."""

import math

from devices.lorawan.raw import raw
from devices.spec.events import Value
from devices.ttn_v3.message import RxMetadata, Settings, Uplink


def radio(uplink: Uplink, fields: dict[str, Value], wrong: list[str]) -> None:
    """Port, count, raw payload and what the gateways heard."""
    fields["f_port"] = uplink.f_port or 0
    fields["f_cnt"] = uplink.f_cnt or 0
    if uplink.frm_payload:
        raw(uplink.frm_payload, "payload_hex", fields, wrong)
    if uplink.confirmed:
        fields["confirmed"] = True
    if uplink.rx_metadata:
        _best_gateway(uplink.rx_metadata, uplink.settings, fields)
    if uplink.settings is not None:
        _settings(uplink.settings, fields, wrong)
    if uplink.consumed_airtime:
        _number(uplink.consumed_airtime.removesuffix("s"), "airtime_s", "consumed_airtime", fields, wrong)


def _best_gateway(heard: list[RxMetadata], settings: Settings | None, fields: dict[str, Value]) -> None:
    """What the gateway says that heard it best; of strength and SNR the one left out is zero."""
    fields["gateways"] = len(heard)
    best = heard[0]
    strongest = _strength(best)
    for other in heard[1:]:
        strength = _strength(other)
        if strength > strongest:
            best, strongest = other, strength
    snr = best.snr
    if strongest > -math.inf:
        fields["rssi_dbm"] = strongest
        if snr is None and _has_snr(settings):
            snr = 0.0
    elif snr is not None and best.rssi is None and best.channel_rssi is None:
        fields["rssi_dbm"] = 0.0
    if snr is not None and snr == snr:
        fields["snr_db"] = snr
    if best.gateway_ids is not None and best.gateway_ids.gateway_id:
        fields["gateway_id"] = best.gateway_ids.gateway_id


def _has_snr(settings: Settings | None) -> bool:
    """Whether the modulation has a signal to noise ratio: LoRa, or none is named."""
    return settings is None or settings.data_rate is None or settings.data_rate.lora is not None


def _strength(heard: RxMetadata) -> float:
    strength = heard.channel_rssi if heard.rssi is None else heard.rssi
    return strength if strength is not None and strength == strength else -math.inf


def _settings(settings: Settings, fields: dict[str, Value], wrong: list[str]) -> None:
    lora = settings.data_rate.lora if settings.data_rate is not None else None
    if lora is not None:
        if lora.spreading_factor is not None:
            fields["spreading_factor"] = lora.spreading_factor
        if lora.bandwidth is not None:
            fields["bandwidth_hz"] = lora.bandwidth
    if settings.frequency is not None:
        _number(settings.frequency, "frequency_hz", "settings.frequency", fields, wrong)


def _number(text: str | float, name: str, where: str, fields: dict[str, Value], wrong: list[str]) -> None:
    """Put the number that stands in a text into `fields`."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        fields[name] = number
    else:
        wrong.append(f"{where}: expected a number, got {text!r:.40}")
