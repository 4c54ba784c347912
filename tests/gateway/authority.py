"""A certificate authority of the tests' own, made with the openssl command."""

import subprocess
from pathlib import Path


class Authority:
    """A certificate authority in a directory; `issue` makes NAME.pem and NAME.key there."""

    def __init__(self, directory: Path, name: str, *, days: int = 30) -> None:
        self.directory = directory / name
        self.directory.mkdir()
        self.certificate = self.directory / "ca.pem"
        self._key = self.directory / "ca.key"
        self._openssl("req", "-x509", *self._new_key(self._key), "-out", self.certificate, "-subj", f"/CN={name}")
        again = ["-signkey", self._key, "-days", str(days)]  # req knows no negative days
        self._openssl("x509", "-in", self.certificate, *again, "-out", self.certificate)

    def issue(self, name: str, alternative: str, *, days: int = 30) -> tuple[Path, Path]:
        """A certificate for `alternative` and its key; -1 `days`: it expired yesterday."""
        request = self.directory / f"{name}.csr"
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        extension = self.directory / f"{name}.ext"
        extension.write_text(f"subjectAltName={alternative}\n")
        self._openssl("req", *self._new_key(key), "-out", request, "-subj", f"/CN={name}")
        signing: list[str | Path] = [
            "-CA",
            self.certificate,
            "-CAkey",
            self._key,
            "-CAcreateserial",
            "-extfile",
            extension,
        ]
        self._openssl("x509", "-req", "-in", request, "-days", str(days), *signing, "-out", certificate)
        return certificate, key

    def encrypt(self, name: str) -> None:
        """NAME.locked.key: the key of NAME behind a password."""
        key, locked = self.directory / f"{name}.key", self.directory / f"{name}.locked.key"
        self._openssl("ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked)

    def _new_key(self, path: Path) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(path)]

    def _openssl(self, *arguments: str | Path) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
