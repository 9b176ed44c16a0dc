"""The alert list's filters, which live in the address: saved view, rule, batch, page."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlencode

from server.domain.alert import Rule, Severity
from server.services.dashboard import AlertFilter


class SavedView(StrEnum):
    """The views that stand beside the list; each includes the louder ones before it."""

    ACT = "act"
    LOOK = "look"
    ALL = "all"

    @property
    def words(self) -> str:
        """What the view is called."""
        return {"act": "Act now", "look": "Look at", "all": "Notes too"}[self]

    @property
    def least(self) -> Severity:
        """The least severity it shows."""
        return {"act": Severity.HIGH, "look": Severity.ALERT, "all": Severity.NOTE}[self]

    def counted(self, by_severity: Mapping[Severity, int]) -> int:
        """How many alerts it shows."""
        return sum(amount for severity, amount in by_severity.items() if severity.rank >= self.least.rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAddress:
    """What the list shows, as read from its address; anything unreadable counts as not given."""

    view: SavedView = SavedView.LOOK
    rule: Rule | None = None
    batch_row: int | None = None
    page: int = 1

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "ListAddress":
        """Read the query of the list's address."""
        view, rule = query.get("view", ""), query.get("rule", "")
        return cls(
            view=SavedView(view) if view in list(SavedView) else SavedView.LOOK,
            rule=Rule(rule) if rule in list(Rule) else None,
            batch_row=_whole(query.get("batch")),
            page=page_number(query),
        )

    @property
    def wanted(self) -> AlertFilter:
        """The service's filter for it."""
        return AlertFilter(rule=self.rule, severity=self.view.least, batch_row=self.batch_row)

    @property
    def query(self) -> str:
        """The address's query; what is the default is left out."""
        given = {
            "view": None if self.view is SavedView.LOOK else str(self.view),
            "rule": self.rule,
            "batch": self.batch_row,
            "page": self.page if self.page > 1 else None,
        }
        return urlencode({name: value for name, value in given.items() if value is not None})

    def with_view(self, view: SavedView) -> "ListAddress":
        """The same filters in another view, from its first page."""
        return replace(self, view=view, page=1)

    def with_page(self, page: int) -> "ListAddress":
        """Another page of the same list."""
        return replace(self, page=page)

    def with_rule(self, rule: Rule | None) -> "ListAddress":
        """Only this rule, or any."""
        return replace(self, rule=rule, page=1)

    def without_batch(self) -> "ListAddress":
        """Alerts of every batch."""
        return replace(self, batch_row=None, page=1)


def page_number(query: Mapping[str, str]) -> int:
    """The page asked for, from 1; anything unreadable is the first."""
    return max(_whole(query.get("page")) or 1, 1)


_MAX_DIGITS = 9  # no list has a thousand million rows


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None
