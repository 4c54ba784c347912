"""MQTT 5 and 3.1.1 brokers: messages in, acknowledgements out when the pipeline says so."""

from gateway.sources.mqtt.filters import AskedFilters
from gateway.sources.mqtt.source import MqttSource, make_mqtt_source
from gateway.sources.mqtt.talk import Talk

__all__ = ["AskedFilters", "MqttSource", "Talk", "make_mqtt_source"]
