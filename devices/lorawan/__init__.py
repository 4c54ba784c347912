"""LoRaWAN: what network servers' messages have in common, and what devices put into their payloads."""
