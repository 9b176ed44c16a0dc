"""Stage 7, alert: lets alerts grow in the transaction of the attempt that feeds them (docs/protocol.md §2 rule 6)."""

from dataclasses import replace
from typing import Any

from server.domain.alerts.alert import Finding, NumberedAttempt, Subject
from server.domain.alerts.growth import GrowingAlert, Growth, grow, loudness, wants_crowd
from server.domain.alerts.rule import Facts, KeepCodeUses, KeyAttempt, Rule, UnitAttempt
from server.domain.alerts.rules import duplicate, findings
from server.domain.alerts.rules.keep_code_shared import KEEP_CODE_USES
from server.domain.alerts.storm import TRAVEL_WINDOW
from server.domain.codes.redemption import Redemption
from server.services.codes.facts import CodeState
from server.services.codes.resolve import Resolved
from server.storage.alerts import add_attempt, lock_alert, others_with, save_alert
from server.storage.engine import Connection
from server.storage.holders import hops_of
from server.storage.scans import attempt_by_number, attempts_around, attempts_behind, keep_code_uses

_CROWD_READ = 100  # attempts behind an alert, the latest, among which a crowd is looked for


def after_attempt(
    connection: Connection, state: CodeState, made: NumberedAttempt, *, before: Redemption | None, own: bool
) -> None:
    """Run the rules on an attempt; `before` is its redemption before, locked; `own`: by the holder."""
    code, activation, attempt = state.code, state.standing.activation, made[1]
    facts = UnitAttempt(
        attempt=attempt,
        unit=state.unit,
        serial=code.serial,
        conditions=state.conditions,
        redemption=before,
        own=own,
        alert_from=code.brand.alert_from,
        markets=activation.details.markets if activation else (),
    )
    if facts.counts and before is not None:
        subject = Subject.of_code(state.unit, code.serial)
        others = others_with(connection, code.brand.id, duplicate.RULE.name, subject, attempt.mark)
        facts = replace(facts, others=others)
    if facts.counts:
        facts = replace(facts, around=attempts_around(connection, state.unit.id, attempt.at, TRAVEL_WINDOW))
    _run(connection, code.brand.id, facts, made)


def after_keep_code(connection: Connection, state: CodeState, scan: int) -> None:
    """Run the rules on the uses of a unit's keep-code, after one more; no more are read than make an alert."""
    unit, hop = state.unit, 0 if state.redemption is None else state.redemption.hop
    since = hops_of(connection, unit)[hop - 1] if hop else None
    uses = keep_code_uses(connection, unit.id, limit=KEEP_CODE_USES, since=since)
    latest = dict(uses).get(scan) or attempt_by_number(connection, scan)
    facts = KeepCodeUses(unit=unit, serial=state.code.serial, latest=uses)
    _run(connection, state.code.brand.id, facts, (scan, latest))


def after_key_attempt(
    connection: Connection, code: Resolved, state: CodeState | None, made: NumberedAttempt, *, withdrawn: bool
) -> None:
    """Run the rules on a code that only its key vouches for: no registered unit (`state` is None), or `withdrawn`."""
    facts = KeyAttempt(
        attempt=made[1],
        key_id=code.key.key_id,
        withdrawn=withdrawn,
        registered=state is not None,
        sample=state is not None and state.conditions.sample,
    )
    _run(connection, code.brand.id, facts, made)


def _run(connection: Connection, brand: int, facts: Facts, attempt: NumberedAttempt) -> None:
    for rule, finding in findings(facts):
        _grow(connection, brand, rule, finding, attempt)


def _grow(connection: Connection, brand: int, rule: Rule[Any], finding: Finding, latest: NumberedAttempt) -> None:
    """Let an alert grow by an attempt and the earlier ones that belong to it; each counts once."""
    severity = finding.severity or rule.severity
    at = (*finding.earlier, latest)[0][1].at
    raised = GrowingAlert(severity=severity, first_at=at, last_at=at)
    number, before = lock_alert(connection, brand, rule.name, finding.subject, raised)
    earlier = () if finding.only_if_new and before.count else finding.earlier
    grown, reopened_at = before, []
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
    if grown is not before:
        save_alert(connection, number, grown, reopened_at)
