"""Sensirion sensors on a serial line: the frames they share, one module a type. The SCD30 speaks Modbus: modbus/."""
