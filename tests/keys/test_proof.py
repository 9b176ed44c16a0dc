"""Proofs: what is signed comes back, and nothing else does."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.proof import (
    MAX_PROOF_CHARS,
    Proof,
    ProofAlgorithmRefused,
    ProofAltered,
    ProofFromElsewhere,
    ProofIncomplete,
    ProofKeys,
    ProofRefused,
    ProofUnreadable,
    open_proof,
    public_keys_of,
)

SEED, OLDER, FOREIGN = b"p" * 32, b"o" * 32, b"f" * 32
KEYS = ProofKeys([SEED])
PROOF = Proof(
    issuer="https://v.example.com",
    id="0123456789ABCDEFGHJKM",
    at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    brand="00" * 16,
    gtin="09506000134352",
    serial="7Q4KM2XD9FA1C",
    life=0,
    hop=0,
)
TEXT = KEYS.sign(PROOF)
HEAD, _, TAIL = TEXT.rpartition(".")
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unpart(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def resigned(header: object, payload: object, seed: bytes = SEED) -> str:
    """A JWS written by hand, with the same key."""
    message = f"{part(header)}.{part(payload)}"
    return f"{message}.{part(Ed25519PrivateKey.from_private_bytes(seed).sign(message.encode()))}"


def header_of(text: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(unpart(text.split(".", maxsplit=1)[0]))
    return found


@given(
    gtin=st.none() | st.just("09506000134352"),
    life=st.integers(0, 3),
    hop=st.integers(0, 255),
    head=st.none() | st.text("abcdef0123456789", min_size=1, max_size=64),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - made aware below
)
def test_what_is_signed_is_what_is_read_and_always_the_same_text(
    gtin: str | None, life: int, hop: int, head: str | None, at: datetime
) -> None:
    moment = at.replace(tzinfo=UTC, microsecond=0)
    proof = replace(PROOF, gtin=gtin, life=life, hop=hop, log_head=head, at=moment)
    assert KEYS.open(KEYS.sign(proof)) == proof
    assert KEYS.sign(proof) == ProofKeys([SEED]).sign(proof)


def test_a_proof_is_a_jws_that_any_library_checks_by_the_published_keys() -> None:
    document = json.loads(json.dumps(KEYS.document()))
    assert header_of(TEXT) == {"alg": "Ed25519", "typ": "authcode-proof+jwt", "kid": document["keys"][0]["kid"]}
    message, _, signature = TEXT.rpartition(".")
    public = Ed25519PublicKey.from_public_bytes(unpart(document["keys"][0]["x"]))
    public.verify(unpart(signature), message.encode())
    assert json.loads(unpart(message.split(".")[1])) == {
        "iss": "https://v.example.com",
        "jti": "0123456789ABCDEFGHJKM",
        "iat": 1795262400,
        "brand": "00" * 16,
        "gtin": "09506000134352",
        "serial": "7Q4KM2XD9FA1C",
        "life": 0,
        "hop": 0,
    }
    assert open_proof(TEXT, public_keys_of(document)) == PROOF
    assert "d" not in document["keys"][0]


def test_the_newest_key_signs_and_older_proofs_still_hold() -> None:
    old = ProofKeys([OLDER]).sign(PROOF)
    both = ProofKeys([OLDER, SEED])
    assert both.open(old) == PROOF
    assert both.sign(PROOF) == TEXT
    assert len(both.document()["keys"]) == 2
    with pytest.raises(ValueError, match="at least one"):
        ProofKeys([])


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "HS256", "EdDSA", "ed25519", "ES256", "RS256", "Ed448", "", None, 7, ["Ed25519"]]
)
def test_another_algorithm_is_refused_before_any_key_is_looked_at(algorithm: object) -> None:
    header = {**header_of(TEXT), "alg": algorithm}
    for text in (resigned(header, PROOF.claims()), resigned(header, PROOF.claims()).rpartition(".")[0] + "."):
        with pytest.raises(ProofAlgorithmRefused) as told:
            KEYS.open(text)
        assert "HS256" not in str(told.value)


def test_a_public_key_is_never_taken_as_a_shared_secret() -> None:
    import hashlib
    import hmac

    public = unpart(KEYS.document()["keys"][0]["x"])
    message = f"{part({**header_of(TEXT), 'alg': 'HS256'})}.{TEXT.split('.')[1]}"
    tag = hmac.new(public, message.encode(), hashlib.sha256).digest()
    with pytest.raises(ProofAlgorithmRefused):
        KEYS.open(f"{message}.{part(tag)}")


@pytest.mark.parametrize(
    "change", [{"jwk": {"kty": "OKP"}}, {"crit": ["b64"], "b64": False}, {"typ": "JWT"}, {"kid": 1}]
)
def test_a_header_says_algorithm_type_and_key_and_nothing_else(change: dict[str, object]) -> None:
    with pytest.raises(ProofUnreadable):
        KEYS.open(resigned({**header_of(TEXT), **change}, PROOF.claims()))


@pytest.mark.parametrize(
    "text",
    [
        *(TEXT[:-1], TEXT[:-40], HEAD, f"{HEAD}.", TEXT.split(".", maxsplit=1)[0]),
        *(TEXT + TEXT[-1], TEXT + TAIL, f"{TEXT}.{TAIL}", TEXT + TEXT),
    ],
)
def test_a_cut_or_doubled_tail_is_told_as_that(text: str) -> None:
    with pytest.raises(ProofIncomplete):
        KEYS.open(text)


def test_another_servers_proof_is_told_as_that() -> None:
    with pytest.raises(ProofFromElsewhere):
        KEYS.open(ProofKeys([FOREIGN]).sign(PROOF))
    with pytest.raises(ProofAltered):  # a stranger's signature under our key's name
        KEYS.open(resigned(header_of(TEXT), PROOF.claims(), FOREIGN))


@pytest.mark.parametrize("claim", sorted(PROOF.claims()))
def test_every_claim_is_under_the_signature(claim: str) -> None:
    head, _, signature = TEXT.split(".")
    changed = {**PROOF.claims(), claim: "x" if claim != "iat" else 1}
    with pytest.raises(ProofAltered):
        KEYS.open(f"{head}.{part(changed)}.{signature}")


def test_one_signature_has_one_text() -> None:
    """The last character of 64 bytes in base64url has four spare bits: fifteen of sixteen must be refused."""
    last = BASE64URL.index(TEXT[-1])
    twins = [BASE64URL[last & 0b110000 | spare] for spare in range(16)]
    accepted = []
    for twin in twins:
        try:
            KEYS.open(TEXT[:-1] + twin)
            accepted.append(twin)
        except ProofAltered:
            pass
    assert accepted == [TEXT[-1]]


def test_one_signature_has_one_text_whatever_the_library_below_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should it begin to overlook spare bits, our own comparison still refuses every other spelling."""
    taken: list[bytes] = []
    monkeypatch.setattr("keys.proof.verify_bytes", lambda _key, message, _signature: taken.append(message))
    last = BASE64URL.index(TEXT[-1])
    for spare in range(1, 16):
        twin = TEXT[:-1] + BASE64URL[last ^ spare]
        with pytest.raises(ProofAltered):
            KEYS.open(twin)
        assert taken[-1] == twin.rpartition(".")[0].encode()
    assert KEYS.open(TEXT).claims()


@pytest.mark.parametrize(
    "payload",
    [
        b"x",
        b"[]",
        b"{}",
        {**PROOF.claims(), "iat": "1"},
        {**PROOF.claims(), "iat": 1e300},
        {**PROOF.claims(), "new": 1},
        b"[" * 1000,
        dict(reversed(PROOF.claims().items())),
        json.dumps(PROOF.claims()).encode(),
    ],
)
def test_a_content_that_no_server_of_ours_writes_is_refused_though_signed(payload: object) -> None:
    with pytest.raises(ProofAltered):
        KEYS.open(resigned(header_of(TEXT), payload))


@pytest.mark.parametrize(
    "header",
    [
        dict(reversed(header_of(TEXT).items())),
        json.dumps(header_of(TEXT)).encode(),
        json.dumps(header_of(TEXT), separators=(",", ":")).replace("typ", "t\\u0079p").encode(),
    ],
)
def test_a_header_in_another_spelling_is_refused_though_signed(header: object) -> None:
    with pytest.raises(ProofAltered):
        KEYS.open(resigned(header, PROOF.claims()))


@given(st.text(max_size=80) | st.text("ey.AJ0-_", max_size=200))
def test_any_other_text_is_refused_with_one_of_our_errors(text: str) -> None:
    with pytest.raises(ProofRefused):
        KEYS.open(text)


@given(place=st.integers(0, len(TEXT) - 1), character=st.sampled_from(BASE64URL + ".= \n"))
@settings(max_examples=400)
def test_every_change_of_one_character_is_refused(place: int, character: str) -> None:
    text = TEXT[:place] + character + TEXT[place + 1 :]
    if text != TEXT:
        with pytest.raises(ProofRefused):
            KEYS.open(text)


def test_a_text_of_any_length_costs_little() -> None:
    with pytest.raises(ProofUnreadable):
        KEYS.open("a" * (MAX_PROOF_CHARS + 1))
    with pytest.raises(ProofUnreadable):
        KEYS.open(part(b"[" * 1400) + ".a.b")


def test_a_published_key_that_is_no_point_is_refused() -> None:
    from keys.base.errors import PublicKeyInvalid

    document = KEYS.document()
    document["keys"][0]["x"] = part(b"\x01" + bytes(31))
    with pytest.raises(PublicKeyInvalid):
        public_keys_of(document)
    with pytest.raises(ValueError, match="list of keys"):
        public_keys_of({})
    with pytest.raises(ValueError, match="list of keys"):
        public_keys_of({"keys": [1]})
    assert public_keys_of({"keys": [{"kty": "RSA"}]}) == {}


def test_nothing_shows_the_secret() -> None:
    assert SEED.decode() not in repr(KEYS)
    assert SEED.hex() not in repr(KEYS)
