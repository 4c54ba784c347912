"""Nova Fitness dust sensors: one frame format, one module a type."""
