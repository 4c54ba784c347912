"""What every connection of the gateway needs: TLS from files, proxies, and words for what goes wrong."""

from gateway.network.proxy import Proxy, is_loopback, proxy_for
from gateway.network.tls import TlsFiles, TlsFileUnusable, tls_context
from gateway.network.words import Far, about_tls, in_words

__all__ = [
    "Far",
    "Proxy",
    "TlsFileUnusable",
    "TlsFiles",
    "about_tls",
    "in_words",
    "is_loopback",
    "proxy_for",
    "tls_context",
]
