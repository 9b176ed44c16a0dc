"""Stage 6, redeem: what becomes of redemptions: undone, handed on, forgotten (docs/protocol.md §5).

A redemption's row is never deleted. Undoing ends its life; handing on gives it the next holder's hashes; erasing leaves
nothing in it but that the unit is used, and since when.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from server.domain.codes.redemption import Marks, Redemption, Remembered, ReturnedBy
from server.domain.codes.unit import Unit
from server.domain.places.place import UNKNOWN, Place
from server.storage.engine import add_to_counters, insert_or_nothing
from server.storage.scans import KEEP_CHANNEL
from server.storage.schema import (
    alert_claim,
    alert_place,
    alert_scan,
    gift,
    handover,
    keep_try,
    redemption,
    remembered,
    scan,
    undo,
)


def return_unit(
    connection: sa.Connection, unit: Unit, *, at: datetime, by: ReturnedBy, reason: str | None = None
) -> bool:
    """End the life of a used unit: False when it has ended already. The redemption stays as it is, for no browser."""
    forget_browsers(connection, unit)
    return insert_or_nothing(connection, undo, unit=unit.id, at=at, by=by.value, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Giver:
    """Who hands a unit on: the redemption as theirs, and the mark of the browser that they do it in, if any."""

    first: Redemption
    mark: bytes | None
    by_gift: bool = False


def hand_on(connection: sa.Connection, unit: Unit, giver: Giver, handed: Redemption, *, at: datetime) -> None:
    """Give a redemption its next holder (`handed`); the present one is kept, and no browser is remembered any more."""
    connection.execute(
        handover.insert().values(
            unit=unit.id,
            hop=handed.hop,
            at=at,
            claim_hash=giver.first.claim_hash,
            holder_hash=giver.first.holder_hash,
            giver_hash=giver.mark,
            by_gift=giver.by_gift,
        )
    )
    forget_browsers(connection, unit)
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
    """The redemption as it was before it was last handed on, and when; None once that was erased.

    None too where it was given by a link: the next holder's secrets are not the giver's to be told again.
    """
    here = (handover.c.unit == unit.id) & (handover.c.hop == first.hop)
    row = connection.execute(sa.select(handover).where(here)).first()
    if row is None or row.claim_hash is None or row.by_gift:
        return None
    by = () if row.giver_hash is None else (Remembered(holder_hash=row.giver_hash, at=row.at),)
    hashes = {"claim_hash": row.claim_hash, "holder_hash": row.holder_hash}
    return replace(first, **hashes, hop=first.hop - 1, remembered=by), row.at


def handed_on_at(connection: sa.Connection, unit: Unit, mark: bytes) -> datetime | None:
    """When the browser with this mark last handed the unit on; None for every other."""
    theirs = (handover.c.holder_hash == mark) | (handover.c.giver_hash == mark)
    query = sa.select(sa.func.max(handover.c.at)).where((handover.c.unit == unit.id) & theirs)
    return connection.execute(query).scalar()


def remember_browser(connection: sa.Connection, unit: Unit, mark: bytes, *, at: datetime) -> None:
    """Remember a browser by its mark on this unit; one that is remembered stays so since when it was."""
    insert_or_nothing(connection, remembered, unit=unit.id, holder_hash=mark, at=at)


def forget_browsers(connection: sa.Connection, unit: Unit) -> None:
    """Remember no browser for this unit any more."""
    connection.execute(remembered.delete().where(remembered.c.unit == unit.id))


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
    gone = {"claim_hash": None, "holder_hash": None, "giver_hash": None}
    connection.execute(handover.update().where(handover.c.unit == unit.id).values(gone))
    connection.execute(gift.update().where(gift.c.unit == unit.id).values(giver_hash=None))
    forget_browsers(connection, unit)
    theirs = scan.c.own | scan.c.burned | (scan.c.channel == KEEP_CHANNEL) | scan.c.mark.in_(marks)
    own = (scan.c.unit == unit.id) & theirs
    _forget_tries(connection, unit, own)
    connection.execute(
        scan.update()
        .where(own)
        .values(mark=bytes(16), country=None, region=None, network_day=None, network_unit=None, person=None)
    )


def _marks_of_holders(connection: sa.Connection, unit: Unit) -> list[bytes]:
    """The marks by which the history knows the present holder of a unit, with their browsers, and those before."""
    kept = (redemption.c.holder_hash, handover.c.holder_hash, handover.c.giver_hash, gift.c.giver_hash)
    queries = [sa.select(mark).where(mark.table.c.unit == unit.id) for mark in (*kept, remembered.c.holder_hash)]
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
