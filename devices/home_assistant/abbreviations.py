"""The short names that announcements may use, and what they stand for.

A topic may have the base topic `~` at its beginning or its end.

Source: home-assistant.io, "MQTT", "Supported abbreviations in MQTT discovery messages"; home-assistant/core,
homeassistant/components/mqtt/abbreviations.py.
"""

from collections.abc import Mapping
from typing import Any

_PARTS: Mapping[str, str] = {
    "act": "action", "aux": "aux", "avty": "availability", "bri": "brightness", "clr_temp": "color_temp",
    "clrm": "color_mode", "cln": "cleaning", "curr_temp": "current_temperature", "curr_hum": "current_humidity",
    "dir": "direction", "fan_mode": "fan_mode", "fanspd": "fan_speed", "fx": "effect", "hold": "hold", "hs": "hs",
    "hum": "target_humidity", "img": "image", "json_attr": "json_attributes", "l_ver": "latest_version",
    "lrst": "last_reset", "mode": "mode", "osc": "oscillation", "pct": "percentage", "pos": "position",
    "pow": "power", "pr_mode": "preset_mode", "rgb": "rgb", "rgbw": "rgbw", "rgbww": "rgbww", "set_pos": "set_position",
    "spd": "speed", "swing_mode": "swing_mode", "swing_h_mode": "swing_horizontal_mode", "temp": "temperature",
    "temp_hi": "temperature_high", "temp_lo": "temperature_low", "tilt": "tilt", "tilt_status": "tilt_status",
    "url": "url", "whit": "white", "whit_val": "white_value", "xy": "xy", "away_mode": "away_mode",
    "bat_lev": "battery_level", "chrg": "charging", "dock": "docked", "err": "error", "send": "send",
}  # fmt: skip
"""Quantities, of which there are topics and templates."""

_ENDS: Mapping[str, str] = {
    "t": "topic", "tpl": "template", "cmd_t": "command_topic", "cmd_tpl": "command_template",
    "stat_t": "state_topic", "stat_tpl": "state_template", "state_tpl": "state_template",
    "val_tpl": "value_template", "scl": "scale",
}  # fmt: skip

_OTHERS: Mapping[str, str] = {
    "atype": "automation_type", "av_tones": "available_tones", "avty": "availability",
    "avty_mode": "availability_mode", "b_tpl": "blue_template", "clr_temp_k": "color_temp_kelvin",
    "cmd_off_tpl": "command_off_template", "cmd_on_tpl": "command_on_template", "cmd_t": "command_topic",
    "cmd_tpl": "command_template", "cmps": "components", "cod_arm_req": "code_arm_required",
    "cod_dis_req": "code_disarm_required", "cod_form": "code_format", "cod_trig_req": "code_trigger_required",
    "cont_type": "content_type", "def_ent_id": "default_entity_id", "dev": "device", "dev_cla": "device_class",
    "e": "encoding", "en": "enabled_by_default", "ent_cat": "entity_category", "ent_pic": "entity_picture",
    "evt_typ": "event_types", "exp_aft": "expire_after", "fanspd_lst": "fan_speed_list", "flsh": "flash",
    "flsh_tlng": "flash_time_long", "flsh_tsht": "flash_time_short", "frc_upd": "force_update",
    "fx_list": "effect_list", "g_tpl": "green_template", "ic": "icon", "img_e": "image_encoding", "init": "initial",
    "json_attr": "json_attributes", "max_hum": "max_humidity", "max_k": "max_kelvin", "max_mirs": "max_mireds",
    "migr_discvry": "migrate_discovery", "min_hum": "min_humidity", "min_k": "min_kelvin", "min_mirs": "min_mireds",
    "o": "origin", "obj_id": "object_id", "off_dly": "off_delay", "on_cmd_type": "on_command_type",
    "ops": "options", "opt": "optimistic", "p": "platform", "pl": "payload", "pl_arm_away": "payload_arm_away",
    "pl_arm_custom_b": "payload_arm_custom_bypass", "pl_arm_home": "payload_arm_home",
    "pl_arm_nite": "payload_arm_night", "pl_arm_vacation": "payload_arm_vacation",
    "pl_avail": "payload_available", "pl_cln_sp": "payload_clean_spot", "pl_cls": "payload_close",
    "pl_dir_fwd": "payload_direction_forward", "pl_dir_rev": "payload_direction_reverse",
    "pl_disarm": "payload_disarm", "pl_home": "payload_home", "pl_inst": "payload_install",
    "pl_loc": "payload_locate", "pl_lock": "payload_lock", "pl_not_avail": "payload_not_available",
    "pl_not_home": "payload_not_home", "pl_off": "payload_off", "pl_on": "payload_on", "pl_open": "payload_open",
    "pl_osc_off": "payload_oscillation_off", "pl_osc_on": "payload_oscillation_on", "pl_paus": "payload_pause",
    "pl_prs": "payload_press", "pl_ret": "payload_return_to_base", "pl_rst": "payload_reset",
    "pl_rst_hum": "payload_reset_humidity", "pl_rst_mode": "payload_reset_mode",
    "pl_rst_pct": "payload_reset_percentage", "pl_rst_pr_mode": "payload_reset_preset_mode",
    "pl_stop": "payload_stop", "pl_stpa": "payload_start_pause", "pl_strt": "payload_start",
    "pl_toff": "payload_turn_off", "pl_ton": "payload_turn_on", "pl_trig": "payload_trigger",
    "pl_unlk": "payload_unlock", "pos_clsd": "position_closed", "pos_open": "position_open",
    "pr_modes": "preset_modes", "ptrn": "pattern", "r_tpl": "red_template", "rel_s": "release_summary",
    "rel_u": "release_url", "ret": "retain", "send_if_off": "send_if_off", "set_fan_spd_t": "set_fan_speed_topic",
    "spd_rng_max": "speed_range_max", "spd_rng_min": "speed_range_min", "src_type": "source_type",
    "stat_cla": "state_class", "stat_closing": "state_closing", "stat_clsd": "state_closed", "stat_jam": "state_jammed",
    "stat_locked": "state_locked", "stat_locking": "state_locking", "stat_off": "state_off", "stat_on": "state_on",
    "stat_open": "state_open", "stat_opening": "state_opening", "stat_stopped": "state_stopped",
    "stat_t": "state_topic", "stat_tpl": "state_template", "stat_unlocked": "state_unlocked",
    "stat_unlocking": "state_unlocking", "stat_val_tpl": "state_value_template", "stype": "subtype",
    "sug_dsp_prc": "suggested_display_precision", "sup_clrm": "supported_color_modes", "sup_dur": "support_duration",
    "sup_feat": "supported_features", "sup_vol": "support_volume_set", "swing_h_modes": "swing_horizontal_modes",
    "t": "topic", "temp_unit": "temperature_unit", "tilt_clsd_val": "tilt_closed_value",
    "tilt_inv_stat": "tilt_invert_state", "tilt_opnd_val": "tilt_opened_value", "tilt_opt": "tilt_optimistic",
    "tit": "title", "uniq_id": "unique_id", "unit_of_meas": "unit_of_measurement", "val_tpl": "value_template",
}  # fmt: skip

_DEVICE: Mapping[str, str] = {
    "cns": "connections", "cu": "configuration_url", "hw": "hw_version", "ids": "identifiers", "mdl": "model",
    "mdl_id": "model_id", "mf": "manufacturer", "sa": "suggested_area", "sn": "serial_number", "sw": "sw_version",
}  # fmt: skip

ABBREVIATIONS: Mapping[str, str] = {
    f"{short}_{end}": f"{whole}_{ending}" for short, whole in _PARTS.items() for end, ending in _ENDS.items()
} | dict(_OTHERS)

_BASE = "~"
_TOPIC = "topic"


def written_out(config: Mapping[str, Any]) -> dict[str, Any]:
    """An announcement, or one of its components, with whole names and whole topics."""
    base = config.get(_BASE)
    found = _whole(config, ABBREVIATIONS)
    device = found.get("device")
    if isinstance(device, dict):
        found["device"] = _whole(device, _DEVICE)
    several = found.get("availability")
    if isinstance(several, list):
        found["availability"] = [_whole(each, ABBREVIATIONS) for each in several if isinstance(each, dict)]
    elif isinstance(several, dict):
        found["availability"] = [_whole(several, ABBREVIATIONS)]
    else:
        found.pop("availability", None)
    if isinstance(base, str):
        for part in (found, *found.get("availability", ())):
            for key, value in part.items():
                if key.endswith(_TOPIC) and isinstance(value, str):
                    part[key] = _with_base(value, base)
    return found


def _whole(config: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in config.items()}


def _with_base(topic: str, base: str) -> str:
    if topic.startswith(_BASE):
        return base + topic[1:]
    return topic[:-1] + base if topic.endswith(_BASE) else topic
