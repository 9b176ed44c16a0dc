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
from server.domain.network_limits import WRONG_CLAIMS_HERE
from server.services.brands.keyring import publish_keyring
from server.services.queries.alerts import alerts
from tests.server.simulator import GTIN, Brand, World, claim_of
from tests.server.web.pages import heading

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
    assert ("Set-Cookie" in page.headers) is encrypted
    answer = client.post(path, base_url=host, data=form_of(page.text), follow_redirects=True)
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

VICTIM = claim_of("order-37")
HERE, ELSEWHERE = "203.0.113.9", "198.51.100.7"


def asked(world: World, address: str, act: str, text: str, claim: str) -> TestResponse:
    """A program's request from an address."""
    body, there = {"code": text, "claim": claim}, {"REMOTE_ADDR": address}
    return world.client.post(f"/api/v1/{act}", json=body, environ_base=there)


def told(world: World, address: str, text: str, claim: str) -> str:
    answer = asked(world, address, "verify", text, claim)
    assert answer.status_code == 200
    return str(answer.get_json()["verdict"])


def test_a_claim_that_counts_up_is_refused_before_it_verifies_anything(world: World) -> None:
    """Nobody can find it by counting, since nobody may verify with one."""
    code = world.issue().text(0)
    for act in ("verify", "undo", "hand-on", "erase", "log/proof"):
        for weak in ("order-17", "1" * 32, "00000000-0000-0000-0000"):
            refused = asked(world, HERE, act, code, weak)
            assert (refused.status_code, refused.get_json()["code"]) == (400, "claim_too_weak")
    assert world.state(code) == "unused"


@pytest.mark.parametrize("act", ["undo", "hand-on", "erase"])
def test_wrong_claims_are_limited_where_a_right_one_would_do_something(act: str, world: World) -> None:
    """The tries end alike for used, unused and unknown codes; the holder on the same network never waits."""
    issued = world.issue()
    assert told(world, HERE, issued.text(0), VICTIM) == "genuine"
    manifest, _ = world.manifest()
    for code in (issued.text(0), issued.text(1), world.codes(manifest)[0].code):
        statuses = [asked(world, HERE, act, code, claim_of(f"guess-{number}")).status_code for number in range(14)]
        assert statuses == [404] * WRONG_CLAIMS_HERE + [429] * 4
    assert asked(world, ELSEWHERE, act, issued.text(0), claim_of("guess-1")).status_code == 404
    assert asked(world, HERE, act, issued.text(0), VICTIM).status_code == 200


def test_nobody_waits_for_a_wrong_claim_that_only_reads(world: World) -> None:
    code, begun = world.issue().text(0), list[str]()
    told(world, HERE, code, VICTIM)
    sa.event.listen(world.ctx.db.engine, "commit", lambda _connection: begun.append("commit"))
    for number in range(WRONG_CLAIMS_HERE + 2):
        assert asked(world, ELSEWHERE, "log/proof", code, claim_of(f"guess-{number}")).status_code == 404
    assert begun == []
    assert asked(world, ELSEWHERE, "log/proof", code, VICTIM).status_code == 200


def test_wrong_claims_keep_nobody_out_who_brings_the_keep_code(world: World) -> None:
    code = world.issue().text(0)
    keep_code = asked(world, HERE, "verify", code, VICTIM).get_json()["keep_code"]
    for number in range(WRONG_CLAIMS_HERE + 1):
        asked(world, HERE, "undo", code, claim_of(f"guess-{number}"))
    answer = world.client.post("/api/v1/undo", json={"code": code, "keep_code": keep_code})
    assert answer.get_json()["state"] == "unused"


@pytest.mark.parametrize("claim", ["order-37", claim_of("guess")])
def test_a_claim_is_guessed_on_the_pages(claim: str, world: World) -> None:
    """One that no page can have made is compared with nothing, and any other has 128 bits."""
    code = world.issue().text(0)
    keep_code = asked(world, HERE, "verify", code, VICTIM).get_json()["keep_code"]
    path = "/" + code.split("/", 3)[3]
    token = form_of(world.client.get(path, base_url="http://v.example.com").text)["token"]
    for form in (
        {"token": token, "claim": claim},
        {"claim": claim},
        {"claim": claim, "receipt": "save"},
        *({"claim": claim, "act": act} for act in ("undo", "hand_on", "erase")),
    ):
        answer = world.client.post(path, base_url="http://v.example.com", data=form)
        assert heading(answer.text) == "This code was verified before"
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
        claims = [claim_of(f"guess-{number}") for number in range(24)]
        asking = [pool.submit(asked, world, ELSEWHERE, "undo", code, claim) for claim in claims]
    statuses = sorted(one.result().status_code for one in asking)
    assert statuses == [404] * WRONG_CLAIMS_HERE + [429] * (24 - WRONG_CLAIMS_HERE)


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
        client.post(path, data={"token": "x", "claim": claim_of("y")}),
        client.post("/api/v1/look", json={"code": text}),
        client.post("/api/v1/verify", json={"code": text, "claim": claim_of("anna")}),
        client.post("/api/v1/verify", json={"code": text, "claim": claim_of("ben")}),
    ]
