"""MQTT 5 and 3.1.1 brokers: messages in, acknowledgements out when the pipeline says so."""

from gateway.sources.mqtt.filters import AskedFilters
from gateway.sources.mqtt.source import make_mqtt_source

__all__ = ["AskedFilters", "make_mqtt_source"]
