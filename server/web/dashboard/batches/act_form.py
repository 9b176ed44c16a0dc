"""Acts on a range as the dashboard's forms send them: read, shown with their effect in counts, then confirmed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from keys.base.errors import AuthcodeError
from server.domain.batches.range_act import ActDetails, ActKind, Stretch, check_details, read_range
from server.domain.codes.verdict import Verdict


class FormIncomplete(AuthcodeError):
    """A form that lacks what the act needs."""

    code = "form_incomplete"
    sentence = "{reason}"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAct:
    """A requested act: kind, the range as typed, its ends, its details."""

    kind: ActKind
    indices: str
    first: int
    last: int
    details: ActDetails

    @property
    def count(self) -> int:
        """How many codes it touches."""
        return self.last - self.first + 1


def read_act(kind: ActKind, form: Mapping[str, str], *, count: int) -> WantedAct:
    """Read an act's form against a batch of `count` units.

    Raises:
        RangeInvalid: a range or detail that the batch cannot take.
        FormIncomplete: no range (an act on the whole batch needs its first and last index, since most acts cannot be
            taken back), a void, recall or sample without a reason, or an invalid date.
    """
    given = {name: value.strip() or None for name, value in form.items()}
    indices = (given.get("range") or "").replace(" ", "").replace("\u2013", "-")
    if not indices:
        raise FormIncomplete(f"Name the indices, for example 0-4; the whole batch is 0-{count - 1}.")
    first, last = read_range(indices, count=count)
    if kind is ActKind.ACTIVATE:
        markets = tuple(part.strip() for part in (given.get("market") or "").split(",") if part.strip())
        details = ActDetails(lot=given.get("lot"), expires=_date(given.get("expires")), markets=markets)
    elif given.get("reason") is None:
        raise FormIncomplete("Give a reason: it is kept in the batch's history, and shoppers read a recall's reason.")
    else:
        details = ActDetails(reason=given.get("reason"), link=given.get("link"))
    return WantedAct(kind=kind, indices=indices, first=first, last=last, details=check_details(details))


def selection(query: Mapping[str, str], *, count: int) -> tuple[int, int] | None:
    """The range that a batch's page has selected, from its address: `range`, or `first` and `last`.

    None for none.

    Raises:
        RangeInvalid: it is none of this batch.
    """
    first, last = query.get("first", "").strip(), query.get("last", "").strip()
    wanted = query.get("range") or (f"{first or 0}-{last or count - 1}" if first or last else "")
    return read_range(wanted, count=count) if wanted else None


def effect(wanted: WantedAct, stretches: Sequence[Stretch]) -> tuple[tuple[Verdict, int], ...]:
    """How many codes of each present state the act touches; verified ones count under the state before."""
    touched: Counter[Verdict] = Counter()
    for piece in stretches:
        overlap = min(piece.last, wanted.last) - max(piece.first, wanted.first) + 1
        if overlap > 0:
            touched[piece.state] += overlap
    return tuple(touched.most_common())


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise FormIncomplete("Give the date as year-month-day, for example 2027-03-31.") from None
