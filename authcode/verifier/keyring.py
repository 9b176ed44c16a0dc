"""The rules of a keyring (docs/format.md §1, Keyring): a second implementation."""

import ipaddress
import re
from datetime import timedelta
from typing import Any

from authcode.verifier.documents import Refused, read_envelope, roots_before
from authcode.verifier.ed25519 import check_public_key, fingerprint, verify_bytes
from keys.base.crockford import ALPHABET
from keys.base.errors import SignatureInvalid
from keys.base.fields import Fields
from keys.format.names import is_visible

STATES = {"active", "retired", "withdrawn"}
LABEL = "[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?"
HOST = re.compile(rf"(?=.{{1,235}}\Z){LABEL}(?:\.{LABEL})*", re.ASCII)
PREFIX = re.compile(r"(HTTPS?)://([A-Z0-9.-]+)(?::([1-9][0-9]{0,4}))?/?", re.ASCII)
DOMAIN_LISTS = ("lookalike_domains", "partner_domains")
MAX_PORT, SCHEME_PORTS = 65535, {"HTTP": "80", "HTTPS": "443"}


def open_keyring(document: bytes, root: str | None = None) -> dict[str, Any]:
    """Open a published keyring under the root that is trusted, or an heir of it; None takes whatever root signed it.

    Raises:
        Refused: with the same codes as `authcode verify`.
        PublicKeyInvalid: it holds a key that is none.
    """
    envelope, signature = read_envelope(document)
    try:
        fields = Fields.parse(envelope["payload"])
        key = fields.binary("root", n_bytes=32)
    except ValueError:
        raise Refused("document_invalid", "the key list cannot be read: its content is no keyring") from None
    signer = envelope["signer"]
    check_public_key(key)
    try:
        verify_bytes(key, b"authcode-keys-v1" + envelope["payload"].encode("utf-8"), signature)
        signed = fingerprint(key) == signer
    except SignatureInvalid:
        signed = False
    if not signed:
        sentence = "the key list is not signed by the root that it names; do not use it"
        raise Refused("keyring_signature_invalid", sentence)
    try:
        check_keyring(fields)
    except ValueError as error:
        raise Refused("keyring_invalid", f"the keyring cannot be used: {error}") from None
    roots = roots_before(envelope["succession"], fields.binary("brand_id", n_bytes=16), key)
    if root is not None and root not in {signer, *roots}:
        raise Refused("keyring_signature_invalid", "the key list is not signed by the trusted root key; do not use it")
    return fields.values()


def check_keyring(fields: Fields) -> None:
    """Check every rule of a keyring (ValueError, or Refused where the rule has a code of its own)."""
    check_heading(fields)
    codes = [check_code_key(key) for key in fields.objects("code_keys", most=1024)]
    offices = [check_office_key(key) for key in fields.objects("office_keys", most=64)]
    prefixes = check_addresses(fields)
    if len({key_id for key_id, _, _ in codes}) != len(codes):
        raise Refused("key_id_taken", "a key id names two keys, and ids are never used again")
    if not {prefix for _, prefix, _ in codes} <= set(prefixes):
        raise ValueError("a key belongs to a prefix that the keyring does not have")
    for public_key in filter(None, (*(key for _, _, key in codes), *offices)):
        check_public_key(public_key)
    if len(set(offices)) != len(offices):
        raise ValueError("an office key is listed twice")


def check_heading(fields: Fields) -> None:
    """Check whose the keyring is, and when it holds."""
    fields.binary("brand_id", n_bytes=16)
    if not all(map(is_visible, fields.text("brand", longest=100))):
        raise ValueError("the brand's name has 1 to 100 visible characters")
    fields.number("version", low=1, high=2**31 - 1)
    if not timedelta(0) < fields.instant("expires") - fields.instant("issued") <= timedelta(days=30):
        raise ValueError("it must expire within 30 days of being issued")


def check_code_key(fields: Fields) -> tuple[str, str, bytes | None]:
    """Check one record of a code key; give its id, prefix and public key."""
    profile, form = fields.text("profile"), fields.text("form")
    kinds = {("signed", "short"), ("signed", "gs1"), ("compact", "short")}
    if (profile, form) not in kinds or not re.fullmatch(f"[{ALPHABET}]{{2}}", fields.text("key_id")):
        raise ValueError("a key record has another id, profile or form than there are")
    fields.number("serial_key", low=1, high=255)
    fields.instant("since")
    state, reason = fields.text("state"), fields.text_or_none("reason", longest=200)
    if state not in STATES or (reason is not None) != (state == "withdrawn"):
        raise ValueError("a withdrawn key has a reason, and no other key has one")
    public_key = fields.binary_or_none("public_key", n_bytes=32)
    if (profile == "compact") != (public_key is None):
        raise ValueError("a signed key has a public key, and a compact key has none")
    return fields.text("key_id"), fields.text("prefix", longest=255), public_key


def check_office_key(fields: Fields) -> bytes:
    """Check one record of an office key; give its public key."""
    fields.instant("since")
    public_key = fields.binary("public_key", n_bytes=32)
    if fields.text("fingerprint") != fingerprint(public_key) or fields.text("state") not in STATES:
        raise ValueError("an office key's fingerprint or state is wrong")
    return public_key


def check_addresses(fields: Fields) -> tuple[str, ...]:
    """Check the look-alike and partner domains and the code prefixes; give the prefixes."""
    prefixes = fields.texts("prefixes", most=64, longest=255)
    domains = [one for name in DOMAIN_LISTS for one in fields.texts(name, most=1000, longest=253)]
    if not 1 <= len(set(prefixes)) == len(prefixes):
        raise ValueError("it has 1 to 64 code prefixes, each once")
    for prefix in prefixes:
        check_prefix(prefix)
    if not all(map(is_domain, domains)):
        raise ValueError("a look-alike or partner domain is no lower-case domain name of several labels")
    return prefixes


def is_domain(domain: str) -> bool:
    """Whether this is a domain in lower case, of two labels or more."""
    return domain.isascii() and domain == domain.lower() and "." in domain and is_host(domain.upper())


def check_prefix(prefix: str) -> None:
    """Refuse what is no code prefix in its one spelling."""
    match = PREFIX.fullmatch(prefix.upper()) if prefix.isascii() else None
    if match is None or not is_host(match[2]) or int(match[3] or 1) > MAX_PORT:
        raise Refused("prefix_invalid", "a code prefix of the key list is no plain scheme, host and port")
    if match[3] == SCHEME_PORTS[match[1]] or prefix != prefix.upper() or not prefix.endswith("/"):
        raise ValueError("a prefix is not in its one spelling")


def is_host(host: str) -> bool:
    """Whether this is a host name in upper case, or a plain dotted IPv4 address."""
    if not HOST.fullmatch(host):
        return False
    if not re.fullmatch("[0-9]+|0X[0-9A-F]*", host.rpartition(".")[2], re.ASCII):
        return True
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
