"""Stage 5, verify: from a text to its unit (docs/format.md §3 rules 5 to 7); no database before the tag verifies."""

from dataclasses import dataclass

from authcode.code.foreign import ForeignText, describe_foreign
from authcode.code.payload import GTIN_NONE, NotOurs, shown_host
from authcode.code.serial import SerialCipher, SerialUnit, Tier
from authcode.code.verify import OnlineOnly, VerifiedCode, verify_code
from authcode.order.issue import TIERS_OF
from authcode.order.order import Tiers
from keys.base.errors import AuthcodeError, UnknownKey
from keys.format.keyring import Keyring
from keys.format.records import CodeKey
from server.domain.codes.unit import Unit
from server.runtime.context import Context
from server.storage.batches import BatchRecord, batch_by_number, batch_by_row
from server.storage.brands import BrandRecord
from server.storage.engine import Connection


class SerialKeyMissing(AuthcodeError):
    """A key vouches for the code, or a serial may be a code's, but the serial key that decides it is not here."""

    code = "serial_key_missing"
    http_status = 503
    sentence = (
        "This server was not given serial key {number} of {brand}, so there is no answer yet; nothing was used up. "
        "Its operator brings the key with `authcode keys publish` or `authcode keys receive`."
    )
    brand: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A code as the server knows it. `batch` and `unit` are None when no such unit was ever registered."""

    brand: BrandRecord
    key: CodeKey
    serial: str
    tier: Tier
    batch_number: int
    index: int
    batch: BatchRecord | None
    unit: Unit | None

    @property
    def address(self) -> str:
        """The address that the brand's codes lead to, without a slash at its end."""
        return self.key.prefix.rstrip("/").lower()

    @property
    def host(self) -> str:
        """The host that the brand's codes lead to, as people read it."""
        return shown_host(self.key.prefix)


def unregistered_unit(code: Resolved) -> Unit:
    """The unit in whose name a code of no registered unit is marked and its page token is made."""
    return Unit(row=0, index=code.index)


def verified(ctx: Context, text: str) -> tuple[VerifiedCode, SerialUnit]:
    """What a key vouches for in a text, and the unit its serial names; no database takes part.

    Raises:
        NotOurs: anything else, with one text; also a compact code whose MAC key this server was never given, since
            it could as well be a forged one.
        SerialKeyMissing: a key vouches for it, and this server was never given the key that reads its serial.
    """
    try:
        code = verify_code(text, ctx.keyrings(), mac_keys=ctx.keys.mac)
    except OnlineOnly:
        raise NotOurs from None
    return code, _cipher(ctx, code.brand_id, code.key.serial_key).unit(code.serial)


def foreign_text(ctx: Context, text: str) -> ForeignText | None:
    """A foreign text as it may be shown; None for what has the form of ours, forged and unknown alike."""
    foreign = describe_foreign(text, ctx.keyrings().keyrings)
    ours = {shown_host(prefix).partition(":")[0] for prefix in ctx.keyrings().prefixes}
    return None if foreign.host in ours else foreign


def resolve(ctx: Context, connection: Connection, code: VerifiedCode, named: SerialUnit) -> Resolved:
    """Find the registered unit of a verified code: batch, count, tier, GTIN and key must all be the manifest's."""
    brand = ctx.keyrings.brand(code.brand_id)
    batch = batch_by_number(connection, brand.id, named.batch)
    gtin = None if code.gtin == GTIN_NONE else code.gtin
    known = batch is not None and _holds(batch, named) and (batch.key_id, batch.gtin) == (code.key.key_id, gtin)
    return _resolved(brand, code.key, code.serial, named, batch if known else None)


def resolve_serial(ctx: Context, connection: Connection, serial: str, *, gtin: str | None = None) -> Resolved:
    """Find the unit of a serial alone by any serial key of this server (docs/format.md §5); `gtin` must be its batch's.

    Raises:
        NotOurs: no registered unit has this serial, or not with this GTIN.
        SerialKeyMissing: the same, but a serial key that could decide it is missing here.
    """
    missing: SerialKeyMissing | None = None
    for keyring in ctx.keyrings().keyrings:
        for number in sorted({key.serial_key for key in keyring.code_keys}):
            try:
                found = _by_serial(ctx, connection, keyring, number, serial)
            except SerialKeyMissing as lacking:
                missing = lacking
                continue
            if found is not None and found.batch is not None and gtin in {None, found.batch.gtin}:
                return found
    raise missing or NotOurs


def resolved_unit(ctx: Context, connection: Connection, unit: Unit) -> Resolved:
    """A registered unit through the code that can be verified (the inner one of a pair).

    Raises:
        NotOurs: no batch has such a unit, or its key is no longer known here.
        SerialKeyMissing: its serial key was never shared with this server.
    """
    batch = batch_by_row(connection, unit.row)
    found = None if batch is None else ctx.keyrings().by_key_id(batch.key_id)
    if batch is None or found is None or unit.index >= batch.count:
        raise NotOurs
    keyring, key = found
    tier = Tier.SINGLE if batch.tiers == Tiers.SINGLE else Tier.INNER
    named = SerialUnit(batch=batch.number, index=unit.index, tier=tier)
    serial = _cipher(ctx, keyring.brand_id, key.serial_key).serial(named)
    return _resolved(ctx.keyrings.brand(keyring.brand_id), key, serial, named, batch)


def _cipher(ctx: Context, brand_id: bytes, number: int) -> SerialCipher:
    try:
        return ctx.keyrings.cipher(brand_id, number)
    except UnknownKey:
        raise SerialKeyMissing(ctx.keyrings.brand(brand_id).name, number) from None


def _by_serial(ctx: Context, connection: Connection, keyring: Keyring, number: int, serial: str) -> Resolved | None:
    try:
        named = _cipher(ctx, keyring.brand_id, number).unit(serial)
    except NotOurs:
        return None
    brand = ctx.keyrings.brand(keyring.brand_id)
    batch = batch_by_number(connection, brand.id, named.batch)
    if batch is None or not _holds(batch, named):
        return None
    key = next((key for key in keyring.code_keys if key.key_id == batch.key_id), None)
    return None if key is None or key.serial_key != number else _resolved(brand, key, serial, named, batch)


def _holds(batch: BatchRecord, named: SerialUnit) -> bool:
    return named.index < batch.count and named.tier in TIERS_OF[Tiers(batch.tiers)]


def _resolved(brand: BrandRecord, key: CodeKey, serial: str, named: SerialUnit, batch: BatchRecord | None) -> Resolved:
    return Resolved(
        brand=brand,
        key=key,
        serial=serial,
        tier=named.tier,
        batch_number=named.batch,
        index=named.index,
        batch=batch,
        unit=None if batch is None else Unit(row=batch.row, index=named.index),
    )
