"""Stage 6, redeem: acts on ranges of a batch, each one row with actor and time.

An act adds to what stands; nothing takes a void or a recall back yet (that needs a design of its own).
"""

from datetime import datetime
from typing import ClassVar

from keys.errors import AuthcodeError
from server.domain.range_act import ActDetails, ActKind, RangeAct, check_details, read_range
from server.storage import audit
from server.storage.batches import BatchRecord, add_act, batches_by_order, last_act
from server.storage.brands import brand_by_id
from server.storage.engine import Connection, Database


class OrderUnknown(AuthcodeError):
    """No batch of this order name is registered here."""

    code: ClassVar[str] = "order_unknown"
    http_status: ClassVar[int] = 404

    def __init__(self, order: str) -> None:
        """Carry the name."""
        super().__init__(f"No order {order!r} is registered here; `authcode batch status` lists those that are.")
        self.order = order


class OrderAmbiguous(AuthcodeError):
    """Several brands have an order of this name."""

    code: ClassVar[str] = "order_ambiguous"
    http_status: ClassVar[int] = 409

    def __init__(self, order: str, brands: tuple[str, ...]) -> None:
        """Carry the name and whose orders bear it."""
        super().__init__(
            f"Several brands have an order {order!r}: {', '.join(brands)}. "
            "Act on it in the dashboard, where each has a page of its own."
        )
        self.order, self.brands = order, brands


def act_on_range(  # noqa: PLR0913 - one act, with everything that its row says
    db: Database,
    order: str,
    kind: ActKind,
    *,
    indices: str | None,
    details: ActDetails,
    actor: str,
    now: datetime,
    brand_id: bytes | None = None,
    once: bool = False,
) -> RangeAct:
    """Record an act on the indices `A-B` (None: all) of an order; `brand_id` is needed where two brands share the name.

    With `once`, the batch's latest act is given back where it is this very act by the same actor: a request whose
    answer was lost can be sent again.

    Raises:
        OrderUnknown, OrderAmbiguous: the name leads to no batch, or to several.
        RangeInvalid: the range or a detail is out of form.
    """
    checked = check_details(details)
    with db.write() as connection:
        batch = find_order(connection, order, brand_id)
        first, last = read_range(indices, count=batch.count)
        latest = last_act(connection, batch.row) if once else None
        wanted = (kind, first, last, actor, checked)
        if latest and (latest.kind, latest.first, latest.last, latest.actor, latest.details) == wanted:
            return latest
        subject = f"{batch.order_name} {first}-{last}"
        brand = brand_by_id(connection, batch.brand).brand_id.hex()
        told = {"batch": batch.number, "brand": brand, "first": first, "last": last, **_told(checked)}
        audit.note(connection, at=now, actor=actor, action=f"batch.{kind}", subject=subject, details=told)
        return add_act(connection, batch.row, kind, first=first, last=last, actor=actor, at=now, details=checked)


def _told(details: ActDetails) -> dict[str, object]:
    """What the log says of an act beside its range."""
    return {
        "expires": details.expires.isoformat() if details.expires else None,
        "link": details.link,
        "lot": details.lot,
        "markets": list(details.markets),
        "reason": details.reason,
    }


def find_order(connection: Connection, order: str, brand_id: bytes | None) -> BatchRecord:
    """The batch of an order name, of one brand where it is named.

    Raises:
        OrderUnknown, OrderAmbiguous: the name leads to no batch, or to several.
    """
    named = [(brand_by_id(connection, batch.brand), batch) for batch in batches_by_order(connection, order)]
    found = [(owner, batch) for owner, batch in named if brand_id in (None, owner.brand_id)]
    if not found:
        raise OrderUnknown(order)
    if len(found) > 1:
        raise OrderAmbiguous(order, tuple(owner.name for owner, _batch in found))
    return found[0][1]
