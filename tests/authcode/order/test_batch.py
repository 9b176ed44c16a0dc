"""Orders, and the book that gives each its number once."""

import multiprocessing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authcode.code.payload import GtinInvalid
from authcode.order.book import OrderBook, OrderConflict, OrderRecordInvalid, order_contents
from authcode.order.order import MAX_ORDER_COUNT, Order, OrderInvalid, Placement, Tiers
from keys.format.records import CodeKey, Form, KeyState, Profile
from keys.primitives import SigningKey

GTIN = "09506000134352"
KEY = CodeKey(
    key_id="K1",
    profile=Profile.SIGNED,
    form=Form.SHORT,
    prefix="HTTPS://V.EXAMPLE.COM/",
    serial_key=1,
    state=KeyState.ACTIVE,
    since=datetime(2026, 3, 1, 8, 30, tzinfo=UTC),
    public_key=SigningKey(b"\x01" * 32).public_key,
)


def _order(**changes: Any) -> Order:  # noqa: ANN401 - any field of an order
    return Order(**{"name": "spring", "count": 24, "placement": Placement.INSIDE, **changes})


def _contents(order: Order) -> dict[str, str]:
    return order_contents(order, formats=("csv",), logo_sha256=None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "name"),
        ({"name": "../etc"}, "name"),
        ({"name": ".hidden"}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "é"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "spring\n"}, "name"),
        ({"count": 0}, "0 units"),
        ({"count": -1}, "-1 units"),
        ({"count": MAX_ORDER_COUNT + 1}, "it takes 1 to"),
        ({"level": "X"}, "level"),
        ({"label_mm": 0.0}, "positive width"),
        ({"label_mm": float("nan")}, "positive width"),
        ({"label_mm": float("inf")}, "positive width"),
        ({"profile": Profile.COMPACT, "form": Form.GS1, "gtin": GTIN}, "short form only"),
        ({"tiers": Tiers.PAIR, "placement": Placement.VISIBLE}, "hidden"),
        ({"form": Form.GS1}, "needs a GTIN"),
        ({"gtin": GTIN}, "GS1 form only"),
        ({"prefix": "https://v.example.com"}, "not written as in the keyring"),
        ({"form": Form.GS1, "gtin": "9506000134352"}, "fourteen digits"),
    ],
)
def test_an_order_that_cannot_be_issued_says_why(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(OrderInvalid, match=said) as caught:
        _order(**changes)
    assert caught.value.reason in str(caught.value)


def test_a_wrong_gtin_is_named() -> None:
    with pytest.raises(GtinInvalid):
        _order(form=Form.GS1, gtin="09506000134353")


def test_a_pair_has_two_codes_a_unit() -> None:
    assert _order().codes == 24
    assert _order(tiers=Tiers.PAIR).codes == 48


def test_only_a_visible_code_carries_the_risk() -> None:
    assert "copy" in str(_order(placement=Placement.VISIBLE).risk)
    assert _order().risk is None
    assert _order(placement=Placement.SCRATCH).risk is None


def test_orders_are_numbered_in_turn_and_remembered(tmp_path: Path, now: datetime) -> None:
    book = OrderBook(tmp_path / "orders")
    assert book.find("spring") is None
    first = book.reserve("spring", _contents(_order()), key=KEY, now=now)
    second = book.reserve("autumn", _contents(_order(name="autumn")), key=KEY, now=now)
    assert (first.batch_number, second.batch_number) == (1, 2)
    assert book.find("spring") == first


def test_the_same_order_keeps_number_key_and_time(tmp_path: Path, now: datetime) -> None:
    book = OrderBook(tmp_path)
    first = book.reserve("spring", _contents(_order()), key=KEY, now=now)
    again = book.reserve("spring", _contents(_order()), key=replace(KEY, key_id="K9"), now=now + timedelta(days=1))
    assert again == first
    issued = book.update(first, out=tmp_path / "out")
    assert book.reserve("spring", _contents(_order()), key=KEY, now=now) == issued
    assert issued.out == tmp_path / "out"


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (_order(count=25), "count"),
        (_order(placement=Placement.SCRATCH), "placement"),
        (_order(product="tea"), "product"),
        (_order(level="Q", label_mm=30.0), "label_mm, level"),
        (_order(name="SPRING"), "name"),
    ],
)
def test_another_order_of_the_same_name_is_a_conflict_that_says_what_differs(
    tmp_path: Path, now: datetime, other: Order, differs: str
) -> None:
    book = OrderBook(tmp_path)
    book.reserve("spring", _contents(_order()), key=KEY, now=now)
    with pytest.raises(OrderConflict, match=f"another {differs};") as caught:
        book.reserve(other.name, _contents(other), key=KEY, now=now)
    assert (caught.value.order, caught.value.http_status) == ("spring", 409)
    assert caught.value.reserved_at == now


def test_other_formats_or_another_logo_are_another_order() -> None:
    plain = order_contents(_order(), formats=("csv",), logo_sha256=None)
    assert plain != order_contents(_order(), formats=("csv", "pdf"), logo_sha256=None)
    assert plain != order_contents(_order(), formats=("csv",), logo_sha256="ab" * 32)


def test_a_released_name_is_free_but_its_number_is_gone(tmp_path: Path, now: datetime) -> None:
    book = OrderBook(tmp_path)
    book.release(book.reserve("spring", _contents(_order()), key=KEY, now=now))
    again = book.reserve("spring", _contents(_order(count=5)), key=KEY, now=now)
    assert again.batch_number == 2


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": "x"}', '{"format": "authcode-order-1", "contents": 1, "batch_number": 1, "out": 1}'],
)
def test_a_damaged_record_is_named_and_never_overwritten(tmp_path: Path, now: datetime, text: str) -> None:
    book = OrderBook(tmp_path)
    record = tmp_path / "order-spring.json"
    record.write_text(text)
    with pytest.raises(OrderRecordInvalid) as caught:
        book.reserve("spring", _contents(_order()), key=KEY, now=now)
    assert caught.value.path == record
    assert record.read_text() == text


@pytest.mark.parametrize("text", ["", "two", "9" * 5000])
def test_a_damaged_counter_of_batches_is_named_and_never_overwritten(tmp_path: Path, now: datetime, text: str) -> None:
    counter = tmp_path / "next-batch-number"
    counter.write_text(text)
    with pytest.raises(OrderRecordInvalid) as caught:
        OrderBook(tmp_path).reserve("spring", _contents(_order()), key=KEY, now=now)
    assert (caught.value.path, counter.read_text()) == (counter, text)


def _reserve(directory: Path, name: str, now: datetime, barrier: Any, answers: Any) -> None:  # noqa: ANN401 - multiprocessing's own
    book = OrderBook(directory)
    barrier.wait()
    with book.lock(name):
        answers.put(book.reserve(name, _contents(_order(name=name)), key=KEY, now=now).batch_number)


def test_processes_that_reserve_at_once_get_numbers_of_their_own(tmp_path: Path, now: datetime) -> None:
    context = multiprocessing.get_context("fork")
    names = ["a", "b", "c", "a", "b", "c"]
    barrier, answers = context.Barrier(len(names)), context.Queue()
    workers = [context.Process(target=_reserve, args=(tmp_path, name, now, barrier, answers)) for name in names]
    for worker in workers:
        worker.start()
    numbers = sorted(answers.get(timeout=20) for _ in names)
    for worker in workers:
        worker.join()
    assert numbers == [1, 1, 2, 2, 3, 3]
