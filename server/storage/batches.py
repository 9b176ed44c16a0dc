"""Stage 1, batch: one row for each registered batch, and one for each act on a range of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from server.domain.batches.range_act import ActDetails, ActKind, RangeAct
from server.storage.engine import count_rows, insert_row
from server.storage.schema import batch, range_act


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """A registered batch. `row` is the server's own number for it, `number` the brand's; `brand` a stored reference."""

    row: int
    brand: int
    number: int
    order_name: str
    product_sku: str | None
    count: int
    tiers: str
    profile: str
    form: str
    gtin: str | None
    key_id: str
    placement: str
    drawn_by: str
    issued_at: datetime
    registered_at: datetime


_COLUMNS = [batch.c[name] for name in BatchRecord.__slots__]
_BY_ROW = sa.select(*_COLUMNS).where(batch.c.row == sa.bindparam("row"))
_BY_NUMBER = sa.select(*_COLUMNS).where(
    (batch.c.brand == sa.bindparam("brand")) & (batch.c.number == sa.bindparam("number"))
)
_COVERING = (
    sa.select(range_act)
    .where(
        (range_act.c.batch_row == sa.bindparam("row"))
        & (range_act.c.first <= sa.bindparam("index"))
        & (range_act.c.last >= sa.bindparam("index"))
    )
    .order_by(range_act.c.number)
)


def _all(
    connection: sa.Connection, query: sa.Select[Any], values: Mapping[str, int] | None = None
) -> list[BatchRecord]:
    return [BatchRecord(**row) for row in connection.execute(query, values).mappings()]


def batch_by_row(connection: sa.Connection, row: int) -> BatchRecord | None:
    """The batch with the server's own number."""
    return next(iter(_all(connection, _BY_ROW, {"row": row})), None)


def batch_by_number(connection: sa.Connection, brand: int, number: int) -> BatchRecord | None:
    """The batch with its brand's number."""
    return next(iter(_all(connection, _BY_NUMBER, {"brand": brand, "number": number})), None)


def batches_by_order(connection: sa.Connection, order_name: str) -> list[BatchRecord]:
    """The batches of this order name: one for each brand that has used it."""
    return _all(connection, sa.select(*_COLUMNS).where(batch.c.order_name == order_name))


def latest_batches(
    connection: sa.Connection, *, limit: int, offset: int = 0, brand: int | None = None
) -> list[BatchRecord]:
    """A page of the batches, of one brand where it is named, the latest registered first."""
    query = sa.select(*_COLUMNS).where(_of_brand(brand)).order_by(batch.c.row.desc()).limit(limit).offset(offset)
    return _all(connection, query)


def count_batches(connection: sa.Connection, *, brand: int | None = None) -> int:
    """How many batches are registered, of one brand where it is named."""
    return count_rows(connection, batch, _of_brand(brand))


def _of_brand(brand: int | None) -> sa.ColumnElement[bool]:
    return sa.true() if brand is None else batch.c.brand == brand


def batches_by_rows(connection: sa.Connection, rows: Collection[int]) -> Mapping[int, BatchRecord]:
    """The batches with these numbers of the server's own."""
    return {found.row: found for found in _all(connection, sa.select(*_COLUMNS).where(batch.c.row.in_(rows)))}


def batches_of_key(connection: sa.Connection, brand: int, key_id: str) -> list[BatchRecord]:
    """The batches whose codes a key signed, in the order in which they were registered."""
    query = sa.select(*_COLUMNS).where((batch.c.brand == brand) & (batch.c.key_id == key_id)).order_by(batch.c.row)
    return _all(connection, query)


def registered_manifests(
    connection: sa.Connection, brand: int, *, number: int, order_name: str
) -> list[tuple[BatchRecord, bytes]]:
    """The batches registered under this number or order name, with the exact bytes of their manifests."""
    taken = (batch.c.brand == brand) & ((batch.c.number == number) | (batch.c.order_name == order_name))
    rows = connection.execute(sa.select(batch.c.manifest, *_COLUMNS).where(taken))
    return [(BatchRecord(**dict(zip(BatchRecord.__slots__, values, strict=True))), raw) for raw, *values in rows]


def add_batch(connection: sa.Connection, *, manifest: bytes, **values: object) -> int:
    """Register a batch; its row number."""
    return insert_row(connection, batch.insert(), {"manifest": manifest, **values})


def add_act(connection: sa.Connection, row: int, act: RangeAct) -> RangeAct:
    """Store an act on a range of a batch; the act with its number."""
    values = asdict(act) | asdict(act.details) | {"markets": list(act.details.markets), "batch_row": row}
    del values["details"], values["number"]
    return replace(act, number=insert_row(connection, range_act.insert(), values))


def _acts(rows: Iterable[sa.RowMapping]) -> list[RangeAct]:
    found = []
    for row in rows:
        values = {**row, "kind": ActKind(row["kind"]), "markets": tuple(row["markets"])}
        details = ActDetails(**{name: values.pop(name) for name in ActDetails.__slots__})
        del values["batch_row"]
        found.append(RangeAct(**values, details=details))
    return found


def acts_by_batch(connection: sa.Connection, rows: Collection[int]) -> Mapping[int, list[RangeAct]]:
    """All acts on each of these batches, in the order they were made."""
    query = sa.select(range_act).where(range_act.c.batch_row.in_(rows)).order_by(range_act.c.number)
    found: dict[int, list[sa.RowMapping]] = {row: [] for row in rows}
    for row in connection.execute(query).mappings():
        found[row["batch_row"]].append(row)
    return {row: _acts(acts) for row, acts in found.items()}


def acts_of(connection: sa.Connection, row: int) -> list[RangeAct]:
    """All acts on a batch, in the order they were made."""
    return acts_by_batch(connection, [row])[row]


def last_act(connection: sa.Connection, row: int) -> RangeAct | None:
    """The latest act on a batch."""
    query = sa.select(range_act).where(range_act.c.batch_row == row).order_by(range_act.c.number.desc()).limit(1)
    return next(iter(_acts(connection.execute(query).mappings())), None)


def acts_covering(connection: sa.Connection, row: int, index: int) -> list[RangeAct]:
    """The acts whose range includes an index, in the order they were made."""
    return _acts(connection.execute(_COVERING, {"row": row, "index": index}).mappings())
