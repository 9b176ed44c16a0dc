"""Opening a home for the server's commands: its database, its keys, or the whole context of the services."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from keys.base.home import home_dir

if TYPE_CHECKING:
    from server.keystore import ServerKeys
    from server.runtime.context import Context
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

    with closing(open_database(load_settings(home_dir(home)).database)) as db:
        require_current(db)
        yield db


def server_keys(home: Path | None) -> "ServerKeys":
    """The server's keys in a home; its passphrase is asked for where nothing holds it."""
    from keys.store.passphrase import read_passphrase
    from server.keystore import open_server_keys

    place = home_dir(home)
    return open_server_keys(place, read_passphrase("server", place))


@contextmanager
def opened_context(home: Path | None) -> "Iterator[Context]":
    """The context of the services, from the settings, keys and database of a home."""
    from server.app import create_context
    from server.settings import load_settings

    ctx = create_context(load_settings(home_dir(home)), server_keys(home))
    with closing(ctx.db):
        yield ctx
