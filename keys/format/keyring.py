"""Stage 5, verify: the signed keyring, which gives the meaning of every key id of a brand (docs/format.md §1)."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Final

from keys.base.errors import (
    DocumentInvalid,
    KeyIdTaken,
    KeyringInvalid,
    KeyringRollback,
    KeyringSignatureInvalid,
    KeyStateRefused,
    NoKeyForOrder,
    SignatureInvalid,
    UnknownKey,
)
from keys.base.fields import Fields
from keys.base.instants import format_instant
from keys.format.document import FINGERPRINT_CHARS, read_document, sign_document
from keys.format.names import is_visible
from keys.format.prefix import MAX_PREFIX_CHARS, is_domain, normalise_prefix
from keys.format.records import (
    BRAND_ID_BYTES,
    MAX_REASON_CHARS,
    MAX_SERIAL_KEYS,
    CodeKey,
    Form,
    KeyState,
    OfficeKey,
    Profile,
)
from keys.format.succession import earlier_roots
from keys.primitives import LABEL_KEYRING, PUBLIC_KEY_BYTES, SigningKey, check_public_key, fingerprint

KEYRING_LIFE: Final = timedelta(days=30)
MAX_VERSION: Final = 2**31 - 1
MAX_BRAND_CHARS: Final = 100
MAX_PREFIXES: Final = 64
MAX_DOMAINS: Final = 1000
MAX_CODE_KEYS: Final = 1024
"""As many as there are key ids of two characters."""
MAX_OFFICE_KEYS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """The keys and addresses that a brand publishes. Times are aware UTC, to the second; `brand_id` has 16 bytes.

    `prefixes` are as `normalise_prefix` writes them; the two lists of domains are lower case. A keyring lives at most
    30 days. Building one that breaks a rule raises KeyringInvalid, KeyIdTaken, PrefixInvalid or PublicKeyInvalid.
    """

    brand_id: bytes
    brand: str
    version: int
    issued: datetime
    expires: datetime
    prefixes: tuple[str, ...]
    lookalike_domains: tuple[str, ...] = ()
    partner_domains: tuple[str, ...] = ()
    code_keys: tuple[CodeKey, ...]
    office_keys: tuple[OfficeKey, ...]

    def __post_init__(self) -> None:
        """Refuse a keyring that breaks a rule of docs/format.md §1."""
        self._check_heading()
        self._check_addresses()
        self._check_code_keys()
        for office_key in self.office_keys:
            check_public_key(office_key.public_key)
        if len({key.fingerprint for key in self.office_keys}) != len(self.office_keys):
            raise KeyringInvalid("an office key is listed twice")

    def _check_heading(self) -> None:
        if len(self.brand_id) != BRAND_ID_BYTES:
            raise KeyringInvalid(f"the brand id has {len(self.brand_id)} bytes, not {BRAND_ID_BYTES}")
        check_brand(self.brand)
        if not 1 <= self.version <= MAX_VERSION:
            raise KeyringInvalid(f"the version is 1 to {MAX_VERSION}, not {self.version}")
        if self.issued.utcoffset() != timedelta(0) or self.expires.utcoffset() != timedelta(0):
            raise KeyringInvalid("its times are not aware UTC")
        if not timedelta(0) < self.expires - self.issued <= KEYRING_LIFE:
            raise KeyringInvalid(f"it must expire within {KEYRING_LIFE.days} days of being issued")

    def _check_addresses(self) -> None:
        if not 1 <= len(set(self.prefixes)) == len(self.prefixes) <= MAX_PREFIXES:
            raise KeyringInvalid(f"it has 1 to {MAX_PREFIXES} code prefixes, each once")
        for prefix in self.prefixes:
            if normalise_prefix(prefix) != prefix:
                raise KeyringInvalid(f"prefix {prefix} is not written as {normalise_prefix(prefix)}")
        for domain in (*self.lookalike_domains, *self.partner_domains):
            if not is_domain(domain):
                raise KeyringInvalid("a look-alike or partner domain is no lower-case domain name of several labels")

    def _check_code_keys(self) -> None:
        known: set[str] = set()
        for key in self.code_keys:
            if key.key_id in known:
                raise KeyIdTaken(key.key_id)
            known.add(key.key_id)
            if key.prefix not in self.prefixes:
                raise KeyringInvalid(f"key {key.key_id} belongs to a prefix that the keyring does not have")
            if key.public_key is not None:
                check_public_key(key.public_key)

    def code_key(self, key_id: str) -> CodeKey:
        """The key with this id.

        Raises:
            UnknownKey: no key of this brand has that id.
        """
        for key in self.code_keys:
            if key.key_id == key_id:
                return key
        raise UnknownKey(key_id)

    def key_for(self, *, prefix: str | None = None, form: Form, profile: Profile) -> CodeKey:
        """The newest active key for an order; `prefix` None leaves the choice of the prefix to the newest key.

        Raises:
            NoKeyForOrder: there is none.
        """
        fitting = [
            key
            for key in self.code_keys
            if key.state is KeyState.ACTIVE
            and (key.form, key.profile) == (form, profile)
            and prefix in (None, key.prefix)
        ]
        if not fitting:
            raise NoKeyForOrder(prefix, form, profile)
        return max(reversed(fitting), key=lambda key: key.since)

    def expired(self, now: datetime) -> bool:
        """Whether the keyring is out of date at `now` (aware UTC); its signatures stay valid, its states may not."""
        return now >= self.expires


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedKeyring:
    """A keyring whose root signature was verified, with the root's fingerprint and the exact document.

    `earlier_roots` are the fingerprints of the roots before this one, oldest first, each of which vouched for the next.
    `first_seen`: a trust file pinned its root only now, so it was not compared with another source yet.
    """

    keyring: Keyring
    root_fingerprint: str
    document: bytes
    earlier_roots: tuple[str, ...] = ()
    first_seen: bool = field(default=False, compare=False)

    def follows(self, root: str) -> bool:
        """Whether trust in `root` (a fingerprint) extends to this keyring: that root signed it, or its successor."""
        return root == self.root_fingerprint or root in self.earlier_roots


def sign_keyring(keyring: Keyring, root: SigningKey, *, succession: Sequence[Mapping[str, object]] = ()) -> bytes:
    """The document that publishes `keyring`, signed by `root` over exact bytes (docs/format.md §1).

    `succession` are the steps that lead from earlier roots to `root`, oldest first.
    """
    payload = json.dumps(_payload_of(keyring, root.public_key), indent=1, ensure_ascii=False)
    return sign_document(LABEL_KEYRING, payload, root, succession=succession)


def open_keyring(document: bytes, *, root_fingerprint: str | None) -> OpenedKeyring:
    """Open a published keyring.

    1. Read the document.   2. Take the root key that it names.   3. It is a valid point and the document's signer.
    4. Verify the signature.   5. Check every rule of a keyring.   6. Check the steps that lead to its root.
    7. Its root, or an earlier one that vouched for it, is the trusted one, where one is given.

    `root_fingerprint` None opens it under whatever root signed it: only for a first sight, before pinning.

    Raises:
        DocumentInvalid: it is no keyring document.
        KeyringSignatureInvalid: it is not signed by the trusted root or its successor.
        SuccessionInvalid: the steps that it carries do not lead to its root.
        KeyringInvalid, KeyIdTaken, PrefixInvalid, PublicKeyInvalid: it breaks a rule of docs/format.md §1.
    """
    unchecked = read_document(LABEL_KEYRING, document)  # (1)
    try:
        fields = Fields.parse(unchecked.payload)
        root = fields.binary("root", n_bytes=PUBLIC_KEY_BYTES)  # (2)
    except ValueError:
        raise DocumentInvalid("its content is no keyring") from None
    check_public_key(root)  # (3)
    if fingerprint(root) != unchecked.signer:
        raise KeyringSignatureInvalid(unchecked.signer)
    try:
        unchecked.verify(root)  # (4)
    except SignatureInvalid:
        raise KeyringSignatureInvalid(unchecked.signer) from None
    keyring = _read_keyring(fields)  # (5)
    earlier = earlier_roots(unchecked.succession, brand_id=keyring.brand_id, root=root)  # (6)
    opened = OpenedKeyring(keyring=keyring, root_fingerprint=unchecked.signer, document=document, earlier_roots=earlier)
    if root_fingerprint is not None and not opened.follows(root_fingerprint):  # (7)
        raise KeyringSignatureInvalid(unchecked.signer)
    return opened


def check_successor(old: Keyring, new: Keyring) -> None:
    """Check that `new` may follow `old`: ids are never used again (docs/format.md §1).

    1. The same brand and a higher version.   2. Every key id of `old` is still there.   3. It is the same key.
    4. Its state went on, if it changed: active, retired, withdrawn; a withdrawal only ever reaches further back.

    Raises:
        KeyringRollback: the version is not higher.
        KeyIdTaken: an id has another key than before.
        KeyStateRefused: a key went back to an earlier state.
        KeyringInvalid: it is of another brand, or a key was dropped instead of retired or withdrawn.
    """
    if new.brand_id != old.brand_id:  # (1)
        raise KeyringInvalid("it is of another brand than the one before")
    if new.version <= old.version:
        raise KeyringRollback(new.version, old.version)
    now_there = {key.key_id: key for key in new.code_keys}
    for before in old.code_keys:
        after = now_there.get(before.key_id)
        if after is None:  # (2)
            raise KeyringInvalid(f"key {before.key_id} is gone; keys are retired or withdrawn, never dropped")
        if _identity(after) != _identity(before):  # (3)
            raise KeyIdTaken(before.key_id)
        check_transition(before, after)  # (4)


def check_transition(before: CodeKey, after: CodeKey) -> None:
    """Check that a key may go from one record to the other: its state only goes on (else KeyStateRefused)."""
    order = list(KeyState)
    if order.index(after.state) < order.index(before.state):
        raise KeyStateRefused(before.key_id, f"it is {before.state}, and no key goes back to {after.state}")
    if before.state is after.state is KeyState.WITHDRAWN and after.since > before.since:
        raise KeyStateRefused(
            before.key_id, f"it is withdrawn since {format_instant(before.since)}, and a withdrawal gets no later"
        )


def _identity(key: CodeKey) -> tuple[object, ...]:
    """The fields of a key that never change; state, since and reason may."""
    return key.profile, key.form, key.prefix, key.serial_key, key.public_key


class KeyringSet:
    """The keyrings that a verifier trusts, of any number of brands; key ids are unique across all of them.

    `keyrings` are in the order they were given, `prefixes` are those of all brands.
    """

    __slots__ = ("_brands", "_by_key_id", "keyrings", "prefixes")

    def __init__(self, keyrings: Iterable[Keyring]) -> None:
        """Take verified `keyrings`.

        Raises:
            KeyIdTaken: two keys have one id (docs/format.md §2, "Key ids are unique per server").
            KeyringInvalid: two keyrings are of one brand.
        """
        self._brands: dict[bytes, Keyring] = {}
        self._by_key_id: dict[str, tuple[Keyring, CodeKey]] = {}
        for keyring in keyrings:
            if self._brands.setdefault(keyring.brand_id, keyring) is not keyring:
                raise KeyringInvalid(f"brand {keyring.brand!r} is there twice")
            for key in keyring.code_keys:
                if key.key_id in self._by_key_id:
                    raise KeyIdTaken(key.key_id)
                self._by_key_id[key.key_id] = (keyring, key)
        self.keyrings = tuple(self._brands.values())
        self.prefixes = frozenset(prefix for keyring in self.keyrings for prefix in keyring.prefixes)

    def lookup(self, prefix: str, key_id: str) -> tuple[Keyring, CodeKey] | None:
        """The record of (prefix, key id), or None (docs/format.md §3, rule 5)."""
        found = self._by_key_id.get(key_id)
        return found if found is not None and found[1].prefix == prefix else None

    def by_key_id(self, key_id: str) -> tuple[Keyring, CodeKey] | None:
        """The record of `key_id` under whatever prefix, or None."""
        return self._by_key_id.get(key_id)

    def brand(self, brand_id: bytes) -> Keyring | None:
        """The keyring of a brand, or None."""
        return self._brands.get(brand_id)


def check_brand(name: str) -> None:
    """Refuse a brand's name that no keyring may have.

    Raises:
        KeyringInvalid: it is empty, too long, or has invisible characters.
    """
    if not 1 <= len(name) <= MAX_BRAND_CHARS:
        raise KeyringInvalid(f"the brand's name has 1 to {MAX_BRAND_CHARS} characters, not {len(name)}")
    hidden = next((character for character in name if not is_visible(character)), None)
    if hidden is not None:
        shown = f"U+{ord(hidden):04X} ({unicodedata.name(hidden, 'without a name').lower()})"
        raise KeyringInvalid(f"the brand's name has {shown}, which draws nothing; write the name without it")


def _payload_of(keyring: Keyring, root: bytes) -> dict[str, object]:
    """The published fields; those of a key are in the order in which its record declares them."""
    return {
        "brand_id": keyring.brand_id.hex(),
        "brand": keyring.brand,
        "root": root.hex(),
        "version": keyring.version,
        "issued": format_instant(keyring.issued),
        "expires": format_instant(keyring.expires),
        "prefixes": keyring.prefixes,
        "lookalike_domains": keyring.lookalike_domains,
        "partner_domains": keyring.partner_domains,
        "code_keys": [
            asdict(key)
            | {"since": format_instant(key.since), "public_key": key.public_key.hex() if key.public_key else None}
            for key in keyring.code_keys
        ],
        "office_keys": [
            asdict(key) | {"since": format_instant(key.since), "public_key": key.public_key.hex()}
            for key in keyring.office_keys
        ],
    }


def _read_keyring(fields: Fields) -> Keyring:
    try:
        return Keyring(
            brand_id=fields.binary("brand_id", n_bytes=BRAND_ID_BYTES),
            brand=fields.text("brand", longest=MAX_BRAND_CHARS),
            version=fields.number("version", low=1, high=MAX_VERSION),
            issued=fields.instant("issued"),
            expires=fields.instant("expires"),
            prefixes=fields.texts("prefixes", most=MAX_PREFIXES, longest=MAX_PREFIX_CHARS),
            lookalike_domains=fields.texts("lookalike_domains", most=MAX_DOMAINS, longest=253),
            partner_domains=fields.texts("partner_domains", most=MAX_DOMAINS, longest=253),
            code_keys=tuple(_read_code_key(key) for key in fields.objects("code_keys", most=MAX_CODE_KEYS)),
            office_keys=tuple(_read_office_key(key) for key in fields.objects("office_keys", most=MAX_OFFICE_KEYS)),
        )
    except ValueError as error:
        raise KeyringInvalid(str(error)) from None


def _read_code_key(fields: Fields) -> CodeKey:
    return CodeKey(
        key_id=fields.text("key_id", longest=2),
        profile=fields.choice("profile", Profile),
        form=fields.choice("form", Form),
        prefix=fields.text("prefix", longest=MAX_PREFIX_CHARS),
        serial_key=fields.number("serial_key", low=1, high=MAX_SERIAL_KEYS),
        state=fields.choice("state", KeyState),
        since=fields.instant("since"),
        reason=fields.text_or_none("reason", longest=MAX_REASON_CHARS),
        public_key=fields.binary_or_none("public_key", n_bytes=PUBLIC_KEY_BYTES),
    )


def _read_office_key(fields: Fields) -> OfficeKey:
    return OfficeKey(
        fingerprint=fields.text("fingerprint", longest=FINGERPRINT_CHARS),
        public_key=fields.binary("public_key", n_bytes=PUBLIC_KEY_BYTES),
        state=fields.choice("state", KeyState),
        since=fields.instant("since"),
    )
