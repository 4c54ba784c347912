"""The configuration: frozen typed objects, read once from a TOML file by `load`."""

from gateway.config.load import load
from gateway.config.read import ConfigError, is_secret, nearest
from gateway.config.types import (
    RECORDING,
    Config,
    GatewayConfig,
    InfluxConfig,
    LocalConfig,
    MqttConfig,
    SerialConfig,
    SpoolConfig,
    SubscriptionConfig,
    WatchdogConfig,
    WillConfig,
)

__all__ = [
    "RECORDING",
    "Config",
    "ConfigError",
    "GatewayConfig",
    "InfluxConfig",
    "LocalConfig",
    "MqttConfig",
    "SerialConfig",
    "SpoolConfig",
    "SubscriptionConfig",
    "WatchdogConfig",
    "WillConfig",
    "is_secret",
    "load",
    "nearest",
]
