"""Smart meters with a P1 port (DSMR and its relatives)."""
