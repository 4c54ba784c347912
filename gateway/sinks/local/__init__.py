"""The local store: one DuckDB file."""

from gateway.sinks.local.store import LocalSink

__all__ = ["LocalSink"]
