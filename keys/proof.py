"""Proofs of a first verification: what a buyer can show to anybody (docs/protocol.md §2 rule 11).

A proof is a JSON Web Signature (RFC 7515) in compact form: algorithm Ed25519 (RFC 9864), type `authcode-proof+jwt`,
signed by a key of the server that signs nothing else. It gives no rights: a reader learns its content and nothing else.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from keys.base.errors import AuthcodeError, SignatureInvalid
from keys.base.typed_text import MAX_PLAIN_CHARACTERS, pasted_token
from keys.primitives import SigningKey, check_public_key, verify_bytes

ALGORITHM: Final = "Ed25519"
TYPE: Final = "authcode-proof+jwt"
MAX_PROOF_CHARS: Final = 2048
"""Ours have about 500 characters, with the head of the log that they name."""
_KEY_NAME_BYTES: Final = 9  # 72 bits of the thumbprint, 12 characters: enough for the few keys of a server
_SIGNATURE_CHARS: Final = 86
_PARTS: Final = 3
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_LINK: Final = re.compile(r"https?://\S{1,300}?/proof/([A-Za-z0-9_.-]+)", re.ASCII | re.IGNORECASE)


class ProofRefused(AuthcodeError):
    """A text that is not a proof of this server; its leaves name the reason."""


class ProofUnreadable(ProofRefused):
    """A text that does not have the form of a proof."""

    code = "proof_unreadable"
    sentence = "This text is not a proof; copy the whole proof, from its first character to its last."


class ProofIncomplete(ProofRefused):
    """A proof whose end is missing or doubled."""

    code = "proof_incomplete"
    sentence = "The end of this proof is missing or doubled; copy it once more, exactly once."


class ProofAlgorithmRefused(ProofRefused):
    """A proof that names another algorithm than Ed25519; it is refused before any key is looked at."""

    code = "proof_algorithm_refused"
    sentence = f"Proofs are signed with {ALGORITHM} and nothing else; this text names another algorithm."


class ProofFromElsewhere(ProofRefused):
    """A proof signed by a key that is not this server's."""

    code = "proof_from_elsewhere"
    sentence = "This proof was signed by another server; only the keys of that server can check it."


class ProofAltered(ProofRefused):
    """A proof whose content was changed after it was signed, or which was never signed by the key it names."""

    code = "proof_altered"
    sentence = "The signature does not belong to this proof; something in it was changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The content of a proof: this unit was verified for the first time at this moment.

    `issuer` is the address of the server, `id` the number for requests of its live state, `at` the moment
    (aware UTC, whole seconds), `brand` the brand id in hexadecimal, `serial` as printed, `life` and `hop` which use and
    which holder of the unit it is. `log_head` names the log's last head before `at`, once there is one: origin, size
    and root with spaces between.
    """

    issuer: str
    id: str
    at: datetime
    brand: str
    gtin: str | None
    serial: str
    life: int
    hop: int
    log_head: str | None = None

    def claims(self) -> dict[str, str | int]:
        """The claims in their one order; what is not known is left out."""
        every: dict[str, str | int | None] = {
            "iss": self.issuer,
            "jti": self.id,
            "iat": int(self.at.timestamp()),
            "brand": self.brand,
            "gtin": self.gtin,
            "serial": self.serial,
            "life": self.life,
            "hop": self.hop,
            "log": self.log_head,
        }
        return {name: value for name, value in every.items() if value is not None}


class ProofKeys:
    """A server's proof keys: the newest signs, all verify, so that rotating is adding one."""

    __slots__ = ("_names", "_seeds")

    def __init__(self, seeds: Sequence[bytes]) -> None:
        """Take the 32-byte seeds of the keys, oldest first (at least one, else ValueError)."""
        if not seeds:
            raise ValueError("a server needs at least one proof key")
        self._seeds = tuple(seeds)
        public_keys = [_signing_key(seed).public_key for seed in self._seeds]
        self._names = {_key_name(public_key): public_key for public_key in public_keys}

    def __repr__(self) -> str:
        """No secret."""
        return f"ProofKeys({', '.join(self._names)})"

    def sign(self, proof: Proof) -> str:
        """The proof as text. Ed25519 is deterministic, so that the same proof always gives the same text."""
        key = _signing_key(self._seeds[-1])
        signed = f"{_encoded(_json(_header(_key_name(key.public_key))))}.{_encoded(_json(proof.claims()))}"
        return f"{signed}.{_encoded(key.sign(signed.encode()))}"

    def open(self, text: str) -> Proof:
        """Read a proof of this server.

        Raises:
            ProofRefused: one of its leaves, which names what is wrong with the text.
        """
        return open_proof(text, self._names)

    def document(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JSON Web Key Set (RFC 7517), newest last."""
        return {
            "keys": [{**_jwk(key), "kid": name, "alg": ALGORITHM, "use": "sig"} for name, key in self._names.items()]
        }


def linked_proof(text: str) -> str | None:
    """The proof in a receipt's link; the host is not compared, since only the signature counts."""
    found = _LINK.search(text)
    return pasted_token(found.group(1)) if found else None


def proof_in(pasted: str) -> str:
    """The proof in pasted text: its link, or the proof itself, in lines, quoted, or with punctuation around it.

    The text is empty where too much was pasted.
    """
    if len(pasted) > MAX_PLAIN_CHARACTERS:
        return ""
    token = pasted_token(pasted)
    return linked_proof(token) or token


def open_proof(text: str, public_keys: Mapping[str, bytes]) -> Proof:
    """Read a proof that one of these keys (32 bytes each, by name) vouches for.

    1. The characters of a JWS, and not too many.   2. A header that names our type, key and algorithm, and nothing
    else.   3. Three parts, the last as long as a signature.   4. The key is one of these: the name alone selects it.
    5. The signature holds, strictly.   6. Every claim.   7. The text is the one that this content has: one order and
    spelling of header and claims, no spare bits.

    Raises:
        ProofRefused: one of its leaves.
    """
    if len(text) > MAX_PROOF_CHARS or _CHARACTERS.fullmatch(text) is None:  # (1)
        raise ProofUnreadable
    parts = text.split(".")
    name = _key_named_by(parts[0])  # (2)
    if len(parts) != _PARTS or len(parts[2]) != _SIGNATURE_CHARS:  # (3)
        raise ProofIncomplete
    if name not in public_keys:  # (4)
        raise ProofFromElsewhere
    try:
        payload, signature = _decoded(parts[1]), _decoded(parts[2])
        verify_bytes(public_keys[name], f"{parts[0]}.{parts[1]}".encode(), signature)  # (5)
    except (ValueError, SignatureInvalid):
        raise ProofAltered from None
    proof = _proof_of(payload)  # (6)
    if parts != [_encoded(part) for part in (_json(_header(name)), _json(proof.claims()), signature)]:  # (7)
        raise ProofAltered
    return proof


def public_keys_of(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The keys of a published key set by name; entries that are no Ed25519 keys for signing are left out.

    Raises:
        ValueError: it is no key set.
        PublicKeyInvalid: an entry is not a valid point.
    """
    entries = document.get("keys")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("a key set has a list of keys, all objects")
    found: dict[str, bytes] = {}
    for entry in entries:
        if entry.get("kty") == "OKP" and entry.get("crv") == ALGORITHM and isinstance(entry.get("kid"), str):
            key = _decoded(str(entry.get("x", "")))
            check_public_key(key)
            found[entry["kid"]] = key
    return found


def _key_named_by(header_part: str) -> str:
    try:
        header = json.loads(_decoded(header_part))
    except (ValueError, RecursionError):
        raise ProofUnreadable from None
    if not isinstance(header, dict) or "alg" not in header:
        raise ProofUnreadable
    if header["alg"] != ALGORITHM:
        raise ProofAlgorithmRefused
    name = header.get("kid")
    if not isinstance(name, str) or header != _header(name):
        raise ProofUnreadable
    return name


def _header(name: str) -> dict[str, str]:
    """The header in its one order."""
    return {"alg": ALGORITHM, "typ": TYPE, "kid": name}


def _proof_of(payload: bytes) -> Proof:
    """Read the claims of a signed content."""
    try:
        claims = json.loads(payload)
        return Proof(
            issuer=claims["iss"],
            id=claims["jti"],
            at=datetime.fromtimestamp(claims["iat"], UTC),
            brand=claims["brand"],
            gtin=claims.get("gtin"),
            serial=claims["serial"],
            life=claims["life"],
            hop=claims["hop"],
            log_head=claims.get("log"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
        raise ProofAltered from None


def _json(claims: Mapping[str, str | int]) -> bytes:
    return json.dumps(claims, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None


def _jwk(public_key: bytes) -> dict[str, str]:
    return {"crv": ALGORITHM, "kty": "OKP", "x": _encoded(public_key)}


def _key_name(public_key: bytes) -> str:
    """The beginning of the key's thumbprint (RFC 7638)."""
    thumbprint = hashlib.sha256(json.dumps(_jwk(public_key), separators=(",", ":")).encode("ascii")).digest()
    return _encoded(thumbprint[:_KEY_NAME_BYTES])


@lru_cache(maxsize=16)
def _signing_key(seed: bytes) -> SigningKey:
    return SigningKey(seed)
