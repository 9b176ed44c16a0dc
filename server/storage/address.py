"""The database's address, which may hold a password: no error here, and nothing that is logged, shows the address."""

import importlib
import re

import sqlalchemy as sa

from keys.base.errors import AuthcodeError

_ESCAPED = "write @ : / ? # in a password as %40 %3A %2F %3F %23"
_POSTGRESQL = "postgresql+psycopg"
_DRIVERS = {"postgresql": _POSTGRESQL, "postgres": _POSTGRESQL, _POSTGRESQL: _POSTGRESQL}
_HOST = re.compile(r"[A-Za-z0-9._:-]*", re.ASCII)

# libpq's texts, which name users and files, and what we say instead.
_REASONS = (
    ("Connection refused", "nothing listens there"),
    ("No such file or directory", "nothing listens there"),
    ("translate host name", "there is no such host"),
    ("resolve host", "there is no such host"),
    ("timeout", "it does not answer in time"),
    ("authentication failed", "it refuses the user or the password"),
    ("no password supplied", "it asks for a password and was given none"),
    ("no pg_hba.conf entry", "it accepts no connection from this machine"),
    ("too many clients", "all of its connections are taken"),
    ("remaining connection slots", "all of its connections are taken"),
    ('database "', "it has no database of this name"),
    ('role "', "it knows no such user"),
)


class DatabaseUrlInvalid(AuthcodeError):
    """The database's address cannot be used; it is not shown, because it may hold a password."""

    code = "database_url_invalid"
    http_status = 500
    sentence = (
        "AUTHCODE_DATABASE_URL cannot be used: {reason}. Write postgresql://USER:PASSWORD@HOST:5432/DATABASE or "
        "sqlite:////PATH/FILE.db."
    )
    reason: str


class DatabaseDriverMissing(AuthcodeError):
    """The address is PostgreSQL's, and the package that speaks to it is not installed."""

    code = "database_driver_missing"
    http_status = 500
    sentence = (
        "PostgreSQL needs a driver that is not installed: install this distribution again with its extra `postgres`, "
        "from where you got it, as in: pip install '.[postgres]'"
    )


class DatabaseUnreachable(AuthcodeError):
    """No database answers at the address, or it refuses us; shown to operators, never over HTTP."""

    code = "database_unreachable"
    http_status = 503
    sentence = (
        "The database cannot be reached at {place}: {reason}. Check AUTHCODE_DATABASE_URL, and that the database "
        "server runs."
    )
    place: str
    reason: str


def read_address(text: str) -> sa.URL:
    """The address, with its driver, once it is one that this server can work with.

    Raises:
        DatabaseUrlInvalid: no address, or one of a database that is not supported.
        DatabaseDriverMissing: psycopg is not installed.
    """
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        # ValueError is a port that is no number: often a password with a colon or a slash in it.
        raise DatabaseUrlInvalid(f"it is not of the form of an address; {_ESCAPED}") from None
    if url.get_backend_name() == "sqlite":
        return url
    if url.drivername not in _DRIVERS:
        raise DatabaseUrlInvalid("its scheme is neither sqlite nor postgresql")
    if text.count("@") > 1 or not _HOST.fullmatch(url.host or ""):
        raise DatabaseUrlInvalid(f"its host cannot be distinguished from its password; {_ESCAPED}")
    if not url.database:
        raise DatabaseUrlInvalid("it names no database")
    try:
        importlib.import_module("psycopg")
    except ImportError:
        raise DatabaseDriverMissing from None
    return url.set(drivername=_DRIVERS[url.drivername])


def place_of(url: sa.URL) -> str:
    """Host, port and database of a database server's address: what may be shown of it."""
    elsewhere = url.query.get("host", "this machine's socket")
    host = url.host or (elsewhere if isinstance(elsewhere, str) else ", ".join(elsewhere))
    return f"{host}{f' port {url.port}' if url.port else ''}, database {url.database}"


def why_unreachable(text: str) -> str:
    """The reason of a connection that failed, in our words: the driver's own may name more than it should."""
    return next((reason for sign, reason in _REASONS if sign in text), "the connection failed")
