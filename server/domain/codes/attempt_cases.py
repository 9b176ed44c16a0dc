"""Stage 6, redeem: what is done with an attempt to verify, as a table of cases (docs/protocol.md §2 rule 6). Pure.

What is answered, `verdict.py` decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from keys.base.errors import AuthcodeError
from server.domain.codes.verdict import Conditions, Use, Verdict, verdict_of


class TickMissing(AuthcodeError):
    """The page of a visible code was sent without its tick; nothing was burned."""

    code = "tick_missing"
    http_status = 409
    sentence = 'Nothing was used up. Tick "I have bought this" first, then verify.'


class Action(StrEnum):
    """What an attempt comes to. Only `RECORD` and `BURN` enter the history, where the alert rules run on them."""

    LOOK_AGAIN = "look_again"
    LOOK = "look"
    RECORD = "record"
    BURN = "burn"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFacts:
    """What is known of an attempt, before its burn or after it.

    `conditions` are the unit's, with `not_ours` alone set where its key was withdrawn and it was never registered.
    `earlier_life` is whether the claim verified the unit before it was returned to unused, `unticked` whether a page of
    a visible code came without the tick "I have bought this".
    """

    conditions: Conditions
    use: Use = Use.NONE
    registered: bool = True
    outer: bool = False
    page: bool = False
    token_valid: bool = False
    earlier_life: bool = False
    unticked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One line of the table: its number in docs/protocol.md §2, when it applies, and what is done."""

    rule: str
    applies: Callable[[AttemptFacts], bool]
    action: Action


CASES = (
    Case(rule="6.1", applies=lambda known: known.conditions.not_ours, action=Action.RECORD),
    Case(
        rule="6.2",
        applies=lambda known: known.page and not known.token_valid and not known.use.own,
        action=Action.LOOK_AGAIN,
    ),
    Case(rule="6.3", applies=lambda known: not known.registered, action=Action.RECORD),
    Case(rule="6.4", applies=lambda known: known.outer and known.conditions.passed, action=Action.LOOK),
    Case(rule="6.5", applies=lambda known: not known.conditions.passed, action=Action.RECORD),
    Case(rule="6.6", applies=lambda known: known.use is not Use.NONE, action=Action.RECORD),
    Case(rule="6.7", applies=lambda known: known.earlier_life, action=Action.RECORD),
    Case(rule="6.8", applies=lambda known: known.unticked, action=Action.LOOK_AGAIN),
    Case(rule="6.9", applies=lambda _: True, action=Action.BURN),
)
"""The cases of an attempt; the first that applies decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is done, what is answered, and whether the history keeps the attempt as the holder's own."""

    rule: str
    action: Action
    verdict: Verdict
    own: bool


def decide(known: AttemptFacts) -> Decision:
    """The decision about an attempt: by the first case of the table that applies."""
    case = next(case for case in CASES if case.applies(known))
    return Decision(
        rule=case.rule,
        action=case.action,
        verdict=verdict_of(known.conditions, known.use),
        own=known.use.own or known.earlier_life,
    )
