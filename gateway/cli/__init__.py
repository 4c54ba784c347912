"""The command `parkgate`: one file per command."""
