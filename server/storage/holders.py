"""Stage 6, redeem: what becomes of redemptions: undone, handed on, forgotten (docs/protocol.md §5).

A redemption's row is never deleted. Undoing ends its life; handing on gives it the next holder's hashes; erasing leaves
nothing in it but that the unit is used, and since when.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

import sqlalchemy as sa

from server.domain.codes.redemption import Marks, Redemption, ReturnedBy
from server.domain.codes.unit import Unit
from server.domain.places.place import UNKNOWN, Place
from server.storage.engine import add_to_counters, insert_or_nothing
from server.storage.scans import KEEP_CHANNEL
from server.storage.schema import alert_claim, alert_place, alert_scan, handover, keep_try, redemption, scan, undo


def return_unit(
    connection: sa.Connection, unit: Unit, *, at: datetime, by: ReturnedBy, reason: str | None = None
) -> bool:
    """End the life of a used unit: False when it has ended already. The redemption stays as it is."""
    return insert_or_nothing(connection, undo, unit=unit.id, at=at, by=by.value, reason=reason)


def hand_on(connection: sa.Connection, unit: Unit, first: Redemption, handed: Redemption, *, at: datetime) -> None:
    """Give a redemption its next holder (`handed`); the present one is kept for a repeat of the answer."""
    connection.execute(
        handover.insert().values(
            unit=unit.id, hop=handed.hop, at=at, claim_hash=first.claim_hash, holder_hash=first.holder_hash
        )
    )
    connection.execute(
        redemption.update()
        .where(redemption.c.unit == unit.id)
        .values(hop=handed.hop, claim_hash=handed.claim_hash, holder_hash=handed.holder_hash)
    )


def hops_of(connection: sa.Connection, unit: Unit) -> Sequence[datetime]:
    """When a unit was handed on, each time: the first handover at 0."""
    query = sa.select(handover.c.at).where(handover.c.unit == unit.id).order_by(handover.c.hop)
    return list(connection.execute(query).scalars())


def holder_before(connection: sa.Connection, unit: Unit, first: Redemption) -> tuple[Redemption, datetime] | None:
    """The redemption as it was before it was last handed on, and when; None once that was erased."""
    here = (handover.c.unit == unit.id) & (handover.c.hop == first.hop)
    row = connection.execute(sa.select(handover).where(here)).first()
    if row is None or row.claim_hash is None:
        return None
    before = replace(first, claim_hash=row.claim_hash, holder_hash=row.holder_hash, hop=first.hop - 1)
    return before, row.at


def forget_holder(connection: sa.Connection, unit: Unit, blank: Marks, *, at: datetime) -> None:
    """Forget who verified a unit and where; it stays used, and since when. `blank` are random hashes.

    In the history the holders' own attempts stay with their moments, without mark, place and network; those from before
    it could be verified too, by the marks that the holders have.
    """
    marks = _marks_of_holders(connection, unit)
    connection.execute(
        redemption.update()
        .where(redemption.c.unit == unit.id)
        .values(country=None, region=None, **asdict(blank), erased_at=at)
    )
    gone = {"claim_hash": None, "holder_hash": None}
    connection.execute(handover.update().where(handover.c.unit == unit.id).values(gone))
    theirs = scan.c.own | scan.c.burned | (scan.c.channel == KEEP_CHANNEL) | scan.c.mark.in_(marks)
    own = (scan.c.unit == unit.id) & theirs
    _forget_tries(connection, unit, own)
    connection.execute(
        scan.update()
        .where(own)
        .values(mark=bytes(16), country=None, region=None, network_day=None, network_unit=None, person=None)
    )


def _marks_of_holders(connection: sa.Connection, unit: Unit) -> list[bytes]:
    """The marks by which the history knows the present holder of a unit and those before."""
    queries = [sa.select(table.c.holder_hash).where(table.c.unit == unit.id) for table in (redemption, handover)]
    found = [mark for query in queries for mark in connection.execute(query).scalars()]
    return [mark for mark in found if mark is not None]


def _forget_tries(connection: sa.Connection, unit: Unit, own: sa.ColumnElement[bool]) -> None:
    """Forget mistyped keep-codes from the holders' networks, and the holders' marks in alerts."""
    networks = sa.select(scan.c.network_unit).where(own & scan.c.network_unit.is_not(None))
    connection.execute(keep_try.delete().where((keep_try.c.unit == unit.id) & keep_try.c.network_unit.in_(networks)))
    alerts = sa.select(alert_scan.c.alert).join(scan, scan.c.id == alert_scan.c.scan).where(own)
    marks = sa.select(scan.c.mark).where(own)
    connection.execute(alert_claim.delete().where(alert_claim.c.alert.in_(alerts) & alert_claim.c.mark.in_(marks)))
    _forget_places(connection, own)


def _forget_places(connection: sa.Connection, own: sa.ColumnElement[bool]) -> None:
    """Count the holders' attempts behind alerts as from an unknown place."""
    counted = (
        sa.select(alert_scan.c.alert, scan.c.country, scan.c.region, sa.func.count().label("attempts"))
        .join(scan, scan.c.id == alert_scan.c.scan)
        .where(own & scan.c.country.is_not(None))
        .group_by(alert_scan.c.alert, scan.c.country, scan.c.region)
        .order_by(alert_scan.c.alert, scan.c.country, scan.c.region)
    )
    for row in connection.execute(counted).all():
        place = Place(country=row.country, region=row.region).key
        here = (alert_place.c.alert == row.alert) & (alert_place.c.place == place)
        connection.execute(alert_place.update().where(here).values(attempts=alert_place.c.attempts - row.attempts))
        connection.execute(alert_place.delete().where(here & (alert_place.c.attempts <= 0)))
        add_to_counters(connection, alert_place, [{"alert": row.alert, "place": UNKNOWN, "attempts": row.attempts}])
