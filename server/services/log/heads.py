"""Stage 6, redeem: the log's signed heads (docs/protocol.md §3 rule 7.4). Heads cover placed entries only."""

from datetime import datetime

from authcode.log import checkpoint
from authcode.log.checkpoint import Head, LogKey, read_head
from authcode.log.merkle import check_consistency
from keys.base.errors import AuthcodeError
from keys.primitives import SigningKey
from server.storage import log
from server.storage.engine import Connection, Database


class LogHeadMissing(AuthcodeError):
    """No head was signed yet."""

    code = "log_head_missing"
    http_status = 404
    sentence = "No head of the log was signed yet; the running server signs one within a minute."


class LogBroken(AuthcodeError):
    """The tree in the database is not the one under the last head; nothing is signed."""

    code = "log_broken"
    http_status = 500
    sentence = (
        "The log in the database is not the one that the last head was signed over, so no new head is signed. Restore "
        "the database as it was; do not delete heads."
    )


def log_key(db: Database, key: SigningKey) -> LogKey:
    """The log's name and public key, with which heads are checked."""
    with db.read() as connection:
        name, _size = log.tree_name_and_size(connection)
    return LogKey(name=name, public_key=key.public_key)


def sign_newest_head(db: Database, key: SigningKey, *, now: datetime) -> log.HeadRecord:
    """Place waiting entries and sign a head over them; the last head again where nothing was added.

    Several transactions: burns would wait while thousands of entries are placed in one. An idle server only reads.

    Raises:
        LogBroken: the tree does not continue the last head.
    """
    with db.read() as connection:
        head = log.last_head(connection)
        if head is not None and log.is_up_to_date(connection, head):
            return head
    while place_entries(db):
        pass
    return sign_head(db, key, now=now)


def place_entries(db: Database) -> bool:
    """Place some hundred waiting entries: whether more may wait."""
    with db.write() as connection:
        return log.integrate(connection) == log.BATCH


def sign_head(db: Database, key: SigningKey, *, now: datetime) -> log.HeadRecord:
    """Sign a head over the placed entries, if the tree continues the last head; that head again where nothing is new.

    Raises:
        LogBroken: the tree does not continue the last head.
    """
    with db.write() as connection:
        origin, size = log.tree_name_and_size(connection)
        last = log.last_head(connection)
        if last is not None and last.size == size:
            return last
        root = _root_after(connection, last, size)
        note = checkpoint.sign_head(Head(origin=origin, size=size, root=root), key)
        head = log.HeadRecord(size=size, at=now, note=note)
        log.keep_head(connection, head)
        return head


def _root_after(connection: Connection, last: log.HeadRecord | None, size: int) -> bytes:
    tree = log.Tree(connection)
    try:
        root = tree.root(size)
        if last is not None:
            before = read_head(last.note)
            check_consistency(before.size, size, before.root, root, tree.consistency(before.size, size))
    except (AuthcodeError, ValueError, IndexError):  # another tree, a shorter one, or rows that are missing
        raise LogBroken from None
    return root


def newest_head(connection: Connection) -> log.HeadRecord:
    """The newest head that was signed; reads only.

    Raises:
        LogHeadMissing: there is none yet.
    """
    head = log.last_head(connection)
    if head is None:
        raise LogHeadMissing
    return head
