"""A new rule of alerts is one file and its words: listed, worded, measured and shown, with nothing else touched."""

import io
import re
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from server.domain.alerts import rules
from server.storage.schema import alert
from server.web.catalogue import Catalogue
from server.web.dashboard import words
from tests.server.simulator import Issued, World
from tests.server.web.dashboard.staff import Staff
from tests.server.web.pages import heading

RULE = '''
"""Stage 7, alert: strangers ask for a code that is used."""

from server.domain.alerts.alert import Finding, Severity, Subject
from server.domain.alerts.rule import Rule, UnitAttempt
from server.domain.alerts.triage import Cause


def _is_stranger(facts: UnitAttempt) -> Finding | None:
    is_other = facts.counts and facts.redemption is not None
    return Finding(subject=Subject.of_code(facts.unit, facts.serial)) if is_other else None


RULE = Rule(
    name="stranger",
    position=15,
    facts=UnitAttempt,
    condition=_is_stranger,
    severity=Severity.HIGH,
    prior={Cause.LEAK: 9, Cause.STAFF: 1},
    proposes_lock=lambda measured: measured.others >= 2,
    limits={"strangers": 2},
)
'''
WORDS = """
msgid "rule.stranger.name"
msgstr "asked for by strangers"

msgid "rule.stranger.sentence"
msgstr "{people} in {regions} are no buyers"

msgid "rule.stranger.sentence/2"
msgstr "{people} are no buyers"

msgid "rule.stranger.why.1"
msgstr "{others} asked; a lock is proposed from {limit_strangers} on."

msgid "rule.stranger.why.2"
msgstr "The brand asks for {threshold}."

msgid "rule.stranger.lock"
msgstr "{people} asked"
"""


@pytest.fixture
def _new_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "stranger.py").write_text(RULE, encoding="utf-8")
    monkeypatch.setattr(rules, "__path__", [*rules.__path__, str(tmp_path)])
    source = resources.files("server") / "locale" / "en" / "LC_MESSAGES" / "staff.po"
    staff = Catalogue("en", read_po(io.BytesIO((source.read_text(encoding="utf-8") + WORDS).encode())))
    monkeypatch.setattr(words, "_STAFF", staff)  # as if the file had them
    rules.all_rules.cache_clear()
    yield
    rules.all_rules.cache_clear()
    sys.modules.pop(f"{rules.__name__}.stranger", None)


@pytest.mark.usefixtures("_new_rule")
def test_a_rule_in_a_file_of_its_own_is_listed_worded_measured_and_shown(
    world: World, issued: Issued, anna: Staff
) -> None:
    for person in ("buyer", "stranger", "another"):
        world.verdict(issued.text(0), person)
    listed = anna.open("/staff/alerts?rule=stranger&view=act").text
    assert re.findall(r'class="chip[^"]*" href="[^"]*">([^<]+)<?', listed)[:4] == [
        "every rule",
        "asked for again by somebody else",
        "asked for by strangers ",
        "scanned before activation",
    ]
    address, sentence = re.findall(r'<div class="what"><a href="([^"]+)">([^<]+)</a>', listed)[0]
    assert listed.count('<div class="what">') == 1
    assert sentence == "Spring Tea 50 g, order-1 code 0: two people are no buyers"

    page = anna.open(address).text
    assert heading(page) == sentence
    assert "Act now" in page
    assert "<p>Two other people asked; a lock is proposed from two on. Precision of this rule:" in page
    assert "<dt>most likely</dt><dd>leaked labels or waste</dd>" in page
    assert "lock this code</a>. Two people asked." in page
    assert page.count('<td class="lead">') == 2

    assert "not measured yet" in anna.open("/staff/rules").text
    anna.submit(address, {"act": "closed", "cause": "leak"}, to=f"{address}/work")
    row = re.search(r"asked for by strangers</a></td>(.*?)</tr>", anna.open("/staff/rules").text, re.DOTALL)
    assert row is not None
    assert "1.00 [.21, 1.00] of 1 closed" in row[1]
    assert "1 leaked labels or waste" in row[1]


def test_rules_have_names_that_can_be_stored_and_places_of_their_own() -> None:
    found = rules.all_rules()
    assert len({rule.name for rule in found}) == len({rule.position for rule in found}) == len(found)
    assert all(0 < len(rule.name) <= 20 and rule.name.isidentifier() and rule.prior for rule in found)
    assert [rule.position for rule in found] == sorted(rule.position for rule in found)


def test_an_alert_of_a_rule_that_was_removed_is_listed_under_its_stored_name(
    world: World, issued: Issued, anna: Staff
) -> None:
    for person in ("buyer", "stranger"):
        world.verdict(issued.text(0), person)
    with world.ctx.db.write() as connection:
        connection.execute(alert.update().values(rule="neither"))
    listed = anna.open("/staff/alerts?view=all").text
    address = re.findall(r'href="(/staff/alerts/\d+)"', listed)[0]
    assert "Neither" in listed
    assert heading(anna.open(address).text) == "Spring Tea 50 g, order-1 code 0: neither"
    assert anna.open(f"{address}/mute").status_code == 200
    assert anna.open(f"/staff/batches/{issued.batch.row}").status_code == 200
