"""All I/O of the simulators: pty, TCP and MQTT."""

from simulators.links.mqtt import MqttLink
from simulators.links.pty import NoPty, PtyLink
from simulators.links.tcp import TcpLink

__all__ = ["MqttLink", "NoPty", "PtyLink", "TcpLink"]
