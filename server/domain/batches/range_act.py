"""Stage 6, redeem: acts on ranges of a batch (activate, void, recall, ...) and what they make of one unit.

An act is one row for a range of any size. The latest act of a kind that covers an index decides. An unlock
lifts a lock (ADR 0020); no act lifts a void or a recall yet.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from heapq import heappop, heappush
from itertools import pairwise

from keys.base.errors import AuthcodeError
from server.domain.codes.unit import INDEX_BITS
from server.domain.codes.verdict import Conditions, Verdict, state_check
from server.domain.places.countries import COUNTRIES

_MAX_TEXT = 200  # characters of a lot, a reason or a link: what fits a shopper's page
_MAX_MARKETS = 50  # more than that is "everywhere": name none
_MAX_SHOWN = 20  # characters of a wrong market that are repeated


class RangeInvalid(AuthcodeError):
    """A range or a detail of an act that the batch cannot take."""

    code = "range_invalid"
    http_status = 400
    sentence = "{reason}"
    reason: str


class ActKind(StrEnum):
    """The kinds of range acts."""

    ACTIVATE = "activate"
    VOID = "void"
    RECALL = "recall"
    SAMPLE = "sample"
    LOCK = "lock"
    UNLOCK = "unlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActDetails:
    """What an act carries: lot, expiry and markets of an activation; reason (and link) of the others."""

    lot: str | None = None
    expires: date | None = None
    markets: tuple[str, ...] = ()
    reason: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRequest:
    """A requested act on the indices `A-B` (None: all) of an order; `brand_id` where two brands have such an order."""

    order: str
    kind: ActKind
    actor: str
    indices: str | None = None
    details: ActDetails = ActDetails()
    brand_id: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeAct:
    """One act on the indices first..last, both included, at a moment (UTC). `number` grows with time; 0: not stored."""

    kind: ActKind
    first: int
    last: int
    actor: str
    at: datetime
    details: ActDetails
    number: int = 0

    def covers(self, index: int) -> bool:
        """Whether the act speaks about this index."""
        return self.first <= index <= self.last


def read_range(text: str | None, *, count: int) -> tuple[int, int]:
    """`A-B` or a single `A` as (first, last); None is the whole batch.

    Raises:
        RangeInvalid: not of this form, backwards, or beyond the batch's count.
    """
    if text is None:
        return 0, count - 1
    first, dash, last = text.partition("-")
    low, high = read_index(first), read_index(last if dash else first)
    if low is None or high is None:
        raise RangeInvalid("Give a range of indices as A-B, for example 0-499, or one index alone.")
    if low > high:
        raise RangeInvalid(f"The range {low}-{high} is the wrong way round; write {high}-{low}.")
    if high >= count:
        raise RangeInvalid(f"The range {low}-{high} is not within this batch, whose indices are 0-{count - 1}.")
    return low, high


_MAX_DIGITS = len(str((1 << INDEX_BITS) - 1))


def read_index(text: str) -> int | None:
    """Read an index in ASCII digits; None for anything else. No batch is checked."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None


def check_details(details: ActDetails) -> ActDetails:
    """Check and normalise details: texts stripped, markets in upper case.

    Raises:
        RangeInvalid: a market that is no country code, an empty or over-long text, a link that is not https or http.
    """
    link = _checked_text("link", details.link)
    if link is not None and not link.lower().startswith(("https://", "http://")):
        raise RangeInvalid("The link must start with https:// or http://, as in https://example.com/recall.")
    return ActDetails(
        lot=_checked_text("lot", details.lot),
        expires=details.expires,
        markets=_checked_markets(details.markets),
        reason=_checked_text("reason", details.reason),
        link=link,
    )


def _checked_text(name: str, given: str | None) -> str | None:
    text = None if given is None else given.strip()
    if text is not None and not (0 < len(text) <= _MAX_TEXT and text.isprintable()):
        raise RangeInvalid(f"The {name} must be 1 to {_MAX_TEXT} printable characters; this has {len(text)}.")
    return text


def _checked_markets(given: Sequence[str]) -> tuple[str, ...]:
    markets = tuple(dict.fromkeys(market.strip().upper() for market in given))
    if len(markets) > _MAX_MARKETS:
        raise RangeInvalid(f"{len(markets)} markets are too many; give {_MAX_MARKETS} at most, or none for everywhere.")
    for market in markets:
        if market not in COUNTRIES:
            shown = repr(market[:_MAX_SHOWN])
            meant = " (the United Kingdom is GB)" if market == "UK" else ""
            raise RangeInvalid(
                f"{shown} is no country{meant}. Give markets as two-letter country codes separated by commas, "
                "for example KR,JP."
            )
    return markets


class WithdrawnKeys(StrEnum):
    """A brand's choice for units that were in the world before their key was withdrawn."""

    LOCK = "lock"
    USUAL = "usual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """The withdrawal of a batch's key; `locks`: units in the world before it are locked, else only cautioned about."""

    since: datetime
    registered_at: datetime
    locks: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The latest act of each kind on an index; `lock` where it is not lifted, `first_activation` the earliest one."""

    activation: RangeAct | None = None
    void: RangeAct | None = None
    recall: RangeAct | None = None
    sample: RangeAct | None = None
    lock: RangeAct | None = None
    first_activation: RangeAct | None = None

    def was_in_the_world(self, withdrawal: Withdrawal) -> bool:
        """Whether the unit was registered and (by any activation) activated before its key was withdrawn."""
        activated = self.first_activation is not None and self.first_activation.at < withdrawal.since
        return activated and withdrawal.registered_at < withdrawal.since

    def conditions(self, *, today: date, withdrawal: Withdrawal | None = None) -> Conditions:
        """The conditions these acts and a withdrawal of the key make. A pack expires at the end of its date (UTC)."""
        expires = self.activation.details.expires if self.activation else None
        return Conditions(
            not_ours=withdrawal is not None and not self.was_in_the_world(withdrawal),
            recalled=self.recall is not None,
            voided=self.void is not None,
            sample=self.sample is not None,
            expired=expires is not None and today > expires,
            activated=self.activation is not None,
            locked=self.lock is not None or (withdrawal is not None and withdrawal.locks),
        )


def standing_of(acts: Iterable[RangeAct], index: int) -> Standing:
    """The acts in force for one index: of each kind the one with the highest number that covers it."""
    sweep = _Sweep()
    for act in acts:
        if act.covers(index):
            sweep.begin(act)
    return sweep.at(index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Neighbouring indices first..last in the same state; `state` is the verdict on an unused one."""

    first: int
    last: int
    state: Verdict

    @property
    def count(self) -> int:
        """The number of units."""
        return self.last - self.first + 1


def stretches(
    acts: Sequence[RangeAct], *, count: int, today: date, withdrawal: Withdrawal | None = None
) -> tuple[Stretch, ...]:
    """The whole batch from index 0 on, cut where its state changes. The counts add up to the order."""
    pieces: list[Stretch] = []
    for first, last, standing in standings(acts, count=count):
        state = state_check(standing.conditions(today=today, withdrawal=withdrawal)) or Verdict.UNUSED
        if pieces and pieces[-1].state is state:
            pieces[-1] = Stretch(first=pieces[-1].first, last=last, state=state)
        else:
            pieces.append(Stretch(first=first, last=last, state=state))
    return tuple(pieces)


def standings(acts: Sequence[RangeAct], *, count: int) -> Iterator[tuple[int, int, Standing]]:
    """The whole batch from index 0 on as (first, last, the acts in force), cut where those change, in one sweep."""
    cuts = sorted({0, count} | {edge for act in acts for edge in (act.first, act.last + 1) if edge < count})
    coming = sorted(acts, key=lambda act: act.first, reverse=True)
    standing = _Sweep()
    for first, after in pairwise(cuts):
        while coming and coming[-1].first <= first:
            standing.begin(coming.pop())
        yield first, after - 1, standing.at(first)


class _Sweep:
    """The acts that have begun, of each kind the latest on top; one that has ended is dropped when it comes up."""

    def __init__(self) -> None:
        self._begun: dict[ActKind, list[tuple[int, RangeAct]]] = {kind: [] for kind in ActKind}
        self._activated: list[tuple[int, RangeAct]] = []

    def begin(self, act: RangeAct) -> None:
        """Take in an act whose first index is reached."""
        heappush(self._begun[act.kind], (-act.number, act))
        if act.kind is ActKind.ACTIVATE:
            heappush(self._activated, (act.number, act))

    def at(self, index: int) -> Standing:
        """The acts in force for an index; call it with rising indices."""
        top = {kind: _top(begun, index) for kind, begun in self._begun.items()}
        lock, unlock = top[ActKind.LOCK], top[ActKind.UNLOCK]
        lifted = lock is None or (unlock is not None and unlock.number > lock.number)
        return Standing(
            activation=top[ActKind.ACTIVATE],
            void=top[ActKind.VOID],
            recall=top[ActKind.RECALL],
            sample=top[ActKind.SAMPLE],
            lock=None if lifted else lock,
            first_activation=_top(self._activated, index),
        )


def _top(begun: list[tuple[int, RangeAct]], index: int) -> RangeAct | None:
    """The topmost act that has not ended before an index; those above it are dropped."""
    while begun and begun[0][1].last < index:
        heappop(begun)
    return begun[0][1] if begun else None
