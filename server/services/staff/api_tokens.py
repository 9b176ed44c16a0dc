"""Tokens of print stations: made once, shown once, and for the brand's own orders only."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from authcode.client.token_format import PREFIX_CHARS, format_token, token_prefix
from keys.base.errors import AuthcodeError
from server.domain.staff.scope import MAX_DAYS, Scope
from server.storage import audit, tokens
from server.storage.brands import BrandRecord, BrandUnknown, all_brands, brand_by_id
from server.storage.engine import Connection, Database

_SECRET_BYTES = 32  # 256 bits cannot be guessed or searched, so a plain SHA-256 is stored and no slow hash is needed
_PUBLIC_BYTES = PREFIX_CHARS // 2
_MAX_LABEL_CHARS = 64


class TokenRefused(AuthcodeError):
    """Root of the refusals of a token; never answered itself."""

    code = "token_refused"
    http_status = 401
    bearer_error: ClassVar[str | None] = "invalid_token"


class TokenMissing(TokenRefused):
    """A request without a token at an address that takes none without."""

    code = "token_missing"
    bearer_error = None  # RFC 6750 §3.1: no error code for a request without a token
    sentence = (
        "Send a token as `Authorization: Bearer authcode_...`; the server's operator makes one with `authcode token "
        "new`."
    )


class TokenUnknown(TokenRefused):
    """A token that was never given, or was mistyped."""

    code = "token_unknown"
    sentence = "This token is not known here; copy it whole, or ask the server's operator for a new one."


class TokenExpired(TokenRefused):
    """A token past its date."""

    code = "token_expired"
    sentence = "This token expired on {expired:%Y-%m-%d %H:%M} UTC; ask the operator for a new one."
    expired: datetime


class TokenRevoked(TokenRefused):
    """A token that was taken back."""

    code = "token_revoked"
    sentence = "This token was revoked on {revoked:%Y-%m-%d %H:%M} UTC; ask the operator why."
    revoked: datetime


class TokenScopeMissing(TokenRefused):
    """A good token that does not have the right which this address needs."""

    code = "token_scope_missing"
    http_status = 403
    bearer_error = "insufficient_scope"
    sentence = "This token lacks the scope {scope}; ask the operator for one made with `--scope {scope}`."
    scope: Scope


class TokenForOtherBrand(AuthcodeError):
    """What was sent belongs to another brand than the token."""

    code = "token_for_other_brand"
    http_status = 403
    sentence = "This token is another brand's; use the token that the operator made for this brand."


class TokenInvalid(AuthcodeError):
    """A request for a token that cannot be made."""

    code = "token_invalid"
    sentence = "{reason}"
    reason: str


class TokenNotFound(AuthcodeError):
    """No token has this public part."""

    code = "token_not_found"
    http_status = 404
    sentence = f"No token begins like this; `authcode token list` shows the {PREFIX_CHARS} digits of each."


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """An admitted token: its brand, and its name in the history."""

    brand: BrandRecord
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What may be shown of a token. `last_used` is a day; `state` is active, expired or revoked."""

    prefix: str
    label: str
    brand: str
    brand_id: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used: str | None
    revoked_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A token to make: its brand's name or id (None: the only brand), label, scopes, and life in days."""

    brand: str | None
    label: str
    scopes: Collection[Scope]
    days: int

    def __post_init__(self) -> None:
        """Refuse what is out of form."""
        if not (0 < len(self.label) <= _MAX_LABEL_CHARS and self.label.isprintable()):
            raise TokenInvalid(
                f"A label takes 1 to {_MAX_LABEL_CHARS} printable characters, such as the station's name."
            )
        if not self.scopes:
            raise TokenInvalid("Name at least one scope; a token without any could do nothing.")
        if not 1 <= self.days <= MAX_DAYS:
            raise TokenInvalid(f"A token lives for 1 to {MAX_DAYS} days.")


def new_token(db: Database, wanted: TokenRequest, *, actor: str, now: datetime) -> tuple[str, TokenFacts]:
    """Make a token: its text, which is not stored, and its facts.

    Raises:
        BrandUnknown: no keyring of such a brand was published here.
        TokenInvalid: the brand was not named and there are several.
    """
    public = secrets.token_bytes(_PUBLIC_BYTES)
    text = format_token(public, secrets.token_bytes(_SECRET_BYTES))
    scopes = sorted(set(wanted.scopes))
    with db.write() as connection:
        owner = _brand(connection, wanted.brand)
        tokens.add_token(
            connection,
            prefix=public.hex(),
            hash=_hash(text),
            brand=owner.id,
            label=wanted.label,
            scopes=" ".join(scopes),
            created_at=now,
            created_by=actor,
            expires_at=now + timedelta(days=wanted.days),
        )
        record = _found(connection, public.hex())
        details = {"brand": owner.brand_id.hex(), "days": wanted.days, "scopes": scopes}
        audit.append(connection, at=now, actor=actor, action="token.new", subject=_name(record), details=details)
        return text, _facts(connection, record, now)


def list_tokens(db: Database, *, now: datetime) -> tuple[TokenFacts, ...]:
    """All tokens, the latest made first."""
    with db.read() as connection:
        return tuple(_facts(connection, record, now) for record in tokens.all_tokens(connection))


def revoke_token(db: Database, named: str, *, actor: str, now: datetime) -> TokenFacts:
    """End a token, by its public part or its whole text, at once and for good; a second time changes nothing.

    Raises:
        TokenNotFound: there is none.
    """
    with db.write() as connection:
        record = _found(connection, token_prefix(named) or named.removeprefix("authcode_"))
        if record.revoked_at is None:
            tokens.revoke(connection, record.id, at=now)
            audit.append(connection, at=now, actor=actor, action="token.revoke", subject=_name(record))
        return _facts(connection, _found(connection, record.prefix), now)


def admit(db: Database, presented: str | None, scope: Scope, *, now: datetime) -> Station:
    """Admit a station by its token, which must have a scope.

    1. It has the form of a token, is on record, and its hash is the kept one (compared in constant time).
    2. It was not revoked and has not expired; only a holder of the whole token learns of either.   3. It has the scope.
    4. The day of its use is kept, in one write a day.

    Raises:
        TokenMissing, TokenUnknown, TokenExpired, TokenRevoked, TokenScopeMissing: it is not admitted.
    """
    if not presented:
        raise TokenMissing
    prefix = token_prefix(presented)
    with db.read() as connection:
        record = None if prefix is None else tokens.token_by_prefix(connection, prefix)
        if record is None or not hmac.compare_digest(record.hash, _hash(presented)):  # (1)
            raise TokenUnknown
        if record.revoked_at is not None:  # (2)
            raise TokenRevoked(record.revoked_at)
        if now >= record.expires_at:
            raise TokenExpired(record.expires_at)
        if scope not in record.scopes.split():  # (3)
            raise TokenScopeMissing(scope)
        station = Station(brand=brand_by_id(connection, record.brand), actor=f"token {_name(record)}")
    if not tokens.is_used_on_day_of(record, now):  # (4)
        with db.write() as connection:
            tokens.set_last_use(connection, record, at=now)
    return station


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii", "replace")).digest()


def _name(record: tokens.TokenRecord) -> str:
    """How the history names a token."""
    return f"{record.prefix} ({record.label})"


def _found(connection: Connection, prefix: str) -> tokens.TokenRecord:
    record = tokens.token_by_prefix(connection, prefix)
    if record is None:
        raise TokenNotFound
    return record


def _brand(connection: Connection, named: str | None) -> BrandRecord:
    brands = all_brands(connection)
    found = [brand for brand in brands if named is None or named.lower() in {brand.brand_id.hex(), brand.name.lower()}]
    if not found:
        raise BrandUnknown
    if len(found) > 1:
        raise TokenInvalid(
            "Several brands fit; name one by its id, which `authcode keys list --json` shows, with --brand."
        )
    return found[0]


def _facts(connection: Connection, record: tokens.TokenRecord, now: datetime) -> TokenFacts:
    brand = brand_by_id(connection, record.brand)
    same = ("prefix", "label", "created_at", "created_by", "expires_at", "revoked_at")
    return TokenFacts(
        **{name: getattr(record, name) for name in same},
        brand=brand.name,
        brand_id=brand.brand_id.hex(),
        scopes=tuple(Scope(name) for name in record.scopes.split()),
        last_used=tokens.last_use(record),
        state="revoked" if record.revoked_at else "expired" if now >= record.expires_at else "active",
    )
