"""Stage 1, batch: from an order to its codes, one at a time, so that memory stays flat (docs/format.md §2)."""

from collections.abc import Iterator
from dataclasses import dataclass

from authcode.code.payload import GTIN_NONE, SERIAL_CHARACTERS, TAG_BYTES, ParsedCode, format_code
from authcode.code.serial import SerialCipher, SerialUnit, Tier
from authcode.code.sign import CodeSigner
from authcode.order.order import Order, Tiers
from keys.format.records import CodeKey

TIERS_OF = {Tiers.SINGLE: (Tier.SINGLE,), Tiers.PAIR: (Tier.OUTER, Tier.INNER)}
"""The codes that one unit bears, in the order in which they are issued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """One code. `code` is the exact text in the symbol and a secret until the pack is sold."""

    index: int
    tier: Tier
    serial: str
    code: str


def issue_batch(order: Order, *, batch_number: int, signer: CodeSigner, cipher: SerialCipher) -> Iterator[IssuedCode]:
    """Make the codes of an order by index, for pairs outer then inner; the same arguments give the same codes."""
    gtin = order.gtin or GTIN_NONE
    for index in range(order.count):
        for tier in TIERS_OF[order.tiers]:
            serial = cipher.serial(SerialUnit(batch=batch_number, index=index, tier=tier))
            yield IssuedCode(index=index, tier=tier, serial=serial, code=signer.code(serial, gtin))


def sample_code(key: CodeKey, gtin: str | None = None) -> str:
    """Give a text of the length and shape of the key's codes, with zeros for serial and tag: no key vouches for it."""
    return format_code(
        ParsedCode(
            form=key.form,
            prefix=key.prefix,
            key_id=key.key_id,
            serial="0" * SERIAL_CHARACTERS,
            gtin=gtin or GTIN_NONE,
            tag=bytes(TAG_BYTES[key.profile]),
        )
    )
