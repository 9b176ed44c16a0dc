# ruff: noqa: ANN401 - fixtures' classes live in conftest, which tests cannot import
"""No field of a genuine code can be exchanged for another genuine code's: the tag covers them all."""

import itertools
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcode.code.payload import GTIN_NONE, NotOurs, ParsedCode, format_code, parse_code, signed_message
from authcode.code.serial import SerialCipher, SerialUnit, Tier
from authcode.code.sign import CodeSigner
from authcode.code.verify import verify_code
from keys.format.keyring import Keyring, KeyringSet
from keys.format.records import CodeKey, Form, Profile
from keys.primitives import SigningKey, mac_tag

HOSTS: Final = ("HTTPS://V.EXAMPLE.COM/", "HTTPS://W.EXAMPLE.COM/")
GTINS: Final = ("09506000134352", "09506000134369")
FIELDS: Final = ("form", "prefix", "key_id", "serial", "gtin", "tag")
SERIAL_KEY: Final = b"\x04" * 32


@dataclass(frozen=True, slots=True)
class World:
    """Two brands with two hosts each, and on each host a key of every form and profile."""

    keyrings: KeyringSet
    secrets: dict[str, bytes]
    ids: tuple[str, ...]

    @property
    def mac_keys(self) -> dict[str, bytes]:
        return {key_id: self.secrets[key_id] for key_id in self.ids if self._key(key_id).profile is Profile.COMPACT}

    def _key(self, key_id: str) -> CodeKey:
        found = self.keyrings.by_key_id(key_id)
        assert found is not None
        return found[1]

    def code(self, key_id: str, unit: SerialUnit, gtin: str) -> str:
        found = self.keyrings.by_key_id(key_id)
        assert found is not None
        keyring, key = found
        serial = SerialCipher(SERIAL_KEY, keyring.brand_id).serial(unit)
        signer = CodeSigner(keyring.brand_id, key, self.secrets[key_id])
        return signer.code(serial, gtin) if key.form is Form.GS1 else signer.code(serial)

    def accepts(self, text: str) -> bool:
        try:
            verify_code(text, self.keyrings, mac_keys=self.mac_keys)
        except NotOurs:
            return False
        return True

    def parsed(self, text: str) -> ParsedCode:
        return parse_code(text, self.keyrings)[2]


KINDS: Final = ((Profile.SIGNED, Form.SHORT), (Profile.SIGNED, Form.GS1), (Profile.COMPACT, Form.SHORT))


def _brand(plain: Keyring, key_record: Any, number: int, secrets: dict[str, bytes]) -> Keyring:
    host_of = [host.replace("EXAMPLE", "OTHER") if number else host for host in HOSTS]
    keys = []
    for place, ((profile, form), prefix) in enumerate(itertools.product(KINDS, host_of)):
        key_id = f"{'AB'[number]}{place}"
        secrets[key_id] = bytes([16 * number + place + 1]) * 32
        public = SigningKey(secrets[key_id]).public_key if profile is Profile.SIGNED else None
        plain_key = key_record("K1", profile, form)
        keys.append(replace(plain_key, key_id=key_id, prefix=prefix, public_key=public))
    return replace(plain, brand_id=bytes([number]) * 16, prefixes=tuple(host_of), code_keys=tuple(keys))


@pytest.fixture(scope="module")
def world(brand: Any, key_record: Any) -> World:
    secrets: dict[str, bytes] = {}
    keyrings = KeyringSet([_brand(brand.keyring, key_record, number, secrets) for number in (0, 1)])
    return World(keyrings, secrets, tuple(secrets))


units = st.builds(SerialUnit, batch=st.integers(0, 9), index=st.integers(0, 9), tier=st.sampled_from(Tier))
some_fields = st.sets(st.sampled_from(FIELDS), min_size=1, max_size=len(FIELDS) - 1)


@given(st.data(), units, units, some_fields)
def test_a_code_put_together_from_two_is_refused_unless_it_is_one_of_them(
    world: World, data: Any, first_unit: SerialUnit, second_unit: SerialUnit, taken: set[str]
) -> None:
    ids, gtins = st.sampled_from(world.ids), st.sampled_from(GTINS)
    first = world.code(data.draw(ids), first_unit, data.draw(gtins))
    second = world.code(data.draw(ids), second_unit, data.draw(gtins))
    assert world.accepts(first)
    assert world.accepts(second)
    given_parts = world.parsed(second)
    mixed = replace(world.parsed(first), **{name: getattr(given_parts, name) for name in taken})
    text = format_code(mixed)
    assert world.accepts(text) == (text in {first, second})


def _one_of_each(world: World) -> list[tuple[str, str]]:
    unit = SerialUnit(batch=1, index=1, tier=Tier.SINGLE)
    return [(key_id, world.code(key_id, unit, GTINS[0])) for key_id in world.ids]


def test_the_id_of_every_other_key_is_refused_in_every_code(world: World) -> None:
    for (key_id, text), (other, _) in itertools.permutations(_one_of_each(world), 2):
        parsed = world.parsed(text)
        assert not world.accepts(format_code(replace(parsed, key_id=other))), (key_id, other)


def test_every_other_host_is_refused_in_every_code(world: World) -> None:
    for key_id, text in _one_of_each(world):
        parsed = world.parsed(text)
        for prefix in world.keyrings.prefixes - {parsed.prefix}:
            assert not world.accepts(format_code(replace(parsed, prefix=prefix))), (key_id, prefix)


@pytest.mark.parametrize("tier", Tier)
def test_the_tag_of_one_tier_vouches_for_no_other(world: World, tier: Tier) -> None:
    for key_id in world.ids:
        tag = world.parsed(world.code(key_id, SerialUnit(batch=1, index=1, tier=tier), GTINS[0])).tag
        for other in set(Tier) - {tier}:
            parsed = world.parsed(world.code(key_id, SerialUnit(batch=1, index=1, tier=other), GTINS[0]))
            assert not world.accepts(format_code(replace(parsed, tag=tag)))


def test_another_gtin_with_a_right_check_digit_is_refused(world: World) -> None:
    for _, text in _one_of_each(world):
        parsed = world.parsed(text)
        if parsed.form is Form.GS1:
            assert not world.accepts(format_code(replace(parsed, gtin=GTINS[1])))


@pytest.mark.parametrize("field", ["form", "profile", "brand_id", "key_id", "serial", "gtin", "prefix"])
def test_a_tag_over_a_message_with_one_other_field_is_refused(world: World, field: str) -> None:
    """Even the key's owner cannot sign for another form, profile, brand, key, serial, GTIN or host."""
    for key_id, text in _one_of_each(world):
        keyring, key, parsed = parse_code(text, world.keyrings)
        fields: dict[str, Any] = {
            "form": key.form,
            "profile": key.profile,
            "brand_id": keyring.brand_id,
            "key_id": key_id,
            "serial": parsed.serial,
            "gtin": parsed.gtin,
            "prefix": parsed.prefix,
        }
        others = {
            "form": Form.GS1 if key.form is Form.SHORT else Form.SHORT,
            "profile": Profile.COMPACT if key.profile is Profile.SIGNED else Profile.SIGNED,
            "brand_id": b"?" * 16,
            "key_id": "ZZ",
            "serial": parsed.serial[::-1] if parsed.serial != parsed.serial[::-1] else "0" * 13,
            "gtin": GTINS[1] if parsed.gtin == GTIN_NONE else GTIN_NONE,
            "prefix": "HTTPS://X.EXAMPLE.COM/",
        }

        def tag(made_of: dict[str, Any], key: CodeKey = key, key_id: str = key_id) -> bytes:
            signing = SimpleNamespace(**{name: made_of[name] for name in ("form", "profile", "key_id", "prefix")})
            message = signed_message(signing, made_of["brand_id"], serial=made_of["serial"], gtin=made_of["gtin"])
            secret = world.secrets[key_id]
            return mac_tag(secret, message) if key.profile is Profile.COMPACT else SigningKey(secret).sign(message)

        assert tag(fields) == parsed.tag
        assert not world.accepts(format_code(replace(parsed, tag=tag({**fields, field: others[field]})))), key_id


def test_a_brand_that_lists_anothers_key_as_its_own_gets_none_of_its_codes(world: World) -> None:
    ours, theirs = world.keyrings.keyrings
    thief = KeyringSet([replace(theirs, prefixes=ours.prefixes, code_keys=ours.code_keys)])
    for key_id, text in _one_of_each(world):
        if key_id in {key.key_id for key in ours.code_keys}:
            with pytest.raises(NotOurs):
                verify_code(text, thief, mac_keys=world.mac_keys)
