# ruff: noqa: ANN401 - the changes of a keyring, and answers of the test client
"""Several brands on one server: none takes over the name, the hosts or the voice of another."""

from dataclasses import replace
from typing import Any

import pytest

from keys.base.crockford import ALPHABET
from keys.base.errors import BrandConflict
from keys.format.keyring import Keyring, sign_keyring
from keys.primitives import SigningKey
from server.domain.staff.scope import Scope
from server.services.brands.keyring import publish_keyring
from tests.server.simulator import PREFIX, Brand, World
from tests.server.web.api.calls import everything, made, refusal, send

ROOT = SigningKey(b"\x09" * 32)
NAME, HOST = "Bright", "HTTPS://BRIGHT.EXAMPLE/"
OURS = PREFIX.split("/")[2].lower()


@pytest.fixture
def bright(brand: Brand) -> Keyring:
    """The keyring of a second brand with an honest name and host, of the root `ROOT`."""
    ours = brand.issuer.keyring.keyring
    taken = {key.key_id for key in ours.code_keys}
    free = (first + second for first in ALPHABET for second in ALPHABET if first + second not in taken)
    keys = tuple(replace(key, key_id=next(free), prefix=HOST) for key in ours.code_keys)
    return replace(ours, brand_id=b"\x0c" * 16, brand=NAME, prefixes=(HOST,), code_keys=keys, version=1)


def _publish(world: World, keyring: Keyring, **changes: Any) -> Keyring:
    document = sign_keyring(replace(keyring, **changes), ROOT)
    return publish_keyring(world.ctx.db, document, server_id=None, now=world.clock.now)


def _listed(world: World, host: str) -> tuple[str | None, str | None]:
    world.ctx.keyrings._read_at = None  # noqa: SLF001 - as after its few seconds
    told = world.client.post("/api/v1/look", json={"code": f"https://{host}/x"}).get_json()["foreign"]
    return told["listed"], told["brand"]


TAKEN: list[dict[str, Any]] = [
    {"brand": "Example Tea"},
    {"brand": "EXAMPLE  \uff34ea"},
    {"brand": "\u0415xample Tea"},
    {"brand": "ExampIe Tea"},
    {"prefixes": (HOST, PREFIX)},
    {"prefixes": (HOST, PREFIX.replace("M", "RN"))},
    {"prefixes": (HOST, PREFIX.replace("HTTPS", "HTTP"))},
    {"prefixes": (HOST, PREFIX[:-1] + ":8443/")},
]


@pytest.mark.parametrize("taken", TAKEN)
def test_a_brand_arrives_under_no_name_and_no_host_of_another(
    world: World, bright: Keyring, taken: dict[str, Any]
) -> None:
    before = everything(world)
    with pytest.raises(BrandConflict, match="use another name or host here"):
        _publish(world, bright, **taken)
    assert everything(world) == before


@pytest.mark.parametrize("taken", TAKEN)
def test_a_token_for_a_keyring_takes_no_name_and_no_host_of_another_brand_later(
    world: World, bright: Keyring, taken: dict[str, Any]
) -> None:
    _publish(world, bright)
    token = made(world, Scope.KEYS, brand=NAME)
    before = everything(world)
    newer = sign_keyring(replace(bright, version=2, **taken), ROOT)
    assert refusal(send(world, "PUT", "/keyring", token, newer)) == (409, "brand_conflict")
    assert everything(world) == before
    mixed = sign_keyring(replace(bright, version=2, brand="Brighter T\u0435a"), ROOT)
    assert refusal(send(world, "PUT", "/keyring", token, mixed)) == (400, "name_mixes_scripts")
    honest = sign_keyring(replace(bright, version=2, brand="Brighter", prefixes=(HOST, "HTTPS://B.EXAMPLE/")), ROOT)
    assert send(world, "PUT", "/keyring", token, honest).status_code == 200


def test_the_first_brand_to_arrive_keeps_what_it_has_in_later_versions(
    world: World, bright: Keyring, brand: Brand
) -> None:
    _publish(world, bright)
    for version in (2, 3):
        assert _publish(world, bright, version=version).version == version
    ours = brand.issuer.keyring
    again = publish_keyring(world.ctx.db, ours.document, server_id=None, now=world.clock.now)
    assert again.brand == "Example Tea"


def test_a_partner_listing_says_nothing_of_where_another_brand_is_at_home(world: World, bright: Keyring) -> None:
    above = OURS.partition(".")[2]
    _publish(world, bright, partner_domains=("partner.example", OURS, f"shop.{OURS}", above))
    assert _listed(world, "www.partner.example") == ("partner", NAME)
    for host in (f"www.{OURS}", f"shop.{OURS}", above, f"genuine.{above}"):
        assert _listed(world, host) == (None, None), host
    assert world.client.post("/api/v1/look", json={"code": f"{PREFIX}x"}).get_json()["foreign"] is None


def test_a_brand_lists_partners_around_its_own_hosts(world: World, bright: Keyring) -> None:
    _publish(world, bright, partner_domains=("shop.bright.example",))
    assert _listed(world, "shop.bright.example") == ("partner", NAME)


def test_a_listed_host_carries_the_id_of_the_brand_that_lists_it(world: World, bright: Keyring) -> None:
    from authcode.code.foreign import describe_foreign

    _publish(world, bright, partner_domains=("partner.example",))
    world.ctx.keyrings._read_at = None  # noqa: SLF001 - as after its few seconds
    found = describe_foreign("https://partner.example/", world.ctx.keyrings().keyrings).listed
    assert found is not None
    assert found.brand_id == bright.brand_id


def test_a_partner_listing_says_nothing_of_what_looks_like_another_brands_host(world: World, bright: Keyring) -> None:
    twin = OURS.replace("m", "rn")
    _publish(world, bright, partner_domains=(twin,))
    assert _listed(world, twin) == (None, None)


@pytest.mark.parametrize(
    "name", ["\u0141\u00f3d\u017a", "\u65e5\u672c\u30b3\u30fc\u30d2\u30fc 2", "\u041a\u043e\u0444\u0435", "AT&T", "3M"]
)
def test_an_honest_name_is_published_next_to_another_brand(world: World, bright: Keyring, name: str) -> None:
    assert _publish(world, bright, brand=name).brand == name


def test_a_name_that_was_here_before_the_rule_stays(
    world: World, bright: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("server.services.brands.keyring.refuse_mixed", lambda _known, _offered: None)
        _publish(world, bright, brand="\u0410urel")
    assert _publish(world, bright, brand="\u0410urel", version=2).version == 2
