"""Keep-codes: the holder in any browser; guessed, shared and borrowed ones as attacks."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from keys.base.crockford import ALPHABET
from server.domain.alerts.alert import AlertFilter, Severity
from server.domain.alerts.rules.keep_code_shared import KEEP_CODE_REGIONS, KEEP_CODE_USES
from server.domain.batches.range_act import ActKind
from server.domain.codes.keep_code import (
    KeepCodeInvalid,
    KeepCodeTriesSpent,
    is_keep_code_of,
    keep_code_of,
    printed_keep_code,
    read_keep_code,
)
from server.domain.codes.redemption import Redemption
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.domain.network_limits import WRONG_KEEP_CODES_HERE, WRONG_KEEP_CODES_OF_NETWORK, WRONG_KEEP_CODES_OF_UNIT
from server.services.batches.find import find_code
from server.services.codes.attempts import Visitor
from server.services.codes.redeem import Answer, verify
from server.services.holders.keep_codes import prove
from server.services.queries import alert as alert_query
from server.services.queries import alerts as alert_queries
from server.services.queries import codes as code_queries
from server.services.queries.rows import AlertRow
from server.storage import schema
from server.storage.wrong_tries import advisory_lock
from server.web.dashboard import words as wording
from tests.server.services.holders.guesses import wrong
from tests.server.simulator import START, MakeWorld, World, both_databases, claim_of, on_postgresql
from tests.server.storage.waits import until_somebody_waits

pytestmark = both_databases

KEY = b"k" * 32
UNIT = Unit(row=7, index=3)
FIRST = Redemption(at=START, country=None, region=None, claim_hash=b"c" * 16, holder_hash=b"h" * 16)
KEEP = keep_code_of(UNIT, FIRST, key=KEY)


def burned(world: World, code: str, **visitor: object) -> str:
    """Verify a code and give its keep-code."""
    answer = verify(world.ctx, code, claim=claim_of("anna"), visitor=Visitor(**visitor))
    assert answer.verdict is Verdict.GENUINE
    assert answer.receipt is not None
    return answer.receipt.keep_code


def entered(world: World, code: str, keep_code: str, **visitor: object) -> Answer | None:
    return prove(world.ctx, code, keep_code=keep_code, visitor=Visitor(**visitor))


def answered(world: World, code: str, keep_code: str) -> dict[str, object]:
    return world.client.post("/api/v1/verify", json={"code": code, "keep_code": keep_code}).get_json()


def alerts(world: World) -> tuple[AlertRow, ...]:
    return alert_queries.alerts(world.ctx, AlertFilter(rule="keep_code_shared")).rows


# the code itself


def test_a_keep_code_is_twelve_characters_that_depend_on_everything_that_names_the_holder() -> None:
    assert len(KEEP) == 12
    assert set(KEEP) <= set(ALPHABET)
    others = {
        keep_code_of(Unit(row=7, index=4), FIRST, key=KEY),
        keep_code_of(Unit(row=7, index=3, life=1), FIRST, key=KEY),
        keep_code_of(
            UNIT, Redemption(at=START, country=None, region=None, claim_hash=b"d" * 16, holder_hash=b""), key=KEY
        ),
        keep_code_of(
            UNIT,
            Redemption(at=START, country=None, region=None, claim_hash=b"c" * 16, holder_hash=b"h" * 16, hop=1),
            key=KEY,
        ),
        keep_code_of(UNIT, FIRST, key=b"j" * 32),
    }
    assert len(others | {KEEP}) == 6


@given(
    index=st.integers(0, 2**35 - 1),
    lower=st.booleans(),
    separator=st.sampled_from(["", " ", "-", "\u2011", "\u2014", "\u3000", "\u200b", " - ", ".", "\uff0e"]),
    aliases=st.booleans(),
)
def test_it_is_typed_in_any_case_with_any_separator_and_with_the_letters_people_mistake(
    index: int,
    lower: bool,  # noqa: FBT001
    separator: str,
    aliases: bool,  # noqa: FBT001
) -> None:
    keep_code = keep_code_of(Unit(row=1, index=index), FIRST, key=KEY)
    typed = printed_keep_code(keep_code).replace("-", separator)
    if aliases:
        typed = typed.replace("0", "O").replace("1", "L" if index % 2 else "I")
    typed = typed.lower() if lower else typed
    assert read_keep_code(f" {typed}\n") == keep_code


@given(place=st.integers(0, 11), character=st.sampled_from(ALPHABET))
def test_every_mistyped_character_shows(place: int, character: str) -> None:
    typed = KEEP[:place] + character + KEEP[place + 1 :]
    if typed != KEEP:
        with pytest.raises(KeepCodeInvalid):
            read_keep_code(typed)


@given(place=st.integers(0, 10))
def test_every_exchange_of_neighbours_shows(place: int) -> None:
    typed = KEEP[:place] + KEEP[place + 1] + KEEP[place] + KEEP[place + 2 :]
    if typed != KEEP:
        with pytest.raises(KeepCodeInvalid):
            read_keep_code(typed)


@pytest.mark.parametrize(
    "typed", [None, 7, "", "U" * 12, KEEP + "0", KEEP[:-1], "\uff10" + KEEP[1:], "0" * 65, "\ud800"]
)
def test_what_is_no_keep_code_is_told_without_repeating_it(typed: object) -> None:
    with pytest.raises(KeepCodeInvalid) as told:
        read_keep_code(typed)
    assert KEEP not in str(told.value)


def test_it_is_compared_whole() -> None:
    assert is_keep_code_of(KEEP, UNIT, FIRST, key=KEY)
    assert not is_keep_code_of(KEEP[:-1], UNIT, FIRST, key=KEY)


# what it answers


def test_code_and_keep_code_are_answered_verified_by_you_whoever_asks(world: World) -> None:
    code = world.issue().text(0)
    keep_code = burned(world, code)
    answer = world.client.post("/api/v1/verify", json={"code": code, "keep_code": keep_code.lower()}).get_json()
    assert (answer["verdict"], answer["was_yours"]) == ("verified_by_you", True)
    assert answer["keep_code"] == keep_code
    assert answer["first_verified_at"] == "2026-11-21T12:00:00Z"


def test_the_keep_code_of_another_unit_is_a_strangers(world: World) -> None:
    issued = world.issue()
    burned(world, issued.text(0))
    other = burned(world, issued.text(1))
    assert entered(world, issued.text(0), other) is None
    answer = answered(world, issued.text(0), other)
    assert (answer["verdict"], answer["proof"], answer["keep_code"]) == ("already_verified", None, None)
    assert answer["first_verified_at"] == "2026-11-21"


def test_nothing_but_the_code_and_its_keep_code_means_the_holder(world: World) -> None:
    issued = world.issue()
    keep_code = burned(world, issued.text(0))
    for text in ("x", issued.text(0)[:-1] + ("8" if issued.text(0)[-1] != "8" else "G")):
        assert entered(world, text, keep_code).verdict is Verdict.NOT_OURS
    assert entered(world, issued.text(1), keep_code) is None
    unused = answered(world, issued.text(1), keep_code)
    assert (unused["verdict"], unused["was_yours"]) == ("unused", False)
    assert world.verdict(issued.text(1), "ben") == "genuine"


def test_a_code_that_no_batch_has_says_nothing_and_counts_nothing(world: World) -> None:
    manifest, _ = world.manifest()
    assert entered(world, world.codes(manifest)[0].code, KEEP) is None
    assert answered(world, world.codes(manifest)[0].code, KEEP)["verdict"] == "not_activated"


def test_recall_void_and_lock_take_precedence_and_say_that_it_was_theirs(world: World) -> None:
    issued = world.issue()
    keep_code = burned(world, issued.text(0))
    world.act(issued, ActKind.RECALL, "0", reason="leaks")
    answer = entered(world, issued.text(0), keep_code)
    assert (answer.verdict, answer.facts.was_yours) == (Verdict.RECALLED, True)
    assert answer.receipt is not None


def test_a_keep_code_raises_no_duplicate_and_stands_in_the_history_as_the_holders_own(world: World) -> None:
    code = world.issue().text(0)
    keep_code = burned(world, code)
    for _ in range(3):
        entered(world, code, keep_code, address="203.0.113.9")
    assert alert_queries.alerts(world.ctx, AlertFilter()).rows == ()
    history = code_queries.code_history(world.ctx, find_code(world.ctx, code))
    assert [(scan.channel, scan.own) for scan in history.scans.rows] == [("keep", True)] * 3 + [("api", True)]


def test_a_request_brings_a_claim_or_a_keep_code(world: World) -> None:
    code = world.issue().text(0)
    for body in ({"claim": claim_of("anna"), "keep_code": KEEP}, {"keep_code": 7}, {}):
        answer = world.client.post("/api/v1/verify", json={"code": code, **body})
        assert (answer.status_code, answer.get_json()["code"]) == (400, "request_invalid")
    mistyped = world.client.post("/api/v1/verify", json={"code": code, "keep_code": "ABC"})
    assert (mistyped.status_code, mistyped.get_json()["code"]) == (400, "keep_code_invalid")
    assert world.state(code) == "unused"


def test_nothing_of_a_keep_code_is_stored(world: World) -> None:
    code = world.issue().text(0)
    keep_code = burned(world, code)
    entered(world, code, keep_code)
    entered(world, code, wrong(1))
    with world.ctx.db.read() as connection:
        kept = str([connection.execute(sa.select(table)).all() for table in schema.metadata.tables.values()])
    for part in (read_keep_code(keep_code), read_keep_code(keep_code)[:6], keep_code, wrong(1)):
        assert part not in kept


# guessing


def test_guessing_ends_after_a_few_tries_and_the_right_one_waits_with_them(world: World) -> None:
    issued = world.issue()
    keep_code = burned(world, issued.text(0))
    for number in range(WRONG_KEEP_CODES_HERE):
        assert entered(world, issued.text(0), wrong(number), address="203.0.113.9") is None
    for typed in (wrong(99), keep_code):
        with pytest.raises(KeepCodeTriesSpent):
            entered(world, issued.text(0), typed, address="203.0.113.200")  # the same network
    assert entered(world, issued.text(0), keep_code, address="198.51.100.9").facts.was_yours
    world.clock.forward(hours=25)
    assert entered(world, issued.text(0), keep_code, address="203.0.113.9").facts.was_yours
    answer = world.client.post("/api/v1/verify", json={"code": issued.text(0), "keep_code": keep_code})
    assert answer.status_code == 200


def test_many_networks_share_the_tries_of_a_unit(world: World) -> None:
    code = world.issue().text(0)
    keep_code = burned(world, code)
    for number in range(WRONG_KEEP_CODES_OF_UNIT):
        assert entered(world, code, wrong(number), address=f"10.{number}.0.1") is None
    with pytest.raises(KeepCodeTriesSpent):
        entered(world, code, keep_code, address="198.51.100.9")


def test_one_network_has_so_many_tries_on_all_units(world: World) -> None:
    issued = world.issue()
    keep_codes = [burned(world, issued.text(index)) for index in range(10)]
    for number in range(WRONG_KEEP_CODES_OF_NETWORK):
        code = issued.text(number // WRONG_KEEP_CODES_HERE)
        assert entered(world, code, wrong(number), address="203.0.113.9") is None
    with pytest.raises(KeepCodeTriesSpent):
        entered(world, issued.text(9), keep_codes[9], address="203.0.113.9")


def test_a_networks_tries_on_all_units_begin_anew_at_midnight_with_its_pseudonym_and_not_before(world: World) -> None:
    """The key of the day is deleted then, so that nobody can tell any more whose they were; those of a unit go on."""
    issued = world.issue()
    for number in range(WRONG_KEEP_CODES_OF_NETWORK):
        assert (
            entered(world, issued.text(number // WRONG_KEEP_CODES_HERE), wrong(number), address="203.0.113.9") is None
        )
    world.clock.forward(hours=11, minutes=59)
    with pytest.raises(KeepCodeTriesSpent):
        entered(world, issued.text(9), wrong(99), address="203.0.113.9")
    world.clock.forward(minutes=1)
    assert entered(world, issued.text(9), wrong(99), address="203.0.113.9") is None
    with pytest.raises(KeepCodeTriesSpent):
        entered(world, issued.text(0), wrong(99), address="203.0.113.9")


def test_tries_end_alike_whether_the_code_was_used_or_not_and_where_no_batch_has_it(world: World) -> None:
    """Else the end of tries would tell which codes are used, however often looks are limited."""
    issued, waiting = world.issue(), world.issue(activate=False)
    burned(world, issued.text(0))
    manifest, _ = world.manifest()
    codes = (issued.text(0), issued.text(1), waiting.text(0), world.codes(manifest)[0].code)
    for number, code in enumerate(codes):
        for guess in range(WRONG_KEEP_CODES_HERE):
            assert entered(world, code, wrong(guess), address=f"10.{number}.0.1") is None
        with pytest.raises(KeepCodeTriesSpent):
            entered(world, code, wrong(9), address=f"10.{number}.0.1")


def test_tries_at_the_same_moment_are_counted_one_after_the_other_on_an_unused_code_too(world: World) -> None:
    code = world.issue().text(0)

    def guess(number: int) -> bool:
        try:
            return entered(world, code, wrong(number), address="203.0.113.9") is None
        except KeepCodeTriesSpent:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(16))) == WRONG_KEEP_CODES_HERE


@on_postgresql
def test_a_try_on_an_unused_code_waits_for_the_one_before_it(world: World) -> None:
    """There is no row that could be locked, and none of the tries may be overlooked."""
    code = world.issue().text(0)
    unit = find_code(world.ctx, code)
    with ThreadPoolExecutor(1) as pool:
        with world.ctx.db.engine.connect() as connection, connection.begin():
            advisory_lock(connection, unit.id)
            second = pool.submit(entered, world, code, wrong(1))
            until_somebody_waits(world)
        assert second.result() is None


def test_tries_end_for_the_api_too_and_a_mistyped_one_costs_none(world: World) -> None:
    code = world.issue().text(0)
    keep_code = burned(world, code)

    def ask(typed: str) -> tuple[int, str | None]:
        answer = world.client.post("/api/v1/verify", json={"code": code, "keep_code": typed})
        return answer.status_code, answer.get_json().get("code")

    for _ in range(WRONG_KEEP_CODES_HERE + 2):
        assert ask(keep_code[:-1] + ("0" if keep_code[-1] != "0" else "1")) == (400, "keep_code_invalid")
    for number in range(WRONG_KEEP_CODES_HERE):
        assert ask(wrong(number)) == (200, None)
    assert ask(keep_code) == (429, "keep_code_tries_spent")


# one keep-code with each copy


def test_a_keep_code_used_twenty_times_is_a_clone_alert_that_takes_in_all_of_them(world: World) -> None:
    code = world.issue().text(0)
    keep_code = burned(world, code)
    for _ in range(KEEP_CODE_USES - 1):
        entered(world, code, keep_code)
    assert alerts(world) == ()
    entered(world, code, keep_code)
    (alert,) = alerts(world)
    assert (alert.severity, alert.count, alert.people) == (Severity.ALERT, KEEP_CODE_USES, KEEP_CODE_USES)
    entered(world, code, keep_code)
    (grown,) = alerts(world)
    assert (grown.id, grown.count) == (alert.id, KEEP_CODE_USES + 1)
    assert wording.alert_sentence(grown).endswith(": one keep-code used 21 times")
    assert "21 visitors" in wording.why_it_fired(alert_query.alert(world.ctx, grown.id))


def test_a_keep_code_used_from_more_than_three_regions_is_a_clone_alert(make_world: MakeWorld, tmp_path: Path) -> None:
    writer = MMDBWriter(4, "Test", languages=["en"])
    for number in range(5):
        place = {"country": {"iso_code": "KR"}, "subdivisions": [{"iso_code": str(11 + number)}]}
        writer.insert_network(IPSet([f"203.0.{number}.0/24"]), place)
    writer.to_db_file(str(tmp_path / "places.mmdb"))
    world = make_world(geoip_database=tmp_path / "places.mmdb")
    code = world.issue().text(0)
    keep_code = burned(world, code, address="203.0.0.1")
    for number in range(KEEP_CODE_REGIONS):
        entered(world, code, keep_code, address=f"203.0.{number}.9")
    entered(world, code, keep_code, address="192.0.2.1")  # nobody knows where
    assert alerts(world) == ()
    entered(world, code, keep_code, address="203.0.4.9")
    (alert,) = alerts(world)
    assert alert.count == 5
    assert wording.alert_sentence(alert).endswith(": one keep-code used five times in four regions")


def test_staff_may_check_a_keep_code_as_often_as_they_like(world: World) -> None:
    code = world.issue().text(0)
    keep_code = burned(world, code)
    for _ in range(KEEP_CODE_USES + 1):
        assert entered(world, code, keep_code, staff=True).facts.was_yours
    assert alerts(world) == ()
