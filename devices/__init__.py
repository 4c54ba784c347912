"""Device types: pure descriptions, no input or output, no clock."""
