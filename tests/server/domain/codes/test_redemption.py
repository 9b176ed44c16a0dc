"""Who is the holder of a redemption."""

from datetime import UTC, datetime

import pytest

from server.domain.codes.redemption import Marks, Redemption, is_holder

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FIRST = Redemption(at=NOW, country="KR", region="11", claim_hash=b"c" * 16, holder_hash=b"h" * 16)


@pytest.mark.parametrize(
    ("marks", "holds"),
    [
        (Marks(claim_hash=b"c" * 16), True),
        (Marks(holder_hash=b"h" * 16), True),
        (Marks(claim_hash=b"x" * 16, holder_hash=b"h" * 16), True),
        (Marks(claim_hash=b"x" * 16, holder_hash=b"y" * 16), False),
        (Marks(), False),
    ],
)
def test_either_hash_makes_the_holder(marks: Marks, *, holds: bool) -> None:
    assert is_holder(FIRST, marks) is holds
