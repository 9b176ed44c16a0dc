# ruff: noqa: ANN401 - fixtures' classes live in conftest, which tests cannot import
"""A signing key covers a year or 100 orders: warned before, refused after, and one command away from the next."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authcode.order.book import OrderBook, order_contents
from authcode.order.fulfil import Delivery, fulfil_order
from authcode.order.key_use import KeyUsedUp, check_cover, cover_warning
from authcode.order.order import Order, Placement
from keys.format.records import Form, Profile
from keys.store.issuer import UnlockedIssuer

REMEDY = "authcode keys rotate --profile signed --form short --prefix https://v.example.com/"


@pytest.mark.parametrize(
    ("orders", "days", "warned", "refused"),
    [
        (0, 0, None, None),
        (89, 334, None, None),
        (90, 0, "90 of 100 orders", None),
        (99, 0, "99 of 100 orders", None),
        (0, 335, "until 2027-03-01", None),
        (0, 364, "until 2027-03-01", None),
        (100, 0, "100 of 100", "has signed 100 orders"),
        (0, 365, "until 2027-03-01", "more than a year old"),
    ],
)
def test_a_key_warns_near_its_end_and_refuses_after_it(  # noqa: PLR0913, PLR0917 - one argument a column
    key_record: Any, now: datetime, orders: int, days: int, warned: str | None, refused: str | None
) -> None:
    key, later = key_record("K1", Profile.SIGNED, Form.SHORT), now + timedelta(days=days)
    told = cover_warning(key, orders=orders, now=later)
    assert (told is None) == (warned is None)
    assert told is None or (warned or "") in told
    assert told is None or REMEDY in told
    if refused is None:
        check_cover(key, orders=orders, now=later)
        return
    with pytest.raises(KeyUsedUp, match=refused) as caught:
        check_cover(key, orders=orders, now=later)
    assert REMEDY in str(caught.value)


def test_a_compact_key_signs_nothing_and_has_no_such_bound(key_record: Any, now: datetime) -> None:
    key = key_record("K3", Profile.COMPACT, Form.SHORT)
    check_cover(key, orders=1000, now=now + timedelta(days=1000))
    assert cover_warning(key, orders=1000, now=now + timedelta(days=1000)) is None


def _order(name: str) -> Order:
    return Order(name=name, count=1, placement=Placement.INSIDE)


def test_the_hundredth_order_is_the_last_and_a_rotated_key_takes_the_next(
    issuer: UnlockedIssuer, tmp_path: Path, now: datetime
) -> None:
    keyring = issuer.keyring.keyring
    key = keyring.key_for(form=Form.SHORT, profile=Profile.SIGNED)
    book = OrderBook(issuer.home / "issuer" / "orders")
    for number in range(99):
        contents = order_contents(_order(f"order-{number}"), formats=("csv",), logo_sha256=None)
        book.reserve(f"order-{number}", contents, key=key, now=now)

    def issue(name: str) -> Any:
        return fulfil_order(issuer, _order(name), Delivery(out=tmp_path / name, formats=("csv",)), now=now)

    last = issue("last")
    assert (last.key_id, "100 of 100" in str(last.warning)) == (key.key_id, True)
    with pytest.raises(KeyUsedUp):
        issue("one-more")
    assert not (tmp_path / "one-more").exists()
    assert not issue("last").written  # the same order again is no new one
    new, _retired = issuer.rotate_code_key(
        profile=Profile.SIGNED, form=Form.SHORT, prefix=key.prefix, now=now + timedelta(seconds=1)
    )
    further = issue("one-more")
    assert (further.key_id, further.warning) == (new.key_id, None)


def test_an_order_begun_in_time_may_be_finished_after_the_year(
    issuer: UnlockedIssuer, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = now + timedelta(days=400)
    with monkeypatch.context() as patch:
        patch.setattr("authcode.order.fulfil.announce_batch", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(OSError, match="power cut"):
            fulfil_order(issuer, _order("begun"), Delivery(out=tmp_path / "begun", formats=("csv",)), now=now)
    assert fulfil_order(issuer, _order("begun"), Delivery(out=tmp_path / "begun", formats=("csv",)), now=late).written
    with pytest.raises(KeyUsedUp, match="year"):
        fulfil_order(issuer, _order("late"), Delivery(out=tmp_path / "late", formats=("csv",)), now=late)
