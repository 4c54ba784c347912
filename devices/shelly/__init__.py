"""Shelly: both families of relays, meters and sensors; what they publish has nothing in common but the maker."""
