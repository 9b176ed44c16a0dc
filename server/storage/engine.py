"""Connections and transactions: SQLite (WAL, synchronous=FULL) or PostgreSQL, same code.

A write transaction is durable before `write()` or `attempt()` ends: the answer to a burn leaves after that
(docs/protocol.md §2). On both databases `write()` is for acts that take turns; burns go through `attempt()`, of which
PostgreSQL runs many at a time (ADR 0010).
"""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from keys.base.errors import AuthcodeError
from server.storage.address import DatabaseUnreachable, place_of, read_address, why_unreachable
from server.storage.file import WriterLine, init_file, is_locked, writer
from server.storage.group_commit import GroupCommit
from server.storage.outage import Outage

Connection = sa.Connection
"""An open transaction, for those above storage who hand one on and never write SQL."""

_POOL_SIZE = 24  # above the threads of one worker, so that none waits for a connection
_TRIES = 4  # of one attempt; a burn that is refused this often meets trouble that another try does not cure
_CONNECT_S = 2  # the least that libpq and psycopg know; a living server takes some milliseconds
_TRY_AGAIN = frozenset({"40001", "40P01"})  # SQLSTATE: serialization failure, deadlock; both were rolled back
_WRITERS = int.from_bytes(b"authcode")  # the advisory lock for which writers on PostgreSQL queue

_Result = TypeVar("_Result")


class RecordsUnreachable(AuthcodeError):
    """The database does not answer: nothing is known, nothing was used up."""

    code = "records_unreachable"
    http_status = 503
    sentence = "Our records cannot be reached, so there is no answer yet; try again in a few minutes."


class ValueUnusable(AuthcodeError):
    """A number beyond 64 bits, or a text that fits no column: nothing here has that name or number."""

    code = "value_unusable"
    http_status = 400
    sentence = "No record here can have the name or number that was given; check it and try again."


class Database:
    """One database, with its pool of connections. Make one in each process; it is not passed on to others."""

    def __init__(self, url: str) -> None:
        """Prepare the pool; nothing is opened before the first use.

        Raises:
            DatabaseUrlInvalid, DatabaseDriverMissing: nothing can be opened at this address.
        """
        address = read_address(url)
        self._sqlite = address.get_backend_name() == "sqlite"
        if not self._sqlite and "connect_timeout" not in address.query:
            address = address.update_query_dict({"connect_timeout": str(_CONNECT_S)})
        self.engine = sa.create_engine(
            address,
            hide_parameters=True,
            pool_size=_POOL_SIZE,
            max_overflow=_POOL_SIZE,
            # A database server may have been restarted behind a connection's back; a file cannot.
            pool_pre_ping=not self._sqlite,
        )
        self._silent = Outage()
        self._locked = Outage() if self._sqlite else self._silent  # readers of a file do not wait for its writers
        self._line = WriterLine()
        self._together = GroupCommit(functools.partial(self._write_file, hurried=True))
        if self._sqlite:
            init_file(self.engine)
        else:
            from server.storage.postgresql import init_server

            init_server(self.engine, self._silent)

    @property
    def file(self) -> Path | None:
        """The SQLite file, None for a database server."""
        return Path(self.engine.url.database) if self._sqlite and self.engine.url.database else None

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view; all changes in it are rolled back.

        Raises:
            RecordsUnreachable: the database does not answer.
            ValueUnusable: the query names what no record can have.
        """
        with _reported(self._silent), self.engine.connect() as connection:
            if not self._sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is durable when the block ends, and never happened when it raises.

        Writers take turns, across all processes: what one of them has read does not change before it ends.

        Raises:
            RecordsUnreachable: the database does not answer.
        """
        if self._sqlite:
            with self._write_file(hurried=False) as writing:
                yield writing
            return
        with _reported(self._silent), self.engine.connect() as connection, connection.begin():
            # Acts of staff take their turn however long it takes, so the first of them has no limit for locks.
            no_limit, turn = sa.func.set_config("lock_timeout", "0", sa.true()), sa.func.pg_advisory_xact_lock(_WRITERS)
            connection.execute(sa.select(no_limit, turn))
            yield connection

    @contextlib.contextmanager
    def _write_file(self, *, hurried: bool) -> Iterator[sa.Connection]:
        """A transaction of the one writer that SQLite has; one that is `hurried` gives up in time for a page."""
        with (
            _reported(self._locked, refuse=hurried),
            self._line.turn(hurried=hurried),
            self.engine.connect() as connection,
        ):
            writing = writer(connection, hurried=hurried)
            with writing.begin():
                yield writing

    def attempt(self, work: Callable[[sa.Connection], _Result]) -> _Result:
        """What `work` gives, after it ran in a transaction that is durable; for a burn, of which many run at a time.

        SQLite commits together what waits at the same time; `work` may then run in another thread (ADR 0013).
        A database server that breaks a transaction off (serialization failure, deadlock, lost connection) is tried
        again. A commit whose answer was lost may have happened: `work` must find its own claim then, and say the same.

        Raises:
            RecordsUnreachable: the database does not answer.
        """
        if self._sqlite:
            with _reported(self._locked):
                return self._together.attempt(work)
        with _reported(self._silent):
            for _ in range(_TRIES - 1):
                try:
                    return self._attempt_once(work)
                except DBAPIError as problem:
                    if self._silent.holds() or not _may_try_again(problem):
                        raise
            return self._attempt_once(work)

    def _attempt_once(self, work: Callable[[sa.Connection], _Result]) -> _Result:
        with self.engine.connect() as connection, connection.begin():
            return work(connection)

    def reach(self) -> None:
        """Connect to a database server once, so that its operator learns what is wrong; a file needs none.

        Raises:
            DatabaseUnreachable: with host, port and database, and the reason.
        """
        if self._sqlite:
            return
        try:
            self.engine.connect().close()
        except DBAPIError as problem:
            place, reason = place_of(self.engine.url), why_unreachable(str(problem.orig))
            self.close()
            raise DatabaseUnreachable(place, reason) from None

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """A database for a command, whose user can do something about an address that leads nowhere.

    Raises:
        DatabaseUrlInvalid, DatabaseDriverMissing, DatabaseUnreachable: nothing can be opened at this address.
    """
    db = Database(url)
    db.reach()
    return db


@contextlib.contextmanager
def _reported(outage: Outage, *, refuse: bool = True) -> Iterator[None]:
    """Say what the database could not do in our errors, at once where it did not answer a moment ago."""
    if refuse and outage.holds():
        raise RecordsUnreachable
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except (sa.exc.DataError, OverflowError):  # the latter is what SQLite's driver says of a number beyond 64 bits
        raise ValueUnusable from None
    except (DBAPIError, TimeoutError, sa.exc.TimeoutError) as problem:  # the last: no connection became free
        if is_locked(problem):
            outage.begin()
        raise RecordsUnreachable from None


def _may_try_again(problem: DBAPIError) -> bool:
    return problem.connection_invalidated or getattr(problem.orig, "sqlstate", None) in _TRY_AGAIN


def insert_row(connection: sa.Connection, insert: sa.Insert, values: Mapping[str, object]) -> int:
    """Insert one row into a table whose rows are numbered: its number."""
    key = connection.execute(insert, values).inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has a key
    return int(key[0])


def count_rows(connection: sa.Connection, table: sa.FromClause, condition: sa.ColumnElement[bool] | None = None) -> int:
    """How many rows a table has, all or those that meet a condition."""
    query = sa.select(sa.func.count()).select_from(table)
    return int(connection.execute(query if condition is None else query.where(condition)).scalar_one())


def add_to_counters(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Add to rows of counters, made where there are none yet: every column outside the primary key is added up."""
    connection.execute(_adding(connection.dialect.name, table), list(rows))


def insert_or_nothing(
    connection: sa.Connection,
    table: sa.Table,
    computed: tuple[tuple[str, sa.ScalarSelect[Any]], ...] = (),
    /,
    **values: object,
) -> bool:
    """`INSERT ... ON CONFLICT DO NOTHING RETURNING`: whether the row is new. `computed` names SQL-computed columns."""
    return connection.execute(_or_nothing(connection.dialect.name, table, computed), values).first() is not None


# To put a statement together takes longer than to run it, so those of every redemption are put together once.


@functools.cache
def _adding(dialect: str, table: sa.Table) -> sa.Executable:
    statement = _inserts(dialect)(table)
    counters = [column for column in table.columns if not column.primary_key]
    added = {column.name: column + statement.excluded[column.name] for column in counters}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=added)


@functools.cache
def _or_nothing(dialect: str, table: sa.Table, computed: tuple[tuple[str, sa.ScalarSelect[Any]], ...]) -> sa.Executable:
    statement = _inserts(dialect)(table).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return statement.values(dict(computed)) if computed else statement


def _inserts(dialect: str) -> Callable[[sa.Table], postgresql.Insert] | Callable[[sa.Table], sqlite.Insert]:
    return postgresql.insert if dialect == "postgresql" else sqlite.insert
