"""A page of a list that the dashboard or the interface shows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

PAGE_SIZE = 50

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[_Row]):
    """The rows of one page, of `total` in the list. `page` counts from 1."""

    rows: tuple[_Row, ...]
    total: int
    page: int
    pages: int


def page_of(page: int, total: int, read: Callable[[int, int], tuple[_Row, ...]]) -> Page[_Row]:
    """One page of a list of `total` rows, the last for a page beyond it; `read` takes the limit and the offset."""
    pages = max(1, -(-total // PAGE_SIZE))
    shown = min(max(1, page), pages)
    return Page(rows=read(PAGE_SIZE, (shown - 1) * PAGE_SIZE), total=total, page=shown, pages=pages)
