"""When a closed alert opens again, case by case."""

from datetime import UTC, datetime, timedelta

import pytest

from server.domain.alerts.reopen import reopens

CLOSED_AT = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
BEFORE, AFTER = CLOSED_AT - timedelta(hours=1), CLOSED_AT + timedelta(hours=2)


@pytest.mark.parametrize(
    ("is_louder", "claims", "looks_since", "opens"),
    [
        (False, 0, None, False),
        (False, 1, None, True),
        (True, 0, None, True),
        (False, 0, AFTER, True),
        (False, 0, CLOSED_AT, False),
        (False, 0, BEFORE, False),
        (True, 0, BEFORE, True),
    ],
    ids=str,
)
def test_it_opens_again_for_somebody_new_for_a_later_storm_or_when_it_is_louder(
    *, is_louder: bool, claims: int, looks_since: datetime | None, opens: bool
) -> None:
    assert reopens(CLOSED_AT, is_louder=is_louder, claims=claims, looks_since=looks_since) is opens
