"""MQTT 5 and 3.1.1 brokers: messages in, acknowledgements out when the pipeline says so."""

from gateway.sources.mqtt.filters import AskedFilters
from gateway.sources.mqtt.link import TlsFileUnusable, tls_context
from gateway.sources.mqtt.source import make_mqtt_source

__all__ = ["AskedFilters", "TlsFileUnusable", "make_mqtt_source", "tls_context"]
