"""The filters of the dashboard's lists, which live in the address: saved view, rule, batch, code, order, page."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from server.domain.alerts.alert import AlertFilter, Severity
from server.domain.alerts.rules import all_rules
from server.domain.alerts.triage import Pile
from server.domain.codes.unit import Unit
from server.web.catalogue import catalogue


class SavedView(StrEnum):
    """The views next to the list of alerts. All but the last three show what is neither closed nor put off."""

    ACT = "act"
    LOOK = "look"
    NOTES = "notes"
    MINE = "mine"
    SNOOZED = "snoozed"
    CLOSED = "closed"
    ALL = "all"

    @property
    def words(self) -> str:
        """The name of the view."""
        return catalogue("staff").text(f"view.{self}") or str(self)

    @property
    def ranked(self) -> bool:
        """Whether its rows are by severity and people unless another order is chosen."""
        return self not in (SavedView.SNOOZED, SavedView.CLOSED, SavedView.ALL)

    def shown(self, me: int) -> AlertFilter:
        """The alerts that it shows to the account of this number."""
        return _VIEWS[self] if self is not SavedView.MINE else AlertFilter(pile=Pile.OPEN, owner=me)


_VIEWS = {
    SavedView.ACT: AlertFilter(pile=Pile.OPEN, severity=Severity.HIGH),
    SavedView.LOOK: AlertFilter(pile=Pile.OPEN, severity=Severity.ALERT),
    SavedView.NOTES: AlertFilter(pile=Pile.OPEN, loudest=Severity.NOTE),
    SavedView.SNOOZED: AlertFilter(pile=Pile.SNOOZED),
    SavedView.CLOSED: AlertFilter(pile=Pile.CLOSED),
    SavedView.ALL: AlertFilter(),
}


_ORDERS = ("rank", "latest")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAddress:
    """The filters of the list of alerts, as read from its address; anything unreadable counts as not given."""

    view: SavedView = SavedView.LOOK
    rule: str | None = None
    batch_row: int | None = None
    unit_id: int | None = None
    order: str | None = None
    page: int = 1

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "ListAddress":
        """Read the query of the list's address."""
        view, rule, order = query.get("view", ""), query.get("rule", ""), query.get("order", "")
        return cls(
            view=SavedView(view) if view in list(SavedView) else SavedView.LOOK,
            rule=rule if rule in {one.name for one in all_rules()} else None,
            batch_row=whole_number(query.get("batch")),
            unit_id=_unit_id(query.get("code")),
            order=order if order in _ORDERS else None,
            page=page_number(query),
        )

    @property
    def ranked(self) -> bool:
        """Whether the highest severity and the most people come first, rather than the latest."""
        return self.view.ranked if self.order is None else self.order == "rank"

    def narrowed(self, shown: AlertFilter) -> AlertFilter:
        """The filter of a view, with this address's other filters."""
        unit = None if self.unit_id is None else Unit.of_id(self.unit_id)
        return replace(shown, rule=self.rule, batch_row=self.batch_row, unit=unit)

    def wanted(self, me: int) -> AlertFilter:
        """The service's filter for it, for the account of this number."""
        return replace(self.narrowed(self.view.shown(me)), ranked=self.ranked)

    @property
    def sums_up_week(self) -> bool:
        """Whether its empty list sums up the week: the views of what is to be acted on, without filters."""
        return self.view in {SavedView.ACT, SavedView.LOOK} and not self.is_filtered

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the view is chosen."""
        return any(chosen is not None for chosen in (self.rule, self.batch_row, self.unit_id))

    @property
    def query(self) -> str:
        """The address's query; what is the default is left out."""
        given = {
            "view": None if self.view is SavedView.LOOK else str(self.view),
            "rule": self.rule,
            "batch": self.batch_row,
            "code": self.unit_id,
            "order": self.order,
            "page": self.page if self.page > 1 else None,
        }
        return urlencode({name: value for name, value in given.items() if value is not None})

    def to(self, **changes: Any) -> "ListAddress":  # noqa: ANN401 - fields of this class
        """The list with other filters, from its first page unless `page` is among them."""
        return replace(self, **{"page": 1, **changes})


def page_number(query: Mapping[str, str]) -> int:
    """The requested page, from 1; anything unreadable is the first."""
    return max(whole_number(query.get("page")) or 1, 1)


def country_of(query: Mapping[str, str]) -> str | None:
    """The requested country (two letters, or `unknown`); None for anything else."""
    wanted = query.get("country", "")
    is_code = len(wanted) == _COUNTRY_LETTERS and wanted.isascii() and wanted.isalpha()
    return wanted.upper() if is_code else wanted if wanted == "unknown" else None


def moment_of(text: str) -> datetime | None:
    """A moment as an address carries it, in ISO 8601 with its zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo and _FIRST <= moment <= _LAST else None


def day_of(text: str) -> date | None:
    """A day as a form or an address has it; None for anything else, and for one that is out of range in some zone."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _FIRST.date() <= day <= _LAST.date() else None


def whole_number(text: str | None, *, digits: int = 9) -> int | None:
    """A number of at most this many digits (no list has a thousand million rows); None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= digits else None


def alert_number(text: str) -> int | None:
    """An alert's number as a form sends it; None for anything else."""
    number = whole_number(text, digits=len(str(_MAX_ID)))
    return number if number and number <= _MAX_ID else None


def _unit_id(text: str | None) -> int | None:
    number = whole_number(text, digits=len(str(_MAX_ID)))
    try:
        return None if number is None else Unit.of_id(number).id
    except ValueError:
        return None


_COUNTRY_LETTERS = 2
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)  # what the database can compare
_MAX_ID = (1 << 63) - 1  # what the databases' numbers can be
