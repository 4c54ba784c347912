"""Sensirion sensors on a serial line, one module a type: SPS30 over SHDLC, SCD30 over Modbus RTU."""
