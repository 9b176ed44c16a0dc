"""A page of a list that the dashboard or the interface shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

PAGE_SIZE = 50

_Record = TypeVar("_Record")
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage(Generic[_Row]):
    """The rows of one page, of `total` in the list. `page` counts from 1."""

    rows: tuple[_Row, ...]
    total: int
    page: int
    pages: int


def page_of(
    page: int,
    total: int,
    read: Callable[..., Sequence[_Record]],
    rows_of: Callable[[Sequence[_Record]], tuple[_Row, ...]],
) -> ListPage[_Row]:
    """One page of a list of `total` rows, the last for a page beyond it.

    `read` takes `limit` and `offset` and gives the stored records, `rows_of` their rows.
    """
    pages = max(1, -(-total // PAGE_SIZE))
    shown = min(max(1, page), pages)
    rows = rows_of(read(limit=PAGE_SIZE, offset=(shown - 1) * PAGE_SIZE))
    return ListPage(rows=rows, total=total, page=shown, pages=pages)
