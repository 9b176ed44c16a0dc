"""Bring a database to this version's tables, and check whether it has them."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from keys.base.errors import AuthcodeError
from keys.base.files import PRIVATE_FILE, make_private_dir
from server.storage.engine import Database
from server.storage.schema import metadata


class DatabaseNotMigrated(AuthcodeError):
    """The server's database is missing or has no tables yet."""

    code = "database_not_migrated"
    http_status = 503
    sentence = (
        "The server's database is missing or empty; run `authcode db upgrade` at the server. (A print station has "
        "none: its commands take --server URL.)"
    )


class DatabaseOutdated(AuthcodeError):
    """The database was made by a version before the first release, and no migration leads from it."""

    code = "database_outdated"
    http_status = 503
    sentence = (
        "The server's database was made by another version, before the first release, and cannot be used by this one; "
        "start a new home or name another one with --home (on PostgreSQL: another database)."
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def upgrade(db: Database) -> None:
    """Make or bring up to date all tables, in one transaction.

    Raises:
        DatabaseOutdated: it has tables that no migration leads from; nothing is changed.
    """
    if db.file is not None:
        make_private_dir(db.file.parent)
        db.file.touch(mode=PRIVATE_FILE)  # SQLite gives its log files the same mode
    config = _config()
    with db.write() as connection:
        if not _is_current(connection):
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def is_current(db: Database) -> bool:
    """Whether the tables are those of this version; False where there are none.

    Raises:
        DatabaseOutdated: they are another version's.
        RecordsUnreachable: the database does not answer.
    """
    if db.file is not None and not db.file.exists():
        return False
    with db.read() as connection:
        return _is_current(connection)


def _is_current(connection: sa.Connection) -> bool:
    found = MigrationContext.configure(connection).get_current_heads()
    if found == tuple(ScriptDirectory.from_config(_config()).get_heads()):
        return True
    if found or metadata.tables.keys() & set(sa.inspect(connection).get_table_names()):
        raise DatabaseOutdated
    return False


def require_current(db: Database) -> None:
    """Refuse to work on other tables.

    Raises:
        DatabaseNotMigrated: there are none.
        DatabaseOutdated: they are another version's.
    """
    if not is_current(db):
        raise DatabaseNotMigrated
