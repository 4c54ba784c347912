"""Values in the decimal floats of IEEE 11073, each a payload of its own."""
