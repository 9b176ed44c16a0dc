"""Attacks replayed: what somebody tries who holds some keys, some codes, or the server, and what it gains."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from authcode.payload import GTIN_NONE, ParsedCode, format_code, signed_message
from authcode.serial import SerialCipher, Tier
from authcode.serial import Unit as SerialUnit
from authcode.verify import verify_offline
from keys.errors import AuthcodeError, RootChanged
from keys.issuer import IssuerHome
from keys.keyring import sign_keyring
from keys.primitives import SigningKey, mac_tag
from keys.records import CodeKey, Form, Profile, Purpose
from server.domain.alert import Rule, Severity
from server.services.dashboard import AlertFilter, alerts
from server.services.publish_keyring import publish_keyring
from tests.server.conftest import Brand, World

Tag = Callable[[bytes], bytes]


def forged(brand: Brand, key: CodeKey, unit: SerialUnit, tag: Tag) -> str:
    """The code of a unit as somebody makes it who knows everything but the signing key."""
    keyring = brand.issuer.keyring.keyring
    serial = SerialCipher(brand.issuer.serial_key(key.serial_key), keyring.brand_id).serial(unit)
    message = signed_message(
        form=key.form,
        profile=key.profile,
        brand_id=keyring.brand_id,
        key_id=key.key_id,
        serial=serial,
        gtin=GTIN_NONE,
        prefix=key.prefix,
    )
    return format_code(
        ParsedCode(form=key.form, prefix=key.prefix, key_id=key.key_id, serial=serial, gtin=GTIN_NONE, tag=tag(message))
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
    (alert,) = alerts(world.ctx, AlertFilter()).alerts
    assert (alert.rule, alert.severity) == (Rule.UNKNOWN_UNIT, Severity.HIGH)
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
