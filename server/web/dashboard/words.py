"""The words that staff read: verdicts, rules and severities as words, an alert as one plain sentence."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from babel import Locale

from authcode.order.order import Placement
from server.domain.alerts.alert import Severity
from server.domain.alerts.copies import LEAST_OTHERS, LEAST_VERIFIED, Copies
from server.domain.alerts.likely_cause import Fact, Guess, Likelihood
from server.domain.alerts.rules import rule_named
from server.domain.alerts.triage import REAL, Cause, Event, Precision
from server.domain.batches.range_act import ActKind, RangeAct
from server.domain.codes.verdict import Verdict
from server.domain.places.place import UNKNOWN
from server.services.queries.alert import AlertDetail
from server.services.queries.rows import AlertRow
from server.storage.triage import EventRecord
from server.web.catalogue import catalogue
from server.web.dashboard.amounts import counted, number, written

_STAFF: Final = catalogue("staff")
_K = TypeVar("_K", bound=StrEnum)


def _words(group: str, of: Iterable[_K]) -> dict[_K, str]:
    return {one: _STAFF.text(f"{group}.{one}") or "" for one in of}


def _all_words(group: str) -> dict[str, str]:
    keys = [key for key in _STAFF.wordings if key.startswith(f"{group}.")]
    return {key.removeprefix(f"{group}."): _STAFF.text(key) or "" for key in keys}


SEVERITY_WORDS: Final[Mapping[Severity, str]] = _words("severity", Severity)
STATE_WORDS: Final[Mapping[Verdict, str]] = _words("state", Verdict)
BALANCE_WORDS: Final[Mapping[Verdict, str]] = {**STATE_WORDS, **_words("balance", [Verdict.UNUSED])}
_ANSWERED_OTHERWISE = (Verdict.UNUSED, Verdict.ALREADY_VERIFIED, Verdict.NOT_ACTIVATED)
ANSWER_WORDS: Final[Mapping[Verdict, str]] = {**STATE_WORDS, **_words("told", _ANSWERED_OTHERWISE)}
CHANNEL_WORDS: Final[Mapping[str, str]] = _all_words("channel")
"""How an attempt came; a channel without words is shown as it is stored."""
CAUSE_WORDS: Final[Mapping[Cause, str]] = _words("cause", Cause)
CAUSE_GROUPS: Final = (
    ("It was real", tuple(cause for cause in Cause if cause in REAL)),
    ("A false alarm", tuple(cause for cause in Cause if cause not in REAL and cause is not Cause.OTHER)),
    ("Neither counts for the precision", (Cause.OTHER,)),
)
AUDIT_WORDS: Final[Mapping[str, str]] = _all_words("audit")
"""Every kind of act in the audit; one without words is shown as it is stored."""
AUDIT_KINDS: Final = ("alert", "batch", "brand", "code", "keys", "log", "product", "staff", "token")
ACT_WORDS: Final[Mapping[ActKind, str]] = _words("act", ActKind)
ACT_EFFECTS: Final[Mapping[ActKind, str]] = _words("effect", ActKind)
ACT_DONE: Final[Mapping[ActKind, str]] = _words("done", ActKind)

_ENGLISH = Locale("en")


def rule_name(rule: str) -> str:
    """The name of a rule; its stored name where it was removed."""
    return _rule_text(rule, "name") or rule


def alert_sentence(alert: AlertRow) -> str:
    """Where and what happened, in plain words: the row of the list and the heading of the alert's page."""
    happened = _rule_text(alert.rule, "sentence", **_facts(alert)) or rule_name(alert.rule)
    index = None if alert.unit is None else str(alert.unit.index)
    said = _STAFF.text("alert.about", product=alert.product, order=alert.order, index=index, sentence=happened)
    return said or _sentence(happened)  # of no batch; a name is written as its brand writes it


def counts_copies(rule: str) -> bool:
    """Whether a rule's alerts estimate the copies of one code."""
    return rule_named(rule).of_copies


def thing_counted(rule: str) -> str:
    """The thing that an alert of a rule counts."""
    return "look" if rule_named(rule).of_looks else "scan"


def why_it_fired(detail: AlertDetail) -> str:
    """The rule with its limits and the measured values; a sentence whose fact is not known is left out."""
    parts = _STAFF.parts(f"rule.{detail.alert.rule}.why")
    sentences = (_STAFF.text(part, **_page_facts(detail)) for part in parts)
    return _sentence(" ".join(filter(None, sentences)))


def lock_reason(detail: AlertDetail) -> str:
    """Why a lock is proposed, as the reason in the batch's history."""
    return _of_rule(detail.alert, "lock", _page_facts(detail))


def _of_rule(alert: AlertRow, part: str, facts: Mapping[str, object]) -> str:
    return _sentence(_rule_text(alert.rule, part, **facts) or rule_name(alert.rule))


def _rule_text(rule: str, part: str, **facts: object) -> str | None:
    """A text of a rule; None for a rule that was removed, and for a part without words for these facts."""
    key = f"rule.{rule}.{part}"
    return _STAFF.text(key, **facts) if key in _STAFF.wordings else None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _facts(alert: AlertRow) -> dict[str, object]:
    """The facts that the sentence of any rule may use."""
    return {
        "scans": _amount("scans", alert.count),
        "times": _amount("times", alert.count),
        "people": _amount("people", alert.people),
        "regions": _amount("regions", alert.regions) if alert.regions > 1 else None,
        "key": alert.key_id,
    }


def _page_facts(detail: AlertDetail) -> dict[str, object]:
    """The facts that the page of any alert may use, the rule's limits among them."""
    alert, networks = detail.alert, detail.networks
    limits = {f"limit_{name}": written(limit) for name, limit in rule_named(alert.rule).limits.items()}
    return {
        **_facts(alert),
        **limits,
        "others": _amount("others", detail.measured),
        "visitors": _amount("visitors", detail.measured),
        "places": _amount("places", alert.regions) if alert.regions else _STAFF.text("amount.no_place"),
        "networks": None if networks is None else _amount("networks", networks),
        "one_network": _amount("networks", 1) if networks == 1 and detail.measured > 1 else None,
        "threshold": _amount("others", detail.threshold) if detail.threshold else None,
        "high": alert.severity is Severity.HIGH or None,
    }


def _amount(of: str, amount: int) -> str | None:
    return _STAFF.plural(f"amount.{of}", amount, n=written(amount))


def precision(measured: Precision) -> str:
    """A rule's measured precision with its interval, as in `.62 [.48, .75] of 53 closed`."""
    if not measured.judged:
        return "not measured yet: none of its alerts is closed with a cause"
    low, high = measured.interval
    return f"{_share(measured.share)} [{_share(low)}, {_share(high)}] of {number(measured.judged)} closed"


def causes_so_far(causes: Sequence[tuple[Cause, int]]) -> str:
    """What closed alerts of a rule turned out to be, the most frequent first: the likeliest cause of the next one."""
    total = sum(amount for _, amount in causes)
    first, *others = causes
    first_words = f"Most often it was {CAUSE_WORDS[first[0]]} ({number(first[1])} of {number(total)})"
    more = ", ".join(f"{CAUSE_WORDS[cause]} ({number(amount)})" for cause, amount in others[:2])
    return f"{first_words}, then {more}." if more else f"{first_words}."


def copies_basis(detail: AlertDetail) -> str:
    """The basis and the assumptions of the estimate of copies, or why there is none."""
    found = detail.copies
    if found is None:
        return (
            f"The number is given from {counted(LEAST_OTHERS, 'other person', 'other people')} on, where at least "
            f"{LEAST_VERIFIED} other codes of the batch were verified: few buyers scan, and from fewer scans nothing "
            "honest can be said."
        )
    shop = "" if detail.placement in _HIDDEN else " A visible code that several scan on one pack counts too high."
    return (
        f"{number(found.verified)} of {number(found.on_sale)} other codes of this batch on sale were verified, so that "
        f"{counted(found.others, 'other person', 'other people')} stand for about {about(found.point)} packs, "
        f"{about_range(found)} in 95 of 100 cases if what follows is true. It takes each of them to have held a "
        f"pack of their own, and copies to be sold and verified as the batch is.{shop} Goods that are not sold yet "
        "make it too high; people who only looked and did not report their pack are not counted, which makes it "
        "too low."
    )


def about(amount: int) -> str:
    """An estimate, to three digits: more would look exact."""
    return number(_rounded(amount, round))


def about_range(found: Copies) -> str:
    """An estimate's bounds, to three digits outwards."""
    return f"{number(_rounded(found.low, math.floor))} to {number(_rounded(found.high, math.ceil))}"


def _rounded(amount: int, way: Callable[[float], int]) -> int:
    unit: int = 10 ** max(0, len(str(amount)) - _DIGITS)
    return way(amount / unit) * unit


_DIGITS = 3


def guess_by_word(guess: Guess) -> list[tuple[str, str]]:
    """The likely causes as lines: the likelihood, and its causes."""
    causes = {word: [CAUSE_WORDS[cause] for cause, likely in guess.causes if likely is word] for word in Likelihood}
    return [(str(word), ", ".join(named)) for word, named in causes.items() if named]


def guess_rests_on(detail: AlertDetail) -> str:
    """The basis of the likely causes: the measured facts, closed alerts, and the field's experience."""
    closed = sum(amount for _, amount in detail.record.causes)
    facts = [_FACT_WORDS[fact](detail) for fact in detail.guess.facts]
    known = ", ".join([*facts, f"{counted(closed, 'closed alert')} of this rule"])
    return f"From {known} and what the field reports of such alerts. A judgement in words, not a measurement."


_HIDDEN: Final = frozenset({Placement.INSIDE, Placement.SCRATCH})
_FACT_WORDS: Final[Mapping[Fact, Callable[[AlertDetail], str]]] = {
    Fact.ONE_NETWORK: lambda detail: f"{counted(detail.measured, 'other claim')} from one network",
    Fact.ONE_OTHER_NEAR: lambda _detail: "one other person, and no second region",
    Fact.SOME_OTHERS: lambda detail: counted(detail.measured, "other person", "other people"),
    Fact.MANY_OTHERS: lambda detail: counted(detail.measured, "other person", "other people"),
    Fact.SOME_REGIONS: lambda detail: counted(detail.alert.regions, "region"),
    Fact.MANY_REGIONS: lambda detail: counted(detail.alert.regions, "region"),
    Fact.ONE_ASKER: lambda _detail: "one person alone who asked",
    Fact.MANY_ASKERS: lambda detail: f"{counted(detail.measured, 'person', 'people')} who asked",
}


def _share(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def stream_sentence(line: EventRecord) -> str:
    """One line of an alert's history, without when and by whom; a snooze's end follows it."""
    match line.kind:
        case Event.CLOSED if line.cause is not None:
            return f"closed it: {CAUSE_WORDS[line.cause]}"
        case Event.SNOOZED if line.until is not None:
            return "put it off until"
        case Event.REOPENED:
            return "reopened it" if line.actor else "Opened again by itself: it grew past what was closed"
        case _:
            return _STAFF.text(f"stream.{line.kind}") or str(line.kind)


def initials(email: str) -> str:
    """Two letters for an account: `AM` for anna.meyer@example.com."""
    parts = [part for part in re.split(r"[._+-]", email.partition("@")[0]) if part]
    return ("".join(part[0] for part in parts[:2]) if len(parts) > 1 else (parts or ["?"])[0][:2]).upper()


def place_of_key(key: str) -> str:
    """A place by its key, `KR-11` or `unknown`."""
    country, _, region = key.partition("-")
    return "unknown" if key == UNKNOWN else place(country, region or None)


def act_sentence(act: RangeAct) -> str:
    """One act as a line of a history, without who and when."""
    details = act.details
    facts = (
        ("lot", details.lot),
        ("expires", details.expires.isoformat() if details.expires else None),
        ("markets", ", ".join(details.markets) or None),
        ("reason", details.reason),
        ("link", details.link),
    )
    given = "; ".join(f"{name} {value}" for name, value in facts if value)
    return f"{index_range(act.first, act.last)} {ACT_DONE[act.kind]}{': ' + given if given else ''}"


def index_range(first: int, last: int) -> str:
    """A range of indices as people write it."""
    return f"Index {number(first)}" if first == last else f"Indices {number(first)} to {number(last)}"


def day(date_: date) -> str:
    """A day of the calendar, short; a moment is written by `times.html`."""
    return f"{date_:%-d %b %Y}"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in the largest unit of which there is at least one."""
    gone = max(now - moment, timedelta())
    units = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))
    return next((f"{gone // length} {unit} ago" for length, unit in units if gone >= length), "just now")


def place(country: str | None, region: str | None) -> str:
    """A place by its country's name and its region's code."""
    name = (_ENGLISH.territories.get(country) or country) if country else "unknown"
    return f"{name}, {region}" if region else name
