"""Staff accounts: who may open the dashboard, and their passwords (argon2id)."""

import hashlib
import math
import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from keys.base.errors import AuthcodeError
from keys.base.typed_text import is_password_text, password_text, pasted_token
from server.domain.clock_skew import CLOCKS_APART
from server.domain.network_limits import LOGIN_WINDOW
from server.domain.places.time_zone import read_zone
from server.domain.staff.login_delay import wait_before_login
from server.storage import audit, staff
from server.storage.engine import Connection, Database
from server.storage.login_tries import add_refused_login, forget_refused_logins, refused_logins

MIN_PASSWORD_CHARS = 12
MAX_PASSWORD_CHARS = 128  # argon2 hashes any length; a request that sends a megabyte wants something else
_MAX_TYPED_CHARS = 4 * MAX_PASSWORD_CHARS  # NFC makes one character of at most four that were typed
_MAX_EMAIL_CHARS = 254  # RFC 5321
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}", re.ASCII)
_HASHER = PasswordHasher()
# Verified for addresses without an account, so that the time of an answer does not reveal which have one.
_DUMMY_HASH = _HASHER.hash(secrets.token_hex(16))


class LoginRefused(AuthcodeError):
    """Address and password do not belong together; one text for every reason."""

    code = "login_refused"
    http_status = 401
    sentence = "This address and password do not belong together; check both and try again."


class LoginSlowed(AuthcodeError):
    """Several logins from this network were refused, so the next one has to wait."""

    code = "login_slowed"
    http_status = 429
    sentence = "Several logins from your network were refused; wait {retry_after_s} seconds and try again."
    wait: timedelta

    @property
    def retry_after_s(self) -> int:
        """Seconds to wait, rounded up."""
        return math.ceil(self.wait.total_seconds())


class PasswordRefused(AuthcodeError):
    """A new password that is too short, too long or the old one, or has characters that cannot be typed again."""

    code = "password_refused"
    http_status = 400
    sentence = (
        f"Choose a password of {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters, other than the present one, "
        "without tabs and invisible characters."
    )


class EmailInvalid(AuthcodeError):
    """No e-mail address."""

    code = "email_invalid"
    sentence = "Name the account by an e-mail address such as anna@example.com."


class StaffExists(AuthcodeError):
    """The address has an account."""

    code = "staff_exists"
    http_status = 409
    sentence = "{email} has an account already; `authcode staff reset {email}` gives it a new password."
    email: str


class StaffUnknown(AuthcodeError):
    """No account has this address."""

    code = "staff_unknown"
    http_status = 404
    sentence = "{email} has no account; `authcode staff add {email}` makes one."
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """A staff account. `session` changes with every password, which ends older sessions; `zone` None is UTC."""

    id: int
    email: str
    must_change_password: bool
    session: str
    zone: str | None = None


def _staff(record: staff.StaffRecord) -> Staff:
    values = {name: getattr(record, name) for name in ("id", "email", "session", "zone")}
    return Staff(**values, must_change_password=record.must_change)


def _hashed_text(typed: str, *, one_time: bool) -> str:
    """A password as it is hashed: RFC 8265 for one that a person chose, without what surrounds a one-time password."""
    kept = typed[: _MAX_TYPED_CHARS + 1]
    mapped = pasted_token(kept) if one_time else password_text(kept)
    return mapped[: MAX_PASSWORD_CHARS + 1]


def _matches(record: staff.StaffRecord | None, typed: str) -> bool:
    text = _hashed_text(typed, one_time=record is not None and record.must_change)
    try:
        return _HASHER.verify(record.password_hash if record else _DUMMY_HASH, text) and record is not None
    except (VerificationError, InvalidHashError):
        return False


def new_one_time_password() -> str:
    """A password for a new account: 16 characters, shown once, to be changed at the first login."""
    return secrets.token_urlsafe(12)


def authenticate(db: Database, email: str, password: str, *, now: datetime, network: bytes | None = None) -> Staff:
    """The account, once the password is right. `network` is the pseudonym of the network that asks, for a day.

    Raises:
        LoginSlowed: this network was refused several times and has to wait; the password is not looked at.
        LoginRefused: no such account, or another password; both do and write the same, and take the same time.
    """
    address = email.strip().lower()[:_MAX_EMAIL_CHARS]
    account = hashlib.sha256(b"authcode-login-try:" + address.encode("utf-8", "replace")).digest()[:16]
    with db.read() as connection:
        record = staff.staff_by_email(connection, address)
        _refuse_too_soon(connection, account, network, now)  # for nothing but this, a flood would queue as writers
    with db.write() as connection:
        # Counted as refused before the password is looked at, and forgotten when it was right: of guesses at the same
        # time each one meets those before it.
        _refuse_too_soon(connection, account, network, now)
        add_refused_login(connection, account=account, network=network, at=now, forget=now - LOGIN_WINDOW)
    if not _matches(record, password) or record is None:
        # What was typed as address may be a password: only one that has an account is written down.
        subject = record.email if record else "no account"
        with db.write() as connection:
            audit.append(connection, at=now, actor="somebody", action="staff.login_refused", subject=subject)
        raise LoginRefused
    with db.write() as connection:
        forget_refused_logins(connection, account=account, network=network)
        staff.set_last_login(connection, record.id, at=now)
        audit.append(connection, at=now, actor=record.email, action="staff.login", subject=record.email)
    return _staff(record)


def _refuse_too_soon(connection: Connection, account: bytes, network: bytes | None, now: datetime) -> None:
    since, until = now - LOGIN_WINDOW, now + CLOCKS_APART
    found = refused_logins(connection, account=account, network=network, since=since, until=until)
    wait = wait_before_login(here=found.here, of_network=found.of_network, last=found.last, now=now)
    if wait:
        raise LoginSlowed(wait)


def end_sessions(db: Database, account: Staff, *, now: datetime) -> None:
    """Log out: every session of the account ends, copies of its cookie included."""
    with db.write() as connection:
        if staff.replace_session(connection, account.id, old=account.session, new=secrets.token_hex(16)):
            audit.append(connection, at=now, actor=account.email, action="staff.logout", subject=account.email)


def get_staff(db: Database, staff_id: int, session: str) -> Staff | None:
    """The account of a session cookie (id and session); None when the session was ended."""
    with db.read() as connection:
        record = staff.staff_by_id(connection, staff_id)
    if record is None or not secrets.compare_digest(record.session.encode(), session.encode()):
        return None
    return _staff(record)


def set_password(db: Database, staff_id: int, *, old: str, new: str, now: datetime) -> Staff:
    """Change a password; all older sessions end.

    Raises:
        LoginRefused: the old password is another one.
        PasswordRefused: the new one is too short, too long or the same, or has characters that no keyboard writes.
    """
    with db.read() as connection:
        record = staff.staff_by_id(connection, staff_id)
    if record is None or not _matches(record, old):
        raise LoginRefused
    chosen = _hashed_text(new, one_time=False)
    same = chosen == _hashed_text(old, one_time=record.must_change)
    if same or not MIN_PASSWORD_CHARS <= len(chosen) <= MAX_PASSWORD_CHARS or not is_password_text(chosen):
        raise PasswordRefused
    password_hash = _HASHER.hash(chosen)
    with db.write() as connection:
        known = staff.staff_by_id(connection, staff_id)
        if known is None or known.password_hash != record.password_hash:  # changed while this one was looked at
            raise LoginRefused
        changed = _write_password(connection, known, password_hash, must_change=False)
        audit.append(connection, at=now, actor=known.email, action="staff.password", subject=known.email)
    return _staff(changed)


def choose_zone(db: Database, account: Staff, zone: str, *, now: datetime) -> bool:
    """Choose the time zone that an account reads in; False when it is that one already.

    Raises:
        ZoneUnknown: none that this server knows.
    """
    wanted = read_zone(zone)
    if wanted == (account.zone or "UTC"):
        return False
    with db.write() as connection:
        staff.set_zone(connection, account.id, None if wanted == "UTC" else wanted)
        subject = f"{account.email}: {wanted}"[:254]
        audit.append(connection, at=now, actor=account.email, action="staff.zone", subject=subject)
    return True


def add_staff(db: Database, email: str, *, one_time: str, actor: str, now: datetime) -> None:
    """Make an account with a one-time password, which must be changed at the first login.

    Raises:
        EmailInvalid, StaffExists: the address is none, or has an account.
    """
    address = email.strip().lower()
    if len(address) > _MAX_EMAIL_CHARS or not _EMAIL.fullmatch(address):
        raise EmailInvalid
    password_hash = _hash_one_time(one_time)
    with db.write() as connection:
        session = secrets.token_hex(16)
        if not staff.add_staff(connection, email=address, password_hash=password_hash, session=session):
            raise StaffExists(address)
        audit.append(connection, at=now, actor=actor, action="staff.add", subject=address)


def reset_staff(db: Database, email: str, *, one_time: str, actor: str, now: datetime) -> None:
    """Give an account a new one-time password; all its sessions end.

    Raises:
        StaffUnknown: no account has this address.
    """
    address, password_hash = email.strip().lower(), _hash_one_time(one_time)
    with db.write() as connection:
        record = staff.staff_by_email(connection, address)
        if record is None:
            raise StaffUnknown(address)
        _write_password(connection, record, password_hash, must_change=True)
        audit.append(connection, at=now, actor=actor, action="staff.reset", subject=record.email)


def _hash_one_time(one_time: str) -> str:
    return _HASHER.hash(_hashed_text(one_time, one_time=True))


def _write_password(
    connection: Connection, record: staff.StaffRecord, password_hash: str, *, must_change: bool
) -> staff.StaffRecord:
    session = secrets.token_hex(16)
    staff.set_password(connection, record.id, password_hash=password_hash, must_change=must_change, session=session)
    return replace(record, password_hash=password_hash, must_change=must_change, session=session)
