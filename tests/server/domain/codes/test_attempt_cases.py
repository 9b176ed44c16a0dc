"""The table of cases of an attempt, against an oracle written from docs/protocol.md §2 rule 6 alone."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from server.domain.codes.attempt_cases import CASES, Action, AttemptFacts, Decision, decide
from server.domain.codes.verdict import Conditions, Use, Verdict

PROTOCOL = Path(__file__).parents[4] / "docs" / "protocol.md"
OPEN = Conditions(activated=True)
FLAGS = ("not_ours", "recalled", "voided", "sample", "expired", "activated", "locked")
EVERY_CONDITION = [Conditions(**dict(zip(FLAGS, flags, strict=True))) for flags in product((False, True), repeat=7)]
EVERY_ATTEMPT = [
    AttemptFacts(
        conditions=conditions,
        use=use,
        registered=registered,
        outer=outer,
        page=page,
        token_valid=token_valid,
        earlier_life=earlier_life,
        unticked=unticked,
    )
    for conditions in EVERY_CONDITION
    for use in Use
    for registered, outer, page, token_valid, earlier_life, unticked in product((False, True), repeat=6)
]
STATES = [
    ("not_ours", Verdict.NOT_OURS),
    ("recalled", Verdict.RECALLED),
    ("voided", Verdict.VOID),
    ("sample", Verdict.SAMPLE),
    ("expired", Verdict.EXPIRED),
    ("inactive", Verdict.NOT_ACTIVATED),
    ("locked", Verdict.LOCKED),
]


def oracle(known: AttemptFacts) -> Decision:
    """The protocol once more, as nested questions in the order in which a reader asks them."""
    is_on = {name: getattr(known.conditions, name, not known.conditions.activated) for name, _ in STATES}
    in_the_way = [verdict for name, verdict in STATES if is_on[name]]
    holder = known.use in {Use.OWN_NOW, Use.OWN_LATER}
    free = {
        Use.NONE: Verdict.UNUSED,
        Use.OWN_NOW: Verdict.GENUINE,
        Use.OWN_LATER: Verdict.VERIFIED_BY_YOU,
        Use.OTHER: Verdict.ALREADY_VERIFIED,
    }[known.use]
    verdict = in_the_way[0] if in_the_way else free
    if is_on["not_ours"]:
        rule, action = "6.1", Action.RECORD
    elif known.page and not (holder or known.token_valid):
        rule, action = "6.2", Action.LOOK_AGAIN
    elif not known.registered:
        rule, action = "6.3", Action.RECORD
    elif in_the_way:
        rule, action = "6.5", Action.RECORD
    elif known.outer:
        rule, action = "6.4", Action.LOOK
    elif free is not Verdict.UNUSED:
        rule, action = "6.6", Action.RECORD
    elif known.earlier_life:
        rule, action = "6.7", Action.RECORD
    elif known.unticked:
        rule, action = "6.8", Action.LOOK_AGAIN
    else:
        rule, action = "6.9", Action.BURN
    return Decision(rule=rule, action=action, verdict=verdict, own=holder or known.earlier_life)


def test_every_combination_is_decided_as_the_protocol_says() -> None:
    assert len(EVERY_ATTEMPT) == 2**7 * 4 * 2**6
    assert [known for known in EVERY_ATTEMPT if decide(known) != oracle(known)] == []


def test_every_case_of_the_table_decides_something_and_stands_in_the_protocol() -> None:
    rules = [case.rule for case in CASES]
    assert {decide(known).rule for known in EVERY_ATTEMPT} == set(rules)
    burning = PROTOCOL.read_text(encoding="utf-8").partition("## 2. Burning")[2].partition("\n## ")[0]
    cases = re.search(r"^6\. .*\n((?:    \d+\. .*\n)+)", burning, re.MULTILINE)
    assert cases is not None
    assert rules == [f"6.{number}" for number in re.findall(r"^    (\d+)\. ", cases[1], re.MULTILINE)]


@pytest.mark.parametrize(
    ("known", "rule", "action", "verdict"),
    [
        (AttemptFacts(conditions=OPEN), "6.9", Action.BURN, Verdict.UNUSED),
        (AttemptFacts(conditions=OPEN, page=True, token_valid=True), "6.9", Action.BURN, Verdict.UNUSED),
        (AttemptFacts(conditions=OPEN, page=True), "6.2", Action.LOOK_AGAIN, Verdict.UNUSED),
        (AttemptFacts(conditions=OPEN, page=True, use=Use.OTHER), "6.2", Action.LOOK_AGAIN, Verdict.ALREADY_VERIFIED),
        (AttemptFacts(conditions=OPEN, page=True, use=Use.OWN_LATER), "6.6", Action.RECORD, Verdict.VERIFIED_BY_YOU),
        (AttemptFacts(conditions=OPEN, use=Use.OWN_NOW), "6.6", Action.RECORD, Verdict.GENUINE),
        (AttemptFacts(conditions=OPEN, use=Use.OTHER), "6.6", Action.RECORD, Verdict.ALREADY_VERIFIED),
        (AttemptFacts(conditions=OPEN, outer=True), "6.4", Action.LOOK, Verdict.UNUSED),
        (AttemptFacts(conditions=Conditions(), outer=True), "6.5", Action.RECORD, Verdict.NOT_ACTIVATED),
        (AttemptFacts(conditions=OPEN, earlier_life=True), "6.7", Action.RECORD, Verdict.UNUSED),
        (AttemptFacts(conditions=Conditions(), registered=False), "6.3", Action.RECORD, Verdict.NOT_ACTIVATED),
        (AttemptFacts(conditions=Conditions(not_ours=True), page=True), "6.1", Action.RECORD, Verdict.NOT_OURS),
        (
            AttemptFacts(conditions=replace(OPEN, locked=True), use=Use.OWN_NOW),
            "6.5",
            Action.RECORD,
            Verdict.LOCKED,
        ),
    ],
)
def test_named_cases(known: AttemptFacts, rule: str, action: Action, verdict: Verdict) -> None:
    decision = decide(known)
    assert (decision.rule, decision.action, decision.verdict) == (rule, action, verdict)


@pytest.mark.parametrize("conditions", EVERY_CONDITION)
def test_a_burn_needs_a_passed_state_check_an_unused_unit_and_on_a_page_a_valid_token(conditions: Conditions) -> None:
    for known in EVERY_ATTEMPT:
        if known.conditions == conditions and decide(known).action is Action.BURN:
            assert conditions == OPEN
            assert (known.use, known.registered, known.outer, known.earlier_life) == (Use.NONE, True, False, False)
            assert known.token_valid or not known.page
