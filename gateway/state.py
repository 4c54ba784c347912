"""Files of a gateway's state are for its own user only, and are never reached by way of a symbolic link.

What is stored is health data and where people work: folders are 0700, files 0600. What an earlier
version or a person left open to others is closed, and said once in the log.

    folder    the state folder itself may be a link to a folder: that is the user's choice
    file      a link in place of a file of ours would let whoever made it choose what is written over

Limits: a folder that other things are in as well (one above the working or the home folder, one of the
system's, one with the sticky bit like /tmp) or that belongs to another user keeps its mode; its files
are closed all the same. Windows has no such modes: access is what the folder hands down.
"""

import contextlib
import errno
import logging
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

log = logging.getLogger("parkgate.state")

FOLDER_MODE = 0o700
FILE_MODE = 0o600
OTHERS = 0o077
"""The permission bits of everybody but the owner."""

_SYSTEM = frozenset(
    ("/", "/etc", "/home", "/media", "/mnt", "/opt", "/run", "/srv", "/usr", "/usr/local", "/var", "/var/lib")
)

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


class LinkRefused(Exception):
    """A symbolic link where a file of the gateway's own is expected; one line for the person."""

    def __init__(self, path: Path) -> None:
        to = ""
        with contextlib.suppress(OSError):
            to = f" to {path.readlink()}"
        super().__init__(
            f"{path} is a symbolic link{to}; expected a file of the gateway's own: remove the link "
            "(first move the file here, if it is wanted), or choose another place for it"
        )


def refuse_links(paths: Iterable[Path]) -> None:
    """Raises LinkRefused for the first of `paths` that is a symbolic link; what is missing is fine."""
    for path in paths:
        if path.is_symlink():
            raise LinkRefused(path)


def private_folder(path: Path) -> None:
    """Make the folder if it is missing; close it to others where it is ours alone. Raises OSError where
    it cannot be made."""
    if not path.is_dir():
        path.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        return
    found = path.stat()
    if os.name == "nt" or not found.st_mode & OTHERS:
        return
    if found.st_uid != os.geteuid():
        log.warning("others may look into %s, and it belongs to another user: its mode is left as it is", path)
    elif found.st_mode & stat.S_ISVTX or _shared(path):
        log.warning("others may look into %s, which is not for state alone: its mode is left as it is", path)
    elif _changed(path, FOLDER_MODE):
        log.warning("others could look into %s: now it is for this user only", path)


def private_files(paths: Iterable[Path]) -> None:
    """Close those that exist and are ours to others, by name: an open SQLite file must not be opened here.

    (Closing any descriptor of a file ends the locks that the process has on it.)
    """
    closed = [path for path in paths if _close(path)]
    if closed:
        names = ", ".join(path.name for path in closed)
        log.warning("others could read %s in %s: now only this user can", names, closed[0].parent)


def create_private(path: Path) -> None:
    """Make an empty file, if there is none. Raises OSError, LinkRefused."""
    if not path.exists():
        with contextlib.suppress(FileExistsError):  # somebody was faster
            os.close(open_private(path, os.O_WRONLY | os.O_EXCL))


def open_private(path: Path, flags: int) -> int:
    """A descriptor of the file, made with mode 0600 where it was missing. Raises OSError, LinkRefused."""
    try:
        return os.open(path, flags | os.O_CREAT | _NOFOLLOW, FILE_MODE)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EEXIST) and path.is_symlink():
            raise LinkRefused(path) from error
        raise


@contextlib.contextmanager
def private_umask() -> Iterator[None]:
    """Whatever is made within, by libraries too, is for this user only. One thread at a time may be within;
    what others make meanwhile is private as well."""
    before = os.umask(OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def _close(path: Path) -> bool:
    """Whether it was open to others and is not any more."""
    try:
        found = path.lstat()
    except OSError:
        return False
    if os.name == "nt" or not stat.S_ISREG(found.st_mode) or not found.st_mode & OTHERS:
        return False
    return found.st_uid == os.geteuid() and _changed(path, FILE_MODE)


def _changed(path: Path, mode: int) -> bool:
    """Whether the file system has such modes (FAT has none)."""
    try:
        path.chmod(mode)
    except OSError as error:
        log.warning("cannot close %s to other users of this machine: %s", path, error.strerror)
        return False
    return True


def _shared(path: Path) -> bool:
    """Whether other things than a gateway's state live in the folder: closing it would lock them out."""
    whole = path.resolve()
    inside: list[Path] = []
    for known in (Path.cwd, Path.home):
        with contextlib.suppress(OSError, RuntimeError):  # removed meanwhile; a user without a home
            inside.append(known().resolve())
    return str(whole) in _SYSTEM or any(place != whole and place.is_relative_to(whole) for place in inside)
