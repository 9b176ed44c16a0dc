"""Stage 7, alert: lets alerts grow in the transaction of the attempt that feeds them (docs/protocol.md §2 rule 6)."""

from collections.abc import Sequence

from server.domain.alerts.alert import (
    KEEP_CODE_USES,
    AlertDraft,
    AlertFilter,
    Attempt,
    Rule,
    draft_for_keep_code,
    draft_for_unknown,
    draft_for_withdrawn_key,
    drafts_for,
)
from server.domain.alerts.storm import TRAVEL_WINDOW, contradicts, draft_for_market, draft_for_travel, is_burst
from server.domain.codes.redemption import FirstUse, Unit
from server.domain.places.place import UNKNOWN
from server.services.codes.facts import CodeState
from server.services.codes.resolve import Resolved
from server.storage.alerts import add_to_alert, count_like, others_with
from server.storage.engine import Connection
from server.storage.holders import handed_on_at
from server.storage.scans import attempt_by_number, attempts_around, keep_code_uses


def after_attempt(  # noqa: PLR0913 - one attempt and everything that the rules look at
    connection: Connection,
    state: CodeState,
    attempt: Attempt,
    *,
    scan: int,
    before: FirstUse | None,
    holder: bool,
) -> None:
    """Run the rules on an attempt; `before` is the redemption that stood before it, `holder` whether it is its own.

    Whoever calls holds that redemption, so that each attempt counts those before it.
    """
    brand, unit, alone = state.code.brand, state.unit, holder or attempt.staff or state.conditions.sample
    others, around = 0, list[tuple[int, Attempt]]()
    if not alone:
        if before is not None:
            others = others_with(connection, brand.id, (Rule.DUPLICATE, f"unit:{unit.id}"), attempt.mark)
        around = attempts_around(connection, unit.id, attempt.at, TRAVEL_WINDOW)
    burst = not alone and is_burst(attempt, [one for _, one in around])
    drafts = drafts_for(
        attempt,
        unit,
        state.conditions,
        before,
        holder=holder,
        others=others,
        alert_from=brand.alert_from,
        burst=burst,
    )
    for draft in drafts:
        came_before = around[::-1] if draft.rule is Rule.BURST and _is_new(connection, unit, draft.rule) else []
        _grow(connection, state, draft, [*came_before, (scan, attempt)])
    _after_place(connection, state, attempt, scan=scan, around=around, own=holder)


def _after_place(  # noqa: PLR0913 - one attempt and everything that the rules look at
    connection: Connection,
    state: CodeState,
    attempt: Attempt,
    *,
    scan: int,
    around: Sequence[tuple[int, Attempt]],
    own: bool,
) -> None:
    """The rules about places; where an attempt contradicts earlier ones, the latest of those is in the alert too."""
    markets = state.standing.activation.details.markets if state.standing.activation else ()
    outside = draft_for_market(attempt, state.unit, state.conditions, markets, own=own)
    if outside is not None:
        _grow(connection, state, outside, [(scan, attempt)])
    other = next((one for one in around if contradicts(attempt, one[1])), None)
    if other is not None:
        _grow(connection, state, draft_for_travel(state.unit), [other, (scan, attempt)])


def _is_new(connection: Connection, unit: Unit, rule: Rule) -> bool:
    return not any(count_like(connection, AlertFilter(rule=rule, unit=unit)).values())


def _grow(connection: Connection, state: CodeState, draft: AlertDraft, attempts: Sequence[tuple[int, Attempt]]) -> None:
    """Let an alert about a registered unit, or about its whole batch, grow by attempts with their numbers."""
    one_code = draft.subject.startswith("unit:")
    for scan, attempt in attempts:
        add_to_alert(
            connection,
            state.code.brand.id,
            draft,
            attempt,
            scan=scan,
            batch_row=state.unit.row,
            unit=state.unit.id if one_code else None,
            serial=state.code.serial if one_code else None,
        )


def after_keep_code(connection: Connection, state: CodeState, scan: int) -> None:
    """Look at the uses of a unit's keep-code, after one more; the first alert takes in those that came before it.

    No more of them are read than make an alert, wherever they come from; those fewer are all.
    """
    unit, hop = state.unit, 0 if state.first is None else state.first.hop
    since = handed_on_at(connection, unit, hop) if hop else None
    uses = keep_code_uses(connection, unit.id, limit=KEEP_CODE_USES, since=since)
    regions = {attempt.place.key for _, attempt in uses} - {UNKNOWN}
    draft = draft_for_keep_code(unit, uses=len(uses), regions=len(regions))
    if draft is None:
        return
    if not _is_new(connection, unit, draft.rule):
        uses = [(scan, attempt_by_number(connection, scan))]
    _grow(connection, state, draft, uses)


def after_unknown_unit(connection: Connection, code: Resolved, attempt: Attempt, *, scan: int) -> None:
    """Tell of a good signature on a unit that does not exist."""
    draft = draft_for_unknown(attempt, key_id=code.key.key_id)
    if draft is not None:
        add_to_alert(connection, code.brand.id, draft, attempt, scan=scan, batch_row=None, unit=None, serial=None)


def after_withdrawn_key(
    connection: Connection, code: Resolved, state: CodeState | None, attempt: Attempt, *, scan: int
) -> None:
    """Tell of a code of a withdrawn key that was not in the world before; `state` is None for an unknown unit."""
    sample = state is not None and state.conditions.sample
    draft = None if sample else draft_for_withdrawn_key(attempt, key_id=code.key.key_id, registered=state is not None)
    if draft is not None:
        add_to_alert(connection, code.brand.id, draft, attempt, scan=scan, batch_row=None, unit=None, serial=None)
