"""Files that hold secrets or promises: written whole or not at all, private, and changed by one process at a time."""

import contextlib
import ctypes
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

PRIVATE_FILE: Final = 0o600
PRIVATE_DIR: Final = 0o700
PUBLIC_FILE: Final = 0o644
_HERE: Final = -100
"""AT_FDCWD of <fcntl.h>: paths are relative to the working directory."""
_EXCHANGE: Final = 2
"""RENAME_EXCHANGE of <linux/fs.h>."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def make_private_dir(path: Path) -> None:
    """Make the folder `path`, open to its owner only (its parents as usual), unless it exists."""
    path.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)


def mode_for_others(file: IO[bytes]) -> int | None:
    """The permission bits of an open file that others than its owner may use it with; None where there are none.

    It takes the open file, since its path may lead elsewhere a moment later. None without POSIX permissions.
    """
    mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    return mode if os.name == "posix" and mode & _OTHERS else None


def other_owner(file: IO[bytes]) -> int | None:
    """The owner of an open file who is neither the user of this process nor root; None where it is one of them.

    An owner can read and change a file whatever its mode is. None without POSIX users.
    """
    if sys.platform == "win32":  # pragma: no cover - no POSIX users there
        return None
    owner = os.fstat(file.fileno()).st_uid
    return None if owner in {os.geteuid(), 0} else owner


def write_atomic(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Write `path` so that a reader, and a crash, sees the old content or the new one, never a part.

    Raises:
        OSError: the disk is full or the folder not writable; the old content stays and nothing else is left.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_dir(path.parent)


def sync_dir(path: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def exchange_dirs(one: Path, other: Path) -> None:
    """Swap the names of two folders of one file system: on Linux in one step, so that a crash loses neither.

    Elsewhere in three steps; if one fails, those before it are undone.

    Raises:
        OSError: they cannot be renamed; both keep their names.
    """
    if not _exchanged_at_once(one, other):
        aside = one.with_name(f"{one.name}.aside-{secrets.token_hex(4)}")
        one.rename(aside)
        try:
            other.rename(one)
        except OSError:
            aside.rename(one)
            raise
        aside.rename(other)
    sync_dir(one.parent)


def _exchanged_at_once(one: Path, other: Path) -> bool:
    if sys.platform != "linux":  # pragma: no cover - renameat2 is Linux's
        return False
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    return call is not None and call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


@contextlib.contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, waiting for other processes and threads; the death of a process releases it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        if sys.platform == "win32":  # pragma: no cover - no POSIX locks there
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
