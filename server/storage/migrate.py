"""Bringing a database to the present tables, and telling whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from keys.base.errors import AuthcodeError
from keys.base.files import PRIVATE_FILE, make_private_dir
from server.storage.engine import Database


class DatabaseNotMigrated(AuthcodeError):
    """The database's tables are not those of this version."""

    code = "database_not_migrated"
    http_status = 503
    sentence = (
        "The server's database is missing or of another version; run `authcode db upgrade` at the server. (A print "
        "station has none: its commands take --server URL.)"
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def upgrade(db: Database) -> None:
    """Make or bring up to date all tables, in one transaction."""
    if db.file is not None:
        make_private_dir(db.file.parent)
        db.file.touch(mode=PRIVATE_FILE)  # SQLite gives its log files the same mode
    config = _config()
    with db.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(db: Database) -> bool:
    """Whether the tables are those of this version.

    Raises:
        RecordsUnreachable: the database cannot be asked.
    """
    if db.file is not None and not db.file.exists():
        return False
    with db.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    return found == ScriptDirectory.from_config(_config()).get_current_head()


def require_current(db: Database) -> None:
    """Refuse to work on other tables.

    Raises:
        DatabaseNotMigrated: the tables are missing or old.
    """
    if not is_current(db):
        raise DatabaseNotMigrated
