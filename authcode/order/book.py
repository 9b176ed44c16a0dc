"""Stage 1, batch: the order book, which gives each order its batch number once (docs/format.md §2, §4).

It is part of the issuer's part. An order keeps its number, key and time from the first attempt on, so that the same
order run again after a crash writes the same bytes, and another order of that name is refused.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

from authcode.order.key_use import check_cover
from authcode.order.order import Order
from keys.base.errors import AuthcodeError
from keys.base.files import exclusive_lock, make_private_dir, write_atomic
from keys.base.home import issuer_dir
from keys.base.instants import format_instant, parse_instant, to_second
from keys.format.records import CodeKey

RECORD_FORMAT = "authcode-order-1"


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
        """The differing fields, as a list."""
        return ", ".join(self.differs)


class OrderRecordInvalid(AuthcodeError):
    """A record in the order book that cannot be read."""

    code = "order_record_invalid"
    sentence = "{path} is not a readable order record; restore it from a backup, do not delete it"
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The number, key and time that an order gets at its first attempt, and its folder `out` once it is issued.

    `contents` is everything that must be the same when the order is repeated; `begun` is the folder of the latest run,
    so that the remains of a killed one are found; an `announced` batch must never get another number. Times are UTC.
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
    """The fields that two orders of one name must share to be the same order, as texts."""
    fields = {field: str(value) for field, value in asdict(order).items() if value is not None}
    return fields | {"formats": ",".join(formats)} | ({"logo": logo_sha256} if logo_sha256 else {})


class OrderBook:
    """The orders of one issuer, one record a name (`HOME/issuer/orders/`)."""

    def __init__(self, directory: Path) -> None:
        """Use a folder, which is made when the first order is written."""
        self._directory = directory

    @classmethod
    def of(cls, home: Path) -> Self:
        """The order book of a home."""
        return cls(issuer_dir(home) / "orders")

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Lock this order for the block, waiting for another process that has it."""
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
        """Find or make the reservation of an order to be written to `out`; call it under `lock`.

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
        """Free the name of an order that was not announced and left nothing; its number is not given again."""
        self._path(reservation.name, "json").unlink(missing_ok=True)

    def update(self, reservation: Reservation, **changes: Path | bool) -> Reservation:
        """Record `begun` before anything is written there, `announced` before it is, or `out` when it is finished."""
        # mypy checks each field against the type of all values; the callers pass paths and flags to the right ones.
        changed = replace(reservation, **changes)  # type: ignore[arg-type]
        self._write(changed)
        return changed

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
        instant = format_instant(reservation.reserved_at)
        record = {"format": RECORD_FORMAT, **asdict(reservation), "reserved_at": instant}
        text = json.dumps(record, indent=1, sort_keys=True, default=str) + "\n"
        write_atomic(self._path(reservation.name, "json"), text.encode("utf-8"))


def _read_record(record: dict[str, object]) -> Reservation:
    contents, number, out, begun = (record[name] for name in ("contents", "batch_number", "out", "begun"))
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
        announced=record["announced"] is not False,
    )
