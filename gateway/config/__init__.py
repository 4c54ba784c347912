"""The configuration: frozen typed objects, read once from a TOML file by `load`."""

from gateway.config.load import load, read
from gateway.config.types import (
    RECORDING,
    WINDOWS_PORT,
    Allowed,
    CodecsConfig,
    CommandsConfig,
    Config,
    ConfigError,
    GatewayConfig,
    InfluxConfig,
    LocalConfig,
    MqttConfig,
    SerialConfig,
    SpoolConfig,
    SubscriptionConfig,
    ThingConfig,
    WatchdogConfig,
    WillConfig,
    allows,
)
from gateway.config.usb import USB, UsbPort

__all__ = [
    "RECORDING",
    "USB",
    "WINDOWS_PORT",
    "Allowed",
    "CodecsConfig",
    "CommandsConfig",
    "Config",
    "ConfigError",
    "GatewayConfig",
    "InfluxConfig",
    "LocalConfig",
    "MqttConfig",
    "SerialConfig",
    "SpoolConfig",
    "SubscriptionConfig",
    "ThingConfig",
    "UsbPort",
    "WatchdogConfig",
    "WillConfig",
    "allows",
    "load",
    "read",
]
