"""Davis weather stations."""
