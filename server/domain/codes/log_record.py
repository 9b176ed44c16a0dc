"""Stage 6, redeem: entries of the log (docs/protocol.md §3), each one JSON object on one line, in ASCII, keys sorted.

The exact text is hashed. A new field or meaning raises `format`; an old record is never rewritten.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from keys.base.instants import format_instant
from server.domain.codes.redemption import Redemption

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedUnit:
    """Which pack a record is about, in which life: the serial, since an index reveals how many were made."""

    brand_id: bytes
    batch: int
    serial: str
    life: int

    @property
    def facts(self) -> dict[str, object]:
        """The fields of a record that name it."""
        return {"batch": self.batch, "brand": self.brand_id.hex(), "life": self.life, "serial": self.serial}


def redemption_record(unit: LoggedUnit, first: Redemption) -> str:
    """The record of a first verification: which pack, when and where, and the two hashes that know its holder."""
    return _record("redemption", first.at, {**unit.facts, **_hashes(first), "country": first.country})


def return_record(unit: LoggedUnit, *, at: datetime, by: str) -> str:
    """The record of a return to unused: which life of which pack ended, and whether its holder or staff did it."""
    return _record("undo", at, {**unit.facts, "by": by})


def handover_record(unit: LoggedUnit, handed: Redemption, *, at: datetime) -> str:
    """The record of a handing on: which pack, for which time, and the two hashes that know its next holder."""
    return _record("handover", at, {**unit.facts, **_hashes(handed), "hop": handed.hop})


def erasure_record(unit: LoggedUnit, *, at: datetime) -> str:
    """The record of an erasure: that everything kept about who held a pack was forgotten."""
    return _record("erasure", at, unit.facts)


def _hashes(first: Redemption) -> dict[str, object]:
    return {"claim": first.claim_hash.hex(), "holder": first.holder_hash.hex()}


def staff_record(*, at: datetime, actor: str, action: str, subject: str, details: Mapping[str, object]) -> str:
    """The record of a staff act: who did what to what, and with which details."""
    return _record("staff", at, {"action": action, "actor": actor, "details": dict(details), "subject": subject})


def _record(kind: str, at: datetime, facts: Mapping[str, object]) -> str:
    values = {**facts, "at": format_instant(at), "format": FORMAT, "kind": kind}
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
