"""Stage 7, alert: lets alerts grow in the transaction of the attempt that feeds them (docs/protocol.md §2 rule 6)."""

from server.domain.alert import (
    AlertFilter,
    Attempt,
    Rule,
    draft_for_disowned,
    draft_for_keep_code,
    draft_for_unknown,
    drafts_for,
)
from server.domain.place import UNKNOWN
from server.domain.redemption import FirstUse
from server.services.facts import CodeState
from server.services.resolve_code import Resolved
from server.storage.alerts import add_to_alert, count_like, others_with
from server.storage.engine import Connection
from server.storage.holdings import handed_on_at
from server.storage.redemptions import hold
from server.storage.scans import keep_code_uses


def after_attempt(  # noqa: PLR0913 - one attempt and everything that the rules look at
    connection: Connection,
    state: CodeState,
    attempt: Attempt,
    *,
    scan: int,
    before: FirstUse | None,
    holder: bool,
) -> None:
    """Run the rules on an attempt; `before` is the redemption that stood before it, `holder` whether it is its own."""
    brand, unit = state.code.brand, state.unit
    others = 0
    if before is not None and not holder:
        hold(connection, unit)
        others = others_with(connection, brand.id, (Rule.DUPLICATE, f"unit:{unit.id}"), attempt.mark)
    for draft in drafts_for(
        attempt, unit, state.conditions, before, holder=holder, others=others, alert_from=brand.alert_from
    ):
        one_code = draft.rule is Rule.DUPLICATE
        add_to_alert(
            connection,
            brand.id,
            draft,
            attempt,
            scan=scan,
            batch_row=unit.row,
            unit=unit.id if one_code else None,
            serial=state.code.serial if one_code else None,
        )


def after_keep_code(connection: Connection, state: CodeState) -> None:
    """Look at all uses of a unit's keep-code, after one more; the first alert takes in those that came before it."""
    unit, hop = state.unit, 0 if state.first is None else state.first.hop
    uses = keep_code_uses(connection, unit.id, since=handed_on_at(connection, unit, hop) if hop else None)
    regions = {attempt.place.key for _, attempt in uses} - {UNKNOWN}
    draft = draft_for_keep_code(unit, uses=len(uses), regions=len(regions))
    if draft is None:
        return
    known = any(count_like(connection, AlertFilter(rule=draft.rule, unit=unit)).values())
    for scan, attempt in uses[-1:] if known else uses:
        add_to_alert(
            connection,
            state.code.brand.id,
            draft,
            attempt,
            scan=scan,
            batch_row=unit.row,
            unit=unit.id,
            serial=state.code.serial,
        )


def after_unknown_unit(connection: Connection, code: Resolved, attempt: Attempt, *, scan: int) -> None:
    """Tell of a good signature on a unit that does not exist."""
    draft = draft_for_unknown(attempt, key_id=code.key.key_id)
    if draft is not None:
        add_to_alert(connection, code.brand.id, draft, attempt, scan=scan, batch_row=None, unit=None, serial=None)


def after_disowned_code(
    connection: Connection, code: Resolved, state: CodeState | None, attempt: Attempt, *, scan: int
) -> None:
    """Tell of a code of a withdrawn key that was not in the world before; `state` is None for an unknown unit."""
    sample = state is not None and state.conditions.sample
    draft = None if sample else draft_for_disowned(attempt, key_id=code.key.key_id, registered=state is not None)
    if draft is not None:
        add_to_alert(connection, code.brand.id, draft, attempt, scan=scan, batch_row=None, unit=None, serial=None)
