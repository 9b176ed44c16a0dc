"""Stage 6, redeem: staff return a set of codes to unused, once a unit, after a burn attack (docs/protocol.md §5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from keys.base.errors import AuthcodeError
from server.domain.batches.range_act import ActDetails, check_details, read_range
from server.domain.codes.redemption import ReturnedBy, UnitLife
from server.domain.codes.unit import Unit
from server.runtime.context import Context
from server.services.alerts.triage import AlertUnknown
from server.services.batches.find import unit_named
from server.services.batches.range_acts import find_order
from server.services.codes.resolve import resolved_unit
from server.services.log.entries import log_return
from server.storage import audit
from server.storage.alerts import alert_by_id
from server.storage.batches import batch_by_row
from server.storage.engine import Connection
from server.storage.holders import return_unit
from server.storage.redemptions import lock_redemption, unit_life, used_between

MAX_AT_ONCE = 10_000
"""Units of one act: its transaction keeps SQLite's other writers waiting for some seconds, not longer."""


class UndoSetTooLarge(AuthcodeError):
    """More used codes than one act returns."""

    code = "undo_set_too_large"
    http_status = 413
    sentence = f"More than {MAX_AT_ONCE:,} used codes are named; return them range by range."


class UndoReasonMissing(AuthcodeError):
    """A return by staff without a reason."""

    code = "undo_reason_missing"
    sentence = "Give a reason: it is kept in the code's history; shoppers do not see it."


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffUndo:
    """Counts of a set: returned, unused, returned by staff before, and `ended` lives, whose unit is now another's."""

    returned: tuple[Unit, ...]
    unused: int
    spent: int
    ended: int = 0


def units_of_range(ctx: Context, order: str, indices: str | None) -> tuple[Unit, ...]:
    """The used units of an order's range `A-B` (None: all of it).

    Raises:
        OrderUnknown, OrderAmbiguous, RangeInvalid: there is no such range.
        UndoSetTooLarge: too many of it are used.
    """
    with ctx.db.read() as connection:
        batch = find_order(connection, order, None)
        first, last = read_range(indices, count=batch.count)
        return _few(used_between(connection, batch.row, first, last, limit=MAX_AT_ONCE + 1))


def units_of_codes(ctx: Context, texts: Iterable[str]) -> tuple[Unit, ...]:
    """The units that texts name: codes, printed serials or `ORDER:INDEX`, each once.

    Raises:
        CodeUnknown: one of them names none.
        UndoSetTooLarge: there are too many.
    """
    found: dict[Unit, None] = {}
    with ctx.db.read() as connection:
        for text in texts:
            found[unit_named(ctx, connection, text)] = None
            _few(list(found))
    return tuple(found)


def units_of_alert(ctx: Context, number: int) -> tuple[Unit, ...]:
    """The unit that an alert is about, in the life that it is about; none for an alert about a whole batch or key.

    Raises:
        AlertUnknown: there is no such alert.
    """
    with ctx.db.read() as connection:
        record = alert_by_id(connection, number)
        if record is None:
            raise AlertUnknown
        return () if record.unit is None else (Unit.of_id(record.unit),)


def preview_undo(ctx: Context, units: Sequence[Unit]) -> StaffUndo:
    """What returning these units would come to; changes nothing."""
    with ctx.db.read() as connection:
        return _sorted([unit_life(connection, unit, life=unit.life) for unit in units])


def undo_by_staff(ctx: Context, units: Sequence[Unit], *, reason: str, actor: str) -> StaffUndo:
    """Return used units to unused, each at most once by staff; the others are counted and left as they are.

    Each unit names the life to end: where that ended since, a page that is out of date does not end the next one.

    Raises:
        UndoReasonMissing: there is no reason.
        RangeInvalid: it is too long.
    """
    why = check_details(ActDetails(reason=reason.strip() or None)).reason
    if why is None:
        raise UndoReasonMissing
    named = sorted(_few(units), key=lambda unit: unit.id)  # in one order, so that two acts never wait in a circle
    return ctx.db.attempt(lambda connection: _undo(ctx, connection, named, why, actor))


def _undo(ctx: Context, connection: Connection, units: Sequence[Unit], reason: str, actor: str) -> StaffUndo:
    """1. Lock the units. 2. Look at each, and return it. 3. Its entry of the log; one line of the audit.

    It runs as an attempt: a deadlock with holders who act on some of many units is tried again.
    """
    now = ctx.clock()
    for unit in units:  # (1)
        lock_redemption(connection, unit)
    done = _sorted([unit_life(connection, unit, life=unit.life) for unit in units])  # (2)
    returned = tuple(
        unit for unit in done.returned if return_unit(connection, unit, at=now, by=ReturnedBy.STAFF, reason=reason)
    )
    for unit in returned:  # (3)
        log_return(connection, resolved_unit(ctx, connection, unit), unit, at=ctx.clock(), by=ReturnedBy.STAFF)
    if returned:
        details = {"count": len(returned), "reason": reason}
        subject = _subject(connection, returned)
        audit.append(connection, at=now, actor=actor, action="code.undo", subject=subject, details=details)
    return replace(done, returned=returned)


def _few(units: Sequence[Unit]) -> tuple[Unit, ...]:
    if len(units) > MAX_AT_ONCE:
        raise UndoSetTooLarge
    return tuple(units)


def _sorted(uses: Iterable[UnitLife]) -> StaffUndo:
    returned: list[Unit] = []
    unused = spent = ended = 0
    for use in uses:
        if use.redemption is None:
            unused += 1
        elif any(one.by is ReturnedBy.STAFF for one in use.returns):
            spent += 1
        elif use.ended is not None:
            ended += 1
        else:
            returned.append(use.unit)
    return StaffUndo(returned=tuple(returned), unused=unused, spent=spent, ended=ended)


def _subject(connection: Connection, units: Sequence[Unit]) -> str:
    """What the audit names: the code where there is one, else how many of which batches."""
    names = {row: batch.order_name for row in {unit.row for unit in units} if (batch := batch_by_row(connection, row))}
    if len(units) == 1:
        return f"{names[units[0].row]}:{units[0].index}"
    return f"{len(units)} codes of {', '.join(sorted(names.values()))}"[:254]
