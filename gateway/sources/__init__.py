"""Where bytes come from. Nothing is decoded here."""
