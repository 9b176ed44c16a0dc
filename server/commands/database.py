"""The database that the server's commands work on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from keys.base.home import home_dir

if TYPE_CHECKING:
    from server.storage.engine import Database


@contextmanager
def opened_database(home: Path | None) -> "Iterator[Database]":
    """The database of a home, with this version's tables.

    Raises:
        DatabaseNotMigrated, DatabaseOutdated: it is missing, or of another version.
        DatabaseUrlInvalid, DatabaseDriverMissing, DatabaseUnreachable: nothing can be opened at its address.
    """
    from server.settings import load_settings
    from server.storage.engine import open_database
    from server.storage.migrate import require_current

    db = open_database(load_settings(home_dir(home)).database)
    try:
        require_current(db)
        yield db
    finally:
        db.close()
