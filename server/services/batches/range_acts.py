"""Stage 6, redeem: acts on ranges of a batch, each one row with actor and time. No act takes a void or recall back."""

from dataclasses import asdict, replace
from datetime import datetime

from keys.base.errors import AuthcodeError
from server.domain.batches.range_act import (
    ActDetails,
    ActKind,
    ActRequest,
    RangeAct,
    check_details,
    read_range,
    standings,
)
from server.services.batches.withdrawals import withdrawals_of
from server.storage import audit
from server.storage.batches import BatchRecord, acts_of, add_act, batch_by_row, batches_by_order, last_act
from server.storage.brands import brand_by_id
from server.storage.engine import Connection, Database

_SENDS_SHOPPERS_TO_THE_BRAND = frozenset({ActKind.ACTIVATE, ActKind.RECALL})


class OrderUnknown(AuthcodeError):
    """No batch of this order name is registered here."""

    code = "order_unknown"
    http_status = 404
    sentence = "No order {order!r} is registered here; `authcode batch status` lists those that are."
    order: str


class OrderAmbiguous(AuthcodeError):
    """Several brands have an order of this name."""

    code = "order_ambiguous"
    http_status = 409
    sentence = (
        "Several brands have an order {order!r}: {names}. Act on it in the dashboard, where each has a page of its own."
    )
    order: str
    brands: tuple[str, ...]

    @property
    def names(self) -> str:
        """The brands, as a list in words."""
        return ", ".join(self.brands)


class ActivationRefused(AuthcodeError):
    """Codes of a withdrawn key that were not in the world before: activated, they would stay not ours."""

    code = "activation_refused"
    http_status = 409
    sentence = (
        "Key {key_id} of these codes is withdrawn since {since:%Y-%m-%d %H:%M} UTC, and some of them were not in the "
        'world before that: activated, they would still be answered "not ours". Issue an order with a new key '
        "(`authcode keys rotate`), and print new labels."
    )
    key_id: str
    since: datetime


class ContactMissing(AuthcodeError):
    """A brand that gives its shoppers nobody to ask wants codes in the world, or takes them back."""

    code = "contact_missing"
    http_status = 409
    sentence = (
        "{brand} has no contact yet that shoppers could ask. Set one with `authcode brand contact` at the server or "
        "in the dashboard's settings, and repeat this."
    )
    brand: str


def act_on_range(db: Database, request: ActRequest, *, now: datetime, once: bool = False) -> RangeAct:
    """Record an act on a range of an order's codes. With `once`, the same act sent again returns the latest one.

    Raises:
        OrderUnknown, OrderAmbiguous: the name leads to no batch, or to several.
        RangeInvalid: the range or a detail is out of form.
        ContactMissing: codes would be activated or recalled, and their brand has no contact for shoppers.
        ActivationRefused: codes of a withdrawn key would be activated.
    """
    details = check_details(request.details)
    with db.write() as connection:
        batch = find_order(connection, request.order, request.brand_id)
        first, last = read_range(request.indices, count=batch.count)
        act = RangeAct(kind=request.kind, first=first, last=last, actor=request.actor, at=now, details=details)
        latest = last_act(connection, batch.row) if once else None
        if latest is not None and replace(latest, number=0, at=now) == act:
            return latest
        _check(connection, batch, act.kind, first, last)
        subject = f"{batch.order_name} {first}-{last}"
        brand = brand_by_id(connection, batch.brand).brand_id.hex()
        logged = {"batch": batch.number, "brand": brand, "first": first, "last": last, **_logged(details)}
        audit.append(connection, at=now, actor=act.actor, action=f"batch.{act.kind}", subject=subject, details=logged)
        return add_act(connection, batch.row, act)


def check_act(db: Database, row: int, kind: ActKind, first: int, last: int) -> None:
    """Check beforehand that an act can be done with these codes.

    Raises:
        ContactMissing, ActivationRefused: as `act_on_range` does.
    """
    with db.read() as connection:
        batch = batch_by_row(connection, row)
        if batch is not None:
            _check(connection, batch, kind, first, last)


def _check(connection: Connection, batch: BatchRecord, kind: ActKind, first: int, last: int) -> None:
    if kind in _SENDS_SHOPPERS_TO_THE_BRAND:
        brand = brand_by_id(connection, batch.brand)
        if brand.support is None:
            raise ContactMissing(brand.name)
    if kind is ActKind.ACTIVATE:
        _refuse_dead_codes(connection, batch, first, last)


def _refuse_dead_codes(connection: Connection, batch: BatchRecord, first: int, last: int) -> None:
    """A lot or date of goods that were in the world before can still be corrected; nothing else can be activated."""
    withdrawal = withdrawals_of(connection, [batch])[batch.row]
    if withdrawal is None:
        return
    for low, high, standing in standings(acts_of(connection, batch.row), count=batch.count):
        if low <= last and first <= high and not standing.was_in_the_world(withdrawal):
            raise ActivationRefused(batch.key_id, withdrawal.since)


def _logged(details: ActDetails) -> dict[str, object]:
    expires = details.expires.isoformat() if details.expires else None
    return asdict(details) | {"expires": expires, "markets": list(details.markets)}


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
