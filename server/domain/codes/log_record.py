"""Stage 6, redeem: what an entry of the log says of a use, its end, or a staff act (docs/protocol.md §3).

A record is one JSON object on one line, keys sorted, nothing but ASCII: its exact text is hashed. A new field or
meaning raises `format`; an old record is never written anew.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from keys.base.instants import format_instant
from server.domain.codes.redemption import FirstUse, Marks

FORMAT = 1


def redemption_record(*, brand_id: bytes, batch: int, serial: str, life: int, first: FirstUse) -> str:
    """The record of a first verification: which pack, when and where, and the two hashes that know its holder.

    The serial is in it and not the index, which would tell a buyer how many packs were made before theirs.
    """
    return _record(
        "redemption",
        first.at,
        {
            "batch": batch,
            "brand": brand_id.hex(),
            "claim": first.claim_hash.hex(),
            "country": first.country,
            "holder": first.holder_hash.hex(),
            "life": life,
            "serial": serial,
        },
    )


def return_record(  # noqa: PLR0913 - one parameter for each field
    *, brand_id: bytes, batch: int, serial: str, life: int, at: datetime, by: str
) -> str:
    """The record of a return to unused: which life of which pack ended, and whether its holder or staff did it."""
    return _record("undo", at, {"batch": batch, "brand": brand_id.hex(), "by": by, "life": life, "serial": serial})


def handover_record(  # noqa: PLR0913 - one parameter for each field
    *, brand_id: bytes, batch: int, serial: str, life: int, at: datetime, hop: int, marks: Marks
) -> str:
    """The record of a handing on: which pack, for which time, and the two hashes that know its next holder."""
    facts = {
        "batch": batch,
        "brand": brand_id.hex(),
        "claim": (marks.claim_hash or b"").hex(),
        "holder": (marks.holder_hash or b"").hex(),
        "hop": hop,
        "life": life,
        "serial": serial,
    }
    return _record("handover", at, facts)


def erasure_record(*, brand_id: bytes, batch: int, serial: str, life: int, at: datetime) -> str:
    """The record of an erasure: that everything kept about who held a pack was forgotten."""
    return _record("erasure", at, {"batch": batch, "brand": brand_id.hex(), "life": life, "serial": serial})


def staff_record(*, at: datetime, actor: str, action: str, subject: str, details: Mapping[str, object]) -> str:
    """The record of a staff act: who did what to what, and with which details."""
    return _record("staff", at, {"action": action, "actor": actor, "details": dict(details), "subject": subject})


def _record(kind: str, at: datetime, facts: Mapping[str, object]) -> str:
    values = {**facts, "at": format_instant(at), "format": FORMAT, "kind": kind}
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
