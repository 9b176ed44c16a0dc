"""Connections and transactions: SQLite (WAL, synchronous=FULL) or PostgreSQL, same code.

A write transaction is durable before `write()` ends: the answer to a burn leaves after that (docs/protocol.md §2).
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError

from keys.errors import AuthcodeError

Connection = sa.Connection
"""An open transaction, for those above storage who hand one on and never write SQL."""

_BUSY_TIMEOUT_MS = 20_000  # SQLite's wait for another process's commit; a commit takes some milliseconds
_POOL_SIZE = 24  # above the threads of one worker, so that none waits for a connection


class RecordsUnreachable(AuthcodeError):
    """The database cannot be asked: nothing is known, nothing was used up."""

    code: ClassVar[str] = "records_unreachable"
    http_status: ClassVar[int] = 503

    def __init__(self) -> None:
        """Name neither address nor statement."""
        super().__init__("Our records cannot be reached, so there is no answer yet; try again in a few minutes.")


class Database:
    """One database, with its pool of connections. Make one in each process; it is not passed on to others."""

    def __init__(self, url: str) -> None:
        """Prepare the pool; nothing is opened before the first use."""
        self.engine = sa.create_engine(
            url, hide_parameters=True, pool_size=_POOL_SIZE, max_overflow=_POOL_SIZE, pool_pre_ping=False
        )
        self._sqlite = self.engine.dialect.name == "sqlite"
        # One writer at a time in each process: SQLite's own waiting is unfair, and its threads would poll.
        self._turn = threading.Lock() if self._sqlite else contextlib.nullcontext()
        if self._sqlite:
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    @property
    def file(self) -> Path | None:
        """The SQLite file, None for a database server."""
        return Path(self.engine.url.database) if self._sqlite and self.engine.url.database else None

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view; whatever was done in it is rolled back.

        Raises:
            RecordsUnreachable: the database cannot be asked.
        """
        with _reported(), self.engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is durable when the block ends, and never happened when it raises.

        Raises:
            RecordsUnreachable: the database cannot be asked.
        """
        with self._turn, _reported(), self.engine.connect() as connection:
            writer = connection.execution_options(authcode_write=True)
            with writer.begin():
                yield writer

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except DatabaseError:
        raise RecordsUnreachable from None


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection type
    connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
    for pragma in (
        f"busy_timeout={_BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get("authcode_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def add_to_counters(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Add to rows of counters, made where there are none yet: every column outside the primary key is added up."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    counters = [column for column in table.columns if not column.primary_key]
    added = {column.name: column + statement.excluded[column.name] for column in counters}
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=added), list(rows)
    )


def insert_or_nothing(connection: sa.Connection, table: sa.Table, **values: object) -> bool:
    """`INSERT ... ON CONFLICT DO NOTHING RETURNING`: whether the row is new. The database decides, in one statement."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(*table.primary_key.columns)).first() is not None
