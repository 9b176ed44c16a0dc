"""How an alert grows: it never becomes quieter, opens again for a reason only, and is news when something changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.domain.alerts.alert import Attempt, Crowd, Severity
from server.domain.alerts.growth import GrowingAlert, Growth, grow, loudness, wants_crowd
from server.domain.alerts.triage import Cause
from server.domain.places.place import Place

T0 = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LATER = T0 + timedelta(hours=3)
OPEN = GrowingAlert(severity=Severity.ALERT, first_at=T0, last_at=T0, count=4, claims=3, places=1, loud_at=T0)
CLOSED = replace(OPEN, closed_at=T0 + timedelta(hours=1), cause=Cause.STAFF)
AGAIN = Growth(severity=Severity.ALERT, first_at=LATER, last_at=LATER, count=1)
CROWD = Crowd(window=timedelta(days=1), askers=2)


def test_a_new_alert_is_news_and_counts_from_its_first_attempt() -> None:
    raised = GrowingAlert(severity=Severity.NOTE, first_at=T0, last_at=T0)
    first = Growth(severity=Severity.NOTE, first_at=T0, last_at=T0, count=1, claims=1, places=1)
    assert grow(raised, first) == (replace(raised, count=1, claims=1, places=1, loud_at=T0), False)


def test_more_of_the_same_is_counted_and_is_no_news() -> None:
    assert grow(OPEN, replace(AGAIN, claims=1)) == (replace(OPEN, last_at=LATER, count=5, claims=4), False)


def test_an_attempt_that_is_written_late_moves_the_beginning_and_not_the_end() -> None:
    before = T0 - timedelta(hours=1)
    grown, _ = grow(OPEN, replace(AGAIN, first_at=before, last_at=before))
    assert (grown.first_at, grown.last_at) == (before, T0)


def test_a_louder_attempt_is_news_and_a_quieter_one_changes_no_severity() -> None:
    louder, _ = grow(OPEN, replace(AGAIN, severity=Severity.HIGH))
    assert (louder.severity, louder.loud_at) == (Severity.HIGH, LATER)
    quieter, _ = grow(louder, replace(AGAIN, severity=Severity.NOTE))
    assert (quieter.severity, quieter.loud_at) == (Severity.HIGH, LATER)


def test_a_closed_alert_that_opens_again_is_news_and_has_no_cause() -> None:
    grown, opened_again = grow(CLOSED, replace(AGAIN, claims=1))
    assert opened_again
    assert (grown.closed_at, grown.cause, grown.loud_at) == (None, None, LATER)
    assert grown.count == CLOSED.count + 1


def test_a_closed_alert_counts_on_in_silence() -> None:
    grown, opened_again = grow(CLOSED, AGAIN)
    assert not opened_again
    assert (grown.closed_at, grown.cause, grown.loud_at) == (CLOSED.closed_at, Cause.STAFF, T0)
    assert grown.count == CLOSED.count + 1


@given(st.lists(st.tuples(st.sampled_from(list(Severity)), st.integers(0, 1), st.booleans()), max_size=12))
def test_severity_and_counts_never_fall(growths: list[tuple[Severity, int, bool]]) -> None:
    alert = CLOSED
    for severity, claims, of_looks in growths:
        grown, _ = grow(alert, replace(AGAIN, severity=severity, claims=claims, of_looks=of_looks))
        assert grown.severity.rank >= max(alert.severity.rank, severity.rank)
        assert (grown.count, grown.claims) == (alert.count + 1, alert.claims + claims)
        alert = grown


def test_a_crowd_makes_a_note_an_alert_and_nothing_quieter() -> None:
    behind = [Attempt(at=T0, place=Place(), mark=bytes([who])) for who in range(2)]
    for severity, louder in ((Severity.NOTE, Severity.ALERT), (Severity.HIGH, Severity.HIGH)):
        assert loudness(severity, CROWD, behind, T0) is louder
        assert loudness(severity, CROWD, behind[:1], T0) is loudness(severity, None, behind, T0) is severity
    assert wants_crowd(replace(OPEN, severity=Severity.NOTE), CROWD)
    assert not wants_crowd(OPEN, CROWD)
    assert not wants_crowd(replace(OPEN, severity=Severity.NOTE), None)
