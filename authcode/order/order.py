"""Stage 1, batch: what is ordered, and the book that gives each order its batch number once (docs/format.md §2, §4).

The book lies under the issuer's part. An order keeps its number, key and time from the first attempt on, so that the
same order run again after a crash writes the same bytes, and another order of that name is refused.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import isfinite
from pathlib import Path

from authcode.code.payload import check_gtin
from authcode.order.key_use import check_cover
from keys.base.errors import AuthcodeError
from keys.base.files import exclusive_lock, make_private_dir, write_atomic
from keys.base.instants import format_instant, parse_instant, to_second
from keys.format.prefix import normalise_prefix
from keys.format.records import CodeKey, Form, Profile

MAX_ORDER_COUNT = 100_000_000
"""Units of one order: five times the largest single orders that are known, and a guard against a stray zero."""

LEVELS = ("L", "M", "Q", "H")
RECORD_FORMAT = "authcode-order-1"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class OrderInvalid(AuthcodeError):
    """An order that cannot be issued as it stands."""

    code = "order_invalid"
    sentence = "this order cannot be issued: {reason}"
    reason: str


class OrderConflict(AuthcodeError):
    """The name belongs to another order."""

    code = "order_conflict"
    http_status = 409
    sentence = (
        "order {order!r} of {reserved_at:%Y-%m-%d %H:%M} UTC has another {what}; "
        "choose another name, or repeat that order unchanged"
    )
    order: str
    reserved_at: datetime
    differs: tuple[str, ...]

    @property
    def what(self) -> str:
        """What differs, as a list in words."""
        return ", ".join(self.differs)


def is_order_name(text: str) -> bool:
    """Whether an order can bear this name."""
    return _NAME.fullmatch(text) is not None


class OrderRecordInvalid(AuthcodeError):
    """A record in the order book that cannot be read."""

    code = "order_record_invalid"
    sentence = "{path} is not a readable order record; restore it from a backup, do not delete it"
    path: Path


class Placement(StrEnum):
    """Where the burning code sits; it decides what may be said of the product."""

    VISIBLE = "visible"
    INSIDE = "inside"
    SCRATCH = "scratch"


class Tiers(StrEnum):
    """One code a unit, or a pair on one unit: an outer one to look at and an inner one to verify."""

    SINGLE = "single"
    PAIR = "pair"


class DrawnBy(StrEnum):
    """Who draws the symbols: we, or the press from our CSV."""

    AUTHCODE = "authcode"
    PRESS = "press"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order, validated.

    `count` is units (a pair is one unit), `label_mm` the symbol's width with its quiet zone, `prefix` where the codes
    lead (None: where the newest fitting key leads).
    """

    name: str
    count: int
    placement: Placement
    form: Form = Form.SHORT
    profile: Profile = Profile.SIGNED
    tiers: Tiers = Tiers.SINGLE
    drawn_by: DrawnBy = DrawnBy.AUTHCODE
    level: str = "M"
    label_mm: float | None = None
    product: str | None = None
    gtin: str | None = None
    prefix: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be issued (`OrderInvalid`, `GtinInvalid`)."""
        if not _NAME.fullmatch(self.name):
            raise OrderInvalid(
                f"its name {self.name[:80]!r} takes 1 to 64 letters, digits, dots, hyphens and underscores, "
                "as in spring-1"
            )
        if not 1 <= self.count <= MAX_ORDER_COUNT:
            raise OrderInvalid(f"{self.count} units; it takes 1 to {MAX_ORDER_COUNT}")
        if self.level not in LEVELS:
            raise OrderInvalid(f"level {self.level!r}; it takes {', '.join(LEVELS)}")
        if self.label_mm is not None and not (isfinite(self.label_mm) and self.label_mm > 0):
            raise OrderInvalid(f"a label of {self.label_mm} mm; it takes a positive width")
        if self.prefix is not None and normalise_prefix(self.prefix) != self.prefix:
            raise OrderInvalid("its prefix is not written as in the keyring")
        self._check_combination()

    def _check_combination(self) -> None:
        if self.profile is Profile.COMPACT and self.form is Form.GS1:
            raise OrderInvalid("a compact code has the short form only; order --profile signed or --form short")
        if self.tiers is Tiers.PAIR and self.placement is Placement.VISIBLE:
            raise OrderInvalid("the inner code of a pair is hidden; say --placement inside or scratch")
        if self.form is Form.GS1 and self.gtin is None:
            raise OrderInvalid("a GS1 Digital Link needs a GTIN; name a product that has one with --product")
        if self.gtin is not None and (self.form is not Form.GS1 or check_gtin(self.gtin) != self.gtin):
            raise OrderInvalid("a GTIN stands in the GS1 form only, as fourteen digits")

    @property
    def risk(self) -> str | None:
        """What whoever orders has to know about the placement, or None."""
        if self.placement is not Placement.VISIBLE:
            return None
        return (
            "anybody in the shop can copy a visible code, or verify it before it is bought; only a hidden one "
            "(--placement inside or scratch) says something of the product"
        )

    @property
    def codes(self) -> int:
        """Number of codes: one a unit, two for pairs."""
        return self.count * (2 if self.tiers is Tiers.PAIR else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What an order was given at its first attempt, and where it lies once it is issued.

    `contents` is everything that must be the same when the order is repeated; `begun` is the folder that the latest
    run was to fill, so that what is left of a killed one is found; `announced` that somebody may have heard of the
    batch, so that it must never get another number. Times are UTC.
    """

    name: str
    contents: Mapping[str, str]
    batch_number: int
    key_id: str
    reserved_at: datetime
    out: Path | None = None
    begun: Path | None = None
    announced: bool = False


def order_contents(order: Order, *, formats: tuple[str, ...], logo_sha256: str | None) -> dict[str, str]:
    """Everything that makes two orders of one name the same order, as text for text comparison."""
    fields = {field: str(value) for field, value in asdict(order).items() if value is not None}
    return fields | {"formats": ",".join(formats)} | ({"logo": logo_sha256} if logo_sha256 else {})


class OrderBook:
    """The orders of one issuer, one record a name (`HOME/issuer/orders/`)."""

    def __init__(self, directory: Path) -> None:
        """Use a folder, which is made when the first order is written."""
        self._directory = directory

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Keep every other process off this order while the block runs; wait for one that holds it."""
        make_private_dir(self._directory)
        with exclusive_lock(self._path(name, "lock")):
            yield

    def find(self, name: str) -> Reservation | None:
        """Read the record of a name, None where the name is free.

        Raises:
            OrderRecordInvalid: the record cannot be read.
        """
        try:
            return self._read(self._path(name, "json"))
        except FileNotFoundError:
            return None

    def reserve(
        self, name: str, contents: Mapping[str, str], *, key: CodeKey, now: datetime, out: Path | None = None
    ) -> Reservation:
        """Find or make the reservation of an order to be written to `out`; call it while `hold` keeps the name.

        Raises:
            OrderConflict: the name belongs to an order with other contents.
            KeyUsedUp: the order is new, and the key covers no further one.
        """
        known = self.find(name)
        if known is None:
            make_private_dir(self._directory)
            with exclusive_lock(self._directory / "book.lock"):  # counted and written by one at a time
                check_cover(key, orders=len(self.orders_of(key.key_id)), now=now)
                reservation = Reservation(
                    name=name,
                    contents=dict(contents),
                    batch_number=self._next_number(),
                    key_id=key.key_id,
                    reserved_at=to_second(now),
                    begun=out,
                )
                self._write(reservation)
            return reservation
        differs = {key for key, _ in known.contents.items() ^ contents.items()}
        if differs:
            raise OrderConflict(known.name, known.reserved_at, tuple(sorted(differs)))
        return known

    def orders_of(self, key_id: str) -> list[Reservation]:
        """The orders that a key signs or signed.

        Raises:
            OrderRecordInvalid: a record cannot be read.
        """
        records = (self._read(path) for path in sorted(self._directory.glob("order-*.json")))
        return [record for record in records if record.key_id == key_id]

    def release(self, reservation: Reservation) -> None:
        """Free the name of an order that nobody heard of and nothing is left of; its number is not given again."""
        self._path(reservation.name, "json").unlink(missing_ok=True)

    def mark_begun(self, reservation: Reservation, out: Path) -> Reservation:
        """Remember which folder is going to be filled, before anything is written there."""
        begun = replace(reservation, begun=out)
        self._write(begun)
        return begun

    def mark_announced(self, reservation: Reservation) -> Reservation:
        """Remember, before anybody is told of the batch, that somebody may have heard of it."""
        announced = replace(reservation, announced=True)
        self._write(announced)
        return announced

    def mark_issued(self, reservation: Reservation, out: Path) -> Reservation:
        """Remember where the finished order lies."""
        issued = replace(reservation, out=out)
        self._write(issued)
        return issued

    def _path(self, name: str, kind: str) -> Path:
        # One spelling on every file system: two names that differ only in case are the same name.
        return self._directory / f"order-{name.lower()}.{kind}"

    def _read(self, path: Path) -> Reservation:
        try:
            return _read_record(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError):
            raise OrderRecordInvalid(path) from None

    def _next_number(self) -> int:
        counter = self._directory / "next-batch-number"
        try:
            number = int(counter.read_text(encoding="ascii")) if counter.exists() else 1
        except ValueError:
            raise OrderRecordInvalid(counter) from None
        write_atomic(counter, f"{number + 1}\n".encode("ascii"))
        return number

    def _write(self, reservation: Reservation) -> None:
        record = {
            "format": RECORD_FORMAT,
            "name": reservation.name,
            "contents": dict(reservation.contents),
            "batch_number": reservation.batch_number,
            "key_id": reservation.key_id,
            "reserved_at": format_instant(reservation.reserved_at),
            "out": str(reservation.out) if reservation.out else None,
            "begun": str(reservation.begun) if reservation.begun else None,
            "announced": reservation.announced,
        }
        text = json.dumps(record, indent=1, sort_keys=True) + "\n"
        write_atomic(self._path(reservation.name, "json"), text.encode("utf-8"))


def _read_record(record: dict[str, object]) -> Reservation:
    contents, number, out = record["contents"], record["batch_number"], record["out"]
    begun = record.get("begun")  # records of before have none
    if record["format"] != RECORD_FORMAT or not isinstance(contents, dict) or not isinstance(number, int):
        raise ValueError("not an order record of this format")
    return Reservation(
        name=str(record["name"]),
        contents={str(key): str(value) for key, value in contents.items()},
        batch_number=number,
        key_id=str(record["key_id"]),
        reserved_at=parse_instant(str(record["reserved_at"])),
        out=Path(str(out)) if out else None,
        begun=Path(str(begun)) if begun else None,
        announced=record.get("announced") is not False,  # a record of before may have been announced: nobody noted it
    )
