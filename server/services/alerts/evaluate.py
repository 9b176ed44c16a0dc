"""Stage 7, alert: lets alerts grow in the transaction of the attempt that feeds them (docs/protocol.md §2 rule 6)."""

from dataclasses import replace
from typing import Any

from server.domain.alerts.alert import Attempt, Finding, NumberedAttempt, Subject
from server.domain.alerts.growth import GrowingAlert, Growth, grow, loudness, wants_crowd
from server.domain.alerts.rule import Facts, KeepCodeUses, KeyAttempt, Rule, UnitAttempt
from server.domain.alerts.rules import duplicate, findings
from server.domain.alerts.rules.keep_code_shared import KEEP_CODE_USES
from server.domain.alerts.storm import TRAVEL_WINDOW
from server.domain.codes.redemption import FirstUse
from server.services.codes.facts import CodeState
from server.services.codes.resolve import Resolved
from server.storage.alerts import add_attempt, lock_alert, others_with, save_alert
from server.storage.engine import Connection
from server.storage.holders import handed_on_at
from server.storage.scans import attempt_by_number, attempts_around, attempts_behind, keep_code_uses

_CROWD_READ = 100  # attempts behind an alert, the latest, among which a crowd is looked for


def after_attempt(  # noqa: PLR0913 - one attempt and what is known of it
    connection: Connection,
    state: CodeState,
    attempt: Attempt,
    *,
    scan: int,
    before: FirstUse | None,
    holder: bool,
) -> None:
    """Run the rules on an attempt; `before` is the redemption before it, `holder` whether it is its holder's own.

    The caller holds that redemption, so that each attempt counts those before it.
    """
    code, activation = state.code, state.standing.activation
    facts = UnitAttempt(
        attempt=attempt,
        unit=state.unit,
        serial=code.serial,
        conditions=state.conditions,
        first=before,
        holder=holder,
        alert_from=code.brand.alert_from,
        markets=activation.details.markets if activation else (),
    )
    if facts.counts and before is not None:
        subject = Subject.of_code(state.unit, code.serial)
        others = others_with(connection, code.brand.id, duplicate.RULE.name, subject, attempt.mark)
        facts = replace(facts, others=others)
    if facts.counts:
        facts = replace(facts, around=attempts_around(connection, state.unit.id, attempt.at, TRAVEL_WINDOW))
    _run(connection, code.brand.id, facts, (scan, attempt))


def after_keep_code(connection: Connection, state: CodeState, scan: int) -> None:
    """Run the rules on the uses of a unit's keep-code, after one more.

    No more of them are read than make an alert, wherever they come from; those fewer are all.
    """
    unit, hop = state.unit, 0 if state.first is None else state.first.hop
    since = handed_on_at(connection, unit, hop) if hop else None
    uses = keep_code_uses(connection, unit.id, limit=KEEP_CODE_USES, since=since)
    latest = dict(uses).get(scan) or attempt_by_number(connection, scan)
    facts = KeepCodeUses(unit=unit, serial=state.code.serial, latest=uses)
    _run(connection, state.code.brand.id, facts, (scan, latest))


def after_unknown_unit(connection: Connection, code: Resolved, attempt: Attempt, *, scan: int) -> None:
    """Run the rules on a good signature on a unit that does not exist."""
    facts = KeyAttempt(attempt=attempt, key_id=code.key.key_id, withdrawn=False, registered=False)
    _run(connection, code.brand.id, facts, (scan, attempt))


def after_withdrawn_key(
    connection: Connection, code: Resolved, state: CodeState | None, attempt: Attempt, *, scan: int
) -> None:
    """Run the rules on a code of a withdrawn key that was not in the world before; `state` is None for no unit."""
    sample = state is not None and state.conditions.sample
    facts = KeyAttempt(
        attempt=attempt, key_id=code.key.key_id, withdrawn=True, registered=state is not None, sample=sample
    )
    _run(connection, code.brand.id, facts, (scan, attempt))


def _run(connection: Connection, brand: int, facts: Facts, attempt: NumberedAttempt) -> None:
    for rule, finding in findings(facts):
        _grow(connection, brand, rule, finding, attempt)


def _grow(connection: Connection, brand: int, rule: Rule[Any], finding: Finding, latest: NumberedAttempt) -> None:
    """Let an alert grow by an attempt, and by the earlier ones that belong to it. An attempt counts once."""
    severity = finding.severity or rule.severity
    at = (*finding.earlier, latest)[0][1].at
    raised = GrowingAlert(severity=severity, first_at=at, last_at=at)
    number, held = lock_alert(connection, brand, rule.name, finding.subject, raised)
    earlier = () if finding.only_if_new and held.count else finding.earlier
    grown, reopened_at = held, []
    for scan, attempt in (*earlier, latest):
        new = add_attempt(connection, number, scan, attempt)
        if new is None:
            continue
        behind = attempts_behind(connection, number, limit=_CROWD_READ) if wants_crowd(grown, finding.crowd) else ()
        growth = Growth(
            severity=loudness(severity, finding.crowd, behind, attempt.at),
            first_at=attempt.at,
            last_at=attempt.at,
            count=1,
            claims=int(new.claim),
            places=int(new.place),
        )
        grown, opened_again = grow(grown, growth)
        reopened_at += [attempt.at] if opened_again else []
    if grown is not held:
        save_alert(connection, number, grown, reopened_at)
