"""Stage 7, alert: the history of one code. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from authcode.code.payload import NotOurs
from server.domain.alerts.alert import AlertFilter
from server.domain.batches.range_act import RangeAct
from server.domain.codes.redemption import Returned, ReturnedBy
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Use, Verdict, verdict_of
from server.domain.places.place import Place
from server.runtime.context import Context
from server.services.batches.find import CodeUnknown
from server.services.batches.withdrawals import WithdrawnKey, withdrawn_key_of
from server.services.codes.facts import CodeFacts, CodeState, facts_of, state_on_record
from server.services.codes.resolve import resolved_unit
from server.services.queries.page import ListPage, page_of
from server.services.queries.rows import RECENT, AlertRow, ScanRow, alert_rows_of, scan_rows_of
from server.storage import alerts as alert_rows
from server.storage import looks as look_rows
from server.storage import scans as scan_rows
from server.storage.batches import acts_covering
from server.storage.engine import Connection
from server.storage.redemptions import unit_life


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeHistory:
    """One unit in one life, with all its `returns`; `ended` is that of this life, `present` the unit in its latest.

    `facts` are those of the holder, `shopper_facts` what a stranger who looks at the code is shown.
    """

    unit: Unit
    order: str
    state: Verdict
    facts: CodeFacts
    shopper_facts: CodeFacts
    first_place: str | None
    acts: tuple[RangeAct, ...]
    looks: int
    scans: ListPage[ScanRow]
    alerts: tuple[AlertRow, ...]
    returns: tuple[Returned, ...]
    ended: Returned | None
    present: Unit
    hops: int
    erased: bool
    withdrawn_key: WithdrawnKey | None

    @property
    def can_be_returned(self) -> bool:
        """Whether staff may return it to unused: it is used in its present life, and they never did."""
        used = self.facts.first_verified_at is not None and self.ended is None
        return used and not any(one.by is ReturnedBy.STAFF for one in self.returns)

    def unit_in(self, life: int) -> Unit:
        """The same unit in another life."""
        return Unit(row=self.unit.row, index=self.unit.index, life=life)


def code_history(ctx: Context, unit: Unit, *, page: int = 1) -> CodeHistory:
    """One unit, in the life that it names, with a page of its attempts.

    Raises:
        CodeUnknown: there is none.
        SerialKeyMissing: this server cannot compute its serial.
    """
    now = ctx.clock()
    with ctx.db.read() as connection:
        state = _state(ctx, connection, unit, now)
        first = state.redemption
        alerts = alert_rows.alerts_like(connection, AlertFilter(unit=unit), limit=RECENT)
        return CodeHistory(
            unit=unit,
            order=state.batch.order_name,
            state=verdict_of(state.conditions, Use.NONE if first is None else Use.OTHER),
            facts=facts_of(connection, state, own=True),
            shopper_facts=facts_of(connection, state, own=False),
            first_place=None if first is None else Place(country=first.country, region=first.region).key,
            acts=tuple(reversed(acts_covering(connection, unit.row, unit.index))),
            looks=look_rows.looks_of_unit(connection, unit.id),
            scans=page_of(
                page,
                scan_rows.count_of_unit(connection, unit.id),
                partial(scan_rows.scans_of_unit, connection, unit.id),
                scan_rows_of,
            ),
            alerts=alert_rows_of(connection, alerts, now=now),
            returns=state.use.returns,
            ended=state.use.ended,
            present=unit_life(connection, unit).unit,
            hops=0 if first is None else first.hop,
            erased=first is not None and first.erased,
            withdrawn_key=withdrawn_key_of(connection, state.batch),
        )


def _state(ctx: Context, connection: Connection, unit: Unit, now: datetime) -> CodeState:
    try:
        state = state_on_record(connection, resolved_unit(ctx, connection, unit), now=now, life=unit.life)
    except NotOurs:
        raise CodeUnknown from None
    if state is None:
        raise CodeUnknown
    return state
