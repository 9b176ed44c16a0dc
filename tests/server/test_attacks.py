"""Attacks replayed: what somebody tries who holds some keys, some codes, or the server, and what it gains."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from authcode.code.payload import GTIN_NONE, ParsedCode, format_code, signed_message
from authcode.code.serial import SerialCipher, SerialUnit, Tier
from authcode.code.verify import verify_offline
from keys.base.errors import AuthcodeError, RootChanged
from keys.format.keyring import sign_keyring
from keys.format.records import CodeKey, Form, Profile, Purpose
from keys.primitives import SigningKey, mac_tag
from keys.store.issuer import IssuerHome
from server.domain.alerts.alert import AlertFilter, Severity
from server.domain.codes.claim import UNGUESSABLE_CHARS
from server.domain.network_limits import WRONG_CLAIMS_HERE, WRONG_CLAIMS_OF_UNIT
from server.services.batches.find import find_code
from server.services.brands.keyring import publish_keyring
from server.services.queries import codes as code_queries
from server.services.queries.alerts import alerts
from server.storage.scans import count_of_unit
from tests.server.simulator import GTIN, Brand, World, both_databases, on_postgresql

Tag = Callable[[bytes], bytes]


def forged(brand: Brand, key: CodeKey, unit: SerialUnit, tag: Tag, gtin: str = GTIN_NONE) -> str:
    """The code of a unit as somebody makes it who knows everything but the signing key."""
    keyring = brand.issuer.keyring.keyring
    serial = SerialCipher(brand.issuer.serial_key(key.serial_key), keyring.brand_id).serial(unit)
    message = signed_message(key, keyring.brand_id, serial=serial, gtin=gtin)
    return format_code(
        ParsedCode(form=key.form, prefix=key.prefix, key_id=key.key_id, serial=serial, gtin=gtin, tag=tag(message))
    )


@pytest.mark.parametrize("purpose", [Purpose.PROOF, Purpose.LOG_HEAD])
def test_the_operator_signs_codes_with_the_servers_own_keys(world: World, brand: Brand, purpose: Purpose) -> None:
    """The server has the serial key, hence every serial; none of its keys stands in a keyring."""
    issued = world.issue()
    store = brand.keys.store
    key = brand.issuer.keyring.keyring.key_for(form=Form.SHORT, profile=Profile.SIGNED)
    names = [header.key_id for header in store.headers() if header.purpose is purpose]
    assert names
    for name in names:
        unit = SerialUnit(batch=issued.batch.number, index=0, tier=Tier.SINGLE)
        text = forged(brand, key, unit, SigningKey(store.get(purpose, name)).sign)
        assert world.verdict(text, "operator") == "not_ours"
        with pytest.raises(AuthcodeError) as refused:
            verify_offline(text, brand.issuer.keyring, world.clock.now)
        assert refused.value.code == "not_ours"
    assert world.verdict(issued.text(0), "anna") == "genuine"


def test_the_operator_publishes_a_keyring_with_a_key_of_its_own(world: World, brand: Brand) -> None:
    keyring = brand.issuer.keyring.keyring
    with pytest.raises(RootChanged):
        publish_keyring(world.ctx.db, sign_keyring(keyring, SigningKey.generate()), server_id=None, now=world.clock.now)


def test_a_stolen_mac_key_makes_compact_codes_for_units_of_a_signed_batch(world: World, brand: Brand) -> None:
    """The MAC key lies on the server; a batch's codes are of the one key that its manifest names."""
    issued = world.issue()
    key = brand.issuer.keyring.keyring.key_for(form=Form.SHORT, profile=Profile.COMPACT)
    secret = brand.keys.mac[key.key_id]
    unit = SerialUnit(batch=issued.batch.number, index=3, tier=Tier.SINGLE)
    text = forged(brand, key, unit, lambda message: mac_tag(secret, message))
    assert world.verdict(text, "thief") == "not_activated"
    (alert,) = alerts(world.ctx, AlertFilter()).rows
    assert (alert.rule, alert.severity) == ("unknown_unit", Severity.HIGH)
    assert world.verdict(issued.text(3), "anna") == "genuine"


def test_a_stolen_signing_key_puts_another_products_gtin_on_a_unit(world: World, brand: Brand) -> None:
    """A link code names its product; the batch has one GTIN, and a good signature under another is no guess."""
    issued = world.issue(form=Form.GS1)
    key = brand.issuer.keyring.keyring.code_key(issued.batch.key_id)
    sign = SigningKey(brand.issuer.code_secret(key.key_id)).sign
    unit = SerialUnit(batch=issued.batch.number, index=3, tier=Tier.SINGLE)
    assert forged(brand, key, unit, sign, gtin=GTIN) == issued.text(3)
    text = forged(brand, key, unit, sign, gtin="04006381333931")
    assert world.state(text) == "not_activated"
    assert world.verdict(text, "thief") == "not_activated"
    (alert,) = alerts(world.ctx, AlertFilter()).rows
    assert (alert.rule, alert.severity) == ("unknown_unit", Severity.HIGH)
    assert world.verdict(issued.text(3), "anna") == "genuine"


def test_a_code_is_shown_under_another_brands_address(world: World, other_brand: IssuerHome) -> None:
    """A mixed text: one brand's prefix before another's key, serial and tag."""
    issued = world.issue()
    theirs = other_brand.keyring.keyring.prefixes[0]
    own = issued.text(0)
    tail = own.split("/", 3)[3]
    assert world.verdict(theirs + tail, "mallory") == "not_ours"
    # On a page host and port take no part: the key id says whose it is, and the page names that brand's address.
    page = world.client.get(f"/{tail}", base_url="https://v.other.example").text
    assert "v.example.com" in page
    assert "v.other.example" not in page


# A host whose published prefix is https means a proxy in front that ends TLS: there a browser keeps a Secure cookie.
@pytest.mark.parametrize(("host", "encrypted"), [("http://v.example.com", True), ("http://192.0.2.7:8470", False)])
def test_a_page_without_encryption_gives_no_cookie_and_says_so(world: World, host: str, *, encrypted: bool) -> None:
    issued = world.issue()
    path = "/" + issued.text(0).split("/", 3)[3]
    client = world.client
    page = client.get(path, base_url=host)
    assert "Set-Cookie" not in page.headers
    answer = client.post(path, base_url=host, data=form_of(page.text))
    assert "Genuine code" in answer.text
    assert ("your browser could not be given a mark" in answer.text) is not encrypted
    assert ("Set-Cookie" in answer.headers) is encrypted
    for cookie in answer.headers.getlist("Set-Cookie"):
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def form_of(page: str) -> dict[str, str]:
    """Token and claim of a look page."""
    found = dict(re.findall(r'<input type="hidden" name="(token|claim)" value="([^"]+)"', page))
    assert set(found) == {"token", "claim"}
    return found


def test_codes_are_harvested_and_tried_with_a_claim_that_was_seen_elsewhere(world: World) -> None:
    """A claim is bound to unit and life: replayed on another code it is a stranger's, and no holder's."""
    issued = world.issue()
    assert world.verdict(issued.text(0), "anna-0815") == "genuine"
    assert world.verdict(issued.text(1), "ben-4711") == "genuine"
    world.clock.forward(hours=1)
    assert world.verdict(issued.text(1), "anna-0815") == "already_verified"
    assert world.verdict(issued.text(0), "anna-0815") == "verified_by_you"


# claims are guessed

VICTIM = "order-37"
HERE, ELSEWHERE = "203.0.113.9", "198.51.100.7"


def asked(world: World, address: str, act: str, text: str, claim: str) -> TestResponse:
    """A program's request from an address."""
    body, there = {"code": text, "claim": claim}, {"REMOTE_ADDR": address}
    return world.client.post(f"/api/v1/{act}", json=body, environ_base=there)


def told(world: World, address: str, text: str, claim: str) -> str:
    answer = asked(world, address, "verify", text, claim)
    assert answer.status_code == 200
    return str(answer.get_json()["verdict"])


@pytest.mark.parametrize("later", [0, 3600])
def test_a_claim_that_counts_up_is_guessed_in_order(later: int, world: World) -> None:
    """Beyond a few wrong ones the right one is a stranger's too: no receipt, no undo, and the history says so."""
    code = world.issue().text(0)
    assert told(world, HERE, code, VICTIM) == "genuine"
    world.clock.forward(seconds=later)
    answers = [asked(world, ELSEWHERE, "verify", code, f"order-{number}").get_json() for number in range(60)]
    assert {answer["verdict"] for answer in answers} == {"already_verified"}
    assert {(answer["proof"], answer["keep_code"], answer["was_yours"]) for answer in answers} == {(None, None, False)}
    history = code_queries.code_history(world.ctx, find_code(world.ctx, code))
    assert history.scans.total == 61
    assert {(scan.said, scan.own) for scan in history.scans.rows[:50]} == {("already_verified", False)}
    for act in ("undo", "hand-on", "erase", "log/proof"):
        refused = asked(world, ELSEWHERE, act, code, VICTIM)
        assert (refused.status_code, refused.get_json()["code"]) == (429, "claim_tries_spent")
    assert world.state(code) == "already_verified"
    assert told(world, HERE, code, VICTIM) == ("verified_by_you" if later else "genuine")
    world.clock.forward(hours=25)
    assert told(world, ELSEWHERE, code, VICTIM) == "verified_by_you"


@pytest.mark.parametrize("act", ["undo", "hand-on", "erase", "log/proof"])
def test_a_claim_is_guessed_where_it_would_do_something(act: str, world: World) -> None:
    """The tries end alike for used and unused codes, so that their end does not tell which are used."""
    issued = world.issue()
    assert told(world, HERE, issued.text(0), VICTIM) == "genuine"
    manifest, _ = world.manifest()
    for code in (issued.text(0), issued.text(1), world.codes(manifest)[0].code):
        statuses = [asked(world, ELSEWHERE, act, code, f"order-{number}").status_code for number in range(40)]
        assert statuses == [404] * WRONG_CLAIMS_HERE + [429] * (40 - WRONG_CLAIMS_HERE)
    assert world.state(issued.text(0)) == "already_verified"
    assert asked(world, HERE, act, issued.text(0), VICTIM).status_code == 200


def test_many_networks_guess_a_claim_together(world: World) -> None:
    """They make the client of a short claim a stranger for a day, but not the network that verified a moment ago."""
    code = world.issue().text(0)
    first = asked(world, HERE, "verify", code, VICTIM)
    for number in range(WRONG_CLAIMS_OF_UNIT):
        assert told(world, f"10.{number}.0.1", code, f"guess-{number}") == "already_verified"
    assert told(world, ELSEWHERE, code, VICTIM) == "already_verified"
    assert asked(world, HERE, "verify", code, VICTIM).data == first.data
    world.clock.forward(hours=1)
    assert told(world, HERE, code, VICTIM) == "already_verified"
    world.clock.forward(hours=24)
    assert told(world, HERE, code, VICTIM) == "verified_by_you"


@both_databases
def test_the_network_that_verified_guesses_no_longer_than_others(world: World) -> None:
    """The shop's own wireless network, in which thief and buyer stand side by side."""
    code = world.issue().text(0)
    assert told(world, HERE, code, VICTIM) == "genuine"
    assert {told(world, HERE, code, f"order-{number}") for number in range(60)} == {"already_verified"}


def test_claims_of_128_bits_wait_for_nobody(world: World) -> None:
    code, long = world.issue().text(0), "v" * UNGUESSABLE_CHARS
    first = asked(world, HERE, "verify", code, long)
    for number in range(WRONG_CLAIMS_HERE + 1):
        assert told(world, HERE, code, f"order-{number}") == "already_verified"
        assert told(world, HERE, code, f"{number:022}") == "already_verified"
    assert asked(world, HERE, "verify", code, long).data == first.data
    assert asked(world, HERE, "log/proof", code, long).status_code == 200
    assert asked(world, HERE, "undo", code, long).status_code == 200


@pytest.mark.parametrize(("claim", "writes"), [("v" * UNGUESSABLE_CHARS, False), ("short", True)])
def test_only_a_claim_that_is_counted_takes_the_writers_turn(claim: str, writes: bool, world: World) -> None:  # noqa: FBT001
    code, begun = world.issue().text(0), []
    told(world, HERE, code, VICTIM)
    sa.event.listen(world.ctx.db.engine, "commit", lambda _connection: begun.append("commit"))
    assert asked(world, ELSEWHERE, "log/proof", code, claim).status_code == 404
    assert bool(begun) == writes


def test_wrong_claims_keep_nobody_out_who_brings_the_keep_code(world: World) -> None:
    code = world.issue().text(0)
    keep_code = asked(world, HERE, "verify", code, VICTIM).get_json()["keep_code"]
    for number in range(WRONG_CLAIMS_HERE + 1):
        told(world, HERE, code, f"guess-{number}")
    answer = world.client.post("/api/v1/undo", json={"code": code, "keep_code": keep_code})
    assert answer.get_json()["state"] == "unused"


def test_a_claim_is_guessed_on_the_pages(world: World) -> None:
    """Those that pages make are long; a short one in a form is none of theirs, and is compared with nothing."""
    code = world.issue().text(0)
    keep_code = asked(world, HERE, "verify", code, VICTIM).get_json()["keep_code"]
    path = "/" + code.split("/", 3)[3]
    token = form_of(world.client.get(path, base_url="http://v.example.com").text)["token"]
    for form in (
        {"token": token, "claim": VICTIM},
        {"claim": VICTIM},
        {"claim": VICTIM, "receipt": "save"},
        *({"claim": VICTIM, "act": act} for act in ("undo", "hand_on", "erase")),
    ):
        answer = world.client.post(path, base_url="http://v.example.com", data=form)
        assert answer.status_code in {404, 409}
        assert keep_code not in answer.text
        assert "verified by you" not in answer.text.lower()
    assert world.state(code) == "already_verified"


@pytest.mark.parametrize("used", [True, False])
def test_guesses_at_the_same_moment_are_counted_one_after_the_other(used: bool, world: World) -> None:  # noqa: FBT001
    """An unused unit has no row that could be locked."""
    code = world.issue().text(0)
    if used:
        assert told(world, HERE, code, VICTIM) == "genuine"
    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(asked, world, ELSEWHERE, "undo", code, f"guess-{number}") for number in range(24)]
    statuses = sorted(one.result().status_code for one in asking)
    assert statuses == [404] * WRONG_CLAIMS_HERE + [429] * (24 - WRONG_CLAIMS_HERE)


@on_postgresql
def test_short_and_long_claims_on_one_used_code_never_wait_for_each_other_in_a_circle(world: World) -> None:
    """Otherwise the database ends some after a second each, all threads wait, and what it ended is in no history."""
    issued = world.issue()
    code, deadlocks = issued.text(0), list[str]()
    assert world.verdict(code, VICTIM) == "genuine"

    @sa.event.listens_for(world.ctx.db.engine, "handle_error")
    def note(problem: sa.engine.ExceptionContext) -> None:
        deadlocks.append(str(problem.original_exception))

    def ask(number: int) -> int:
        claim = f"{number:06}" if number % 2 else f"{number:032}"
        return world.ask(code, claim).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(ask, range(64)))
    assert (deadlocks, set(statuses)) == ([], {200})
    unit = find_code(world.ctx, code)
    (found,) = alerts(world.ctx, AlertFilter(rule="duplicate", unit=unit)).rows
    assert found.count == 64
    with world.ctx.db.read() as connection:
        assert count_of_unit(connection, unit.id) == 65


def test_no_answer_names_the_code_that_was_asked(world: World) -> None:
    """Neither a header nor a body of any verdict carries a code's tail, where a referrer or a log would take it on."""
    issued, unreleased = world.issue(), world.issue(activate=False)
    for text in (issued.text(0), unreleased.text(0), issued.text(0)[:-5] + "00000"):
        for answer in every_answer(world.client, text):
            tail = text[-40:].lower()
            assert tail not in str(answer.headers).lower()
            assert tail not in answer.text.lower().replace(f'action="/{text.split("/", 3)[3].lower()}"', "")


def every_answer(client: FlaskClient, text: str) -> list[TestResponse]:
    """All that is answered to one code, as pages and as documents."""
    path = "/" + text.split("/", 3)[3]
    return [
        client.get(path),
        client.post(path, data={"token": "x", "claim": "y"}),
        client.post("/api/v1/look", json={"code": text}),
        client.post("/api/v1/verify", json={"code": text, "claim": "anna"}),
        client.post("/api/v1/verify", json={"code": text, "claim": "ben"}),
    ]
