"""The TLS of one connection from the files that a configuration names, and what is wrong with a file.

Files are read anew for each context: renewed certificates need no restart. PEM only; a key behind
a password is of no use, since nobody is there to type it.

OpenSSL says little about a pair of certificate and key that it does not take, and not which of the
two files it means; so where it fails the files are looked at once more, for the words.
"""

import ssl
from pathlib import Path
from typing import NamedTuple

_DER = b"\x30\x82"
"""How a certificate begins that is not PEM: a SEQUENCE with a length of two bytes."""


class TlsFiles(NamedTuple):
    """The files of one connection, and the configuration's words for them."""

    ca: Path | None
    cert: Path | None
    key: Path | None
    ca_key: str = "ca_file"
    cert_key: str = "cert_file"
    key_key: str = "key_file"


class TlsFileUnusable(Exception):
    """A file is of no use: under which `key` of the configuration, `why`, and what is `expected` instead."""

    def __init__(self, key: str, path: Path, why: str, expected: str) -> None:
        super().__init__(f"{key} {path}: {why}; expected {expected}")
        self.key = key
        self.path = path
        self.why = why
        self.expected = expected


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Raises TlsFileUnusable where a file is missing or is not what it should be."""
    try:
        context = ssl.create_default_context(cafile=files.ca)
    except OSError as error:  # ssl.SSLError is one
        assert files.ca is not None
        raise _bad_authority(files, files.ca, error) from error
    if files.cert is not None:
        try:
            # without a password OpenSSL would ask for one at the terminal
            context.load_cert_chain(files.cert, files.key, password="")
        except OSError as error:
            raise _bad_pair(files, files.cert, error) from error
    return context


def expired_authority(files: TlsFiles, now_s: float) -> bool:
    """Whether ca_file holds an authority whose time is over, `now_s` being seconds since 1970."""
    if files.ca is None:
        return False
    try:
        known = ssl.create_default_context(cafile=files.ca).get_ca_certs()
    except OSError:
        return False
    ends = [str(one["notAfter"]) for one in known if "notAfter" in one]
    return any(ssl.cert_time_to_seconds(end) < now_s for end in ends)


def _bad_authority(files: TlsFiles, path: Path, error: OSError) -> TlsFileUnusable:
    return TlsFileUnusable(files.ca_key, path, _why(path, error), "a PEM file of certificates")


def _bad_pair(files: TlsFiles, cert: Path, error: OSError) -> TlsFileUnusable:
    """Which of the two files it is, and what is wrong with it."""
    key = files.key or cert
    right_cert = "a PEM file of a certificate"
    right_key = "a PEM file of the certificate's key, not encrypted"
    found: dict[Path, bytes] = {}
    for name, path, right in ((files.cert_key, cert, right_cert), (files.key_key, key, right_key)):
        try:
            found[path] = path.read_bytes()
        except OSError as unread:
            return TlsFileUnusable(name, path, unread.strerror or str(unread), right)
    if b"-----BEGIN CERTIFICATE-----" not in found[cert]:
        return TlsFileUnusable(files.cert_key, cert, _why(cert, error), right_cert)
    if b"PRIVATE KEY-----" not in found[key]:
        where = f"no private key in it, and {files.key_key} is not set" if files.key is None else "no private key in it"
        return TlsFileUnusable(files.key_key, key, where, right_key)
    if b"ENCRYPTED" in found[key]:
        return TlsFileUnusable(files.key_key, key, "a key behind a password", right_key)
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        why = f"this key does not belong to the certificate in {files.cert_key} {cert} ({error.reason})"
        return TlsFileUnusable(files.key_key, key, why, right_key)
    why = f"{_why(cert, error)}, the certificate or its key in {key}"
    return TlsFileUnusable(files.cert_key, cert, why, f"{right_cert}, and its key in {files.key_key}")


def _why(path: Path, error: OSError) -> str:
    if not isinstance(error, ssl.SSLError):
        return error.strerror or str(error)
    try:
        with path.open("rb") as file:
            der = file.read(2) == _DER
    except OSError as unread:
        return unread.strerror or str(unread)
    if der:
        return f"a certificate in DER, not PEM (openssl x509 -inform der -in {path.name} -out {path.stem}.pem)"
    return f"not a usable PEM file ({error.reason or error})"
