"""The error tree of all packages: one root, and the leaves that concern keys.

Every leaf has a stable `code` for machines, an `http_status` for the API, and a sentence with what to do. The
leaves of the other packages are in those packages and descend from `AuthcodeError`. No message carries a secret, a
passphrase or the text of a code.
"""

import re
from inspect import get_annotations
from pathlib import Path
from string import Formatter
from typing import ClassVar, dataclass_transform


@dataclass_transform(eq_default=False)
class AuthcodeError(Exception):
    """Root of every error that authcode raises on purpose; `code` is stable, the sentence is not.

    A leaf declares its facts as annotated fields, and its `sentence`, a format string over them and over properties
    that put a fact into words. The facts are given to the constructor by position or by name.
    """

    code: ClassVar[str] = "authcode_error"
    http_status: ClassVar[int] = 400
    sentence: ClassVar[str]
    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        """Collect the declared fields, those of the parent first."""
        own = (name for name, kind in get_annotations(cls).items() if not repr(kind).startswith("typing.ClassVar"))
        cls._fields = tuple(dict.fromkeys((*cls._fields, *own)))

    def __init__(self, *values: object, **named: object) -> None:
        """Bind the facts to the fields, and write the sentence."""
        facts = dict(zip(self._fields, values, strict=False)) | named
        missing = [name for name in self._fields if name not in facts and not hasattr(type(self), name)]
        if missing or len(values) > len(self._fields) or not facts.keys() <= set(self._fields):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self._fields) or 'nothing'}")
        self.__dict__.update(facts)
        places = [name for _, name, _, _ in Formatter().parse(self.sentence) if name]  # also `key.key_id`, `sides[0]`
        shown = {name: getattr(self, name) for name in (re.split(r"[.[]", place)[0] for place in places)}
        super().__init__(self.sentence.format(**shown))


class DocumentInvalid(AuthcodeError):
    """A signed document (keyring, manifest) cannot be read: too long, not JSON, or not in its one written form."""

    code = "document_invalid"
    sentence = "the signed document cannot be read: {reason}; take it again from where it was published"
    reason: str


class SignatureInvalid(AuthcodeError):
    """A signature or a keyed tag does not belong to the message and the key."""

    code = "signature_invalid"
    sentence = "the signature does not belong to this content and key"


class KeyringInvalid(AuthcodeError):
    """A keyring breaks a rule of keyrings (docs/format.md §1)."""

    code = "keyring_invalid"
    sentence = "the keyring cannot be used: {reason}"
    reason: str


class KeyringSignatureInvalid(AuthcodeError):
    """A keyring is not signed by its root key, or not by the root that is trusted."""

    code = "keyring_signature_invalid"
    sentence = "the keyring is not signed by the trusted root key (it names {signer}); do not use it"
    signer: str


class KeyringRollback(AuthcodeError):
    """A keyring is older than one already seen, or is another one of the same version."""

    code = "keyring_rollback"
    http_status = 409
    sentence = (
        "keyring version {version} is refused: version {highest} was seen before, and versions only grow; fetch the "
        "current keyring"
    )
    version: int
    highest: int


class RootChanged(AuthcodeError):
    """A keyring is signed by another root key than the one pinned for its brand."""

    code = "root_changed"
    http_status = 409
    sentence = (
        "the keyring of {brand!r} is signed by root {offered}, but {pinned} is pinned; ask the brand which one is right"
    )
    brand: str
    pinned: str
    offered: str


class BrandConflict(AuthcodeError):
    """A keyring has the name, or a host of a code prefix, of another brand that was known before, or one like it."""

    code = "brand_conflict"
    http_status = 409
    sentence = (
        "the keyring of root {offered} is refused: {shared!r} belongs to the brand of root {pinned}, which was "
        "seen before, or looks like its own; ask the brand which one is right, {advice}"
    )
    shared: str  # the name or a prefix
    pinned: str
    offered: str
    root_settles: bool

    @property
    def advice(self) -> str:
        """The next step, as a clause."""
        return "and name its root with --root" if self.root_settles else "and use another name or host here"


class NameMixesScripts(AuthcodeError):
    """A word of a brand's name, or a label of a host, mixes letters of scripts that are not written together."""

    code = "name_mixes_scripts"
    sentence = (
        "{word!r} is refused: it mixes {listed} letters, as copies of other brands' names do; write each word in the "
        "letters of one script"
    )
    word: str
    scripts: tuple[str, ...]

    @property
    def listed(self) -> str:
        """The scripts, as a list in words."""
        return " and ".join(self.scripts)


class SuccessionInvalid(AuthcodeError):
    """The steps from root to root of a keyring are not valid (docs/format.md §1)."""

    code = "succession_invalid"
    sentence = "the succession of root keys does not hold: {reason}; do not use this keyring"
    reason: str


class KeyStateRefused(AuthcodeError):
    """A key cannot enter this state: states only go on, and since a moment that has come (docs/format.md §1)."""

    code = "key_state_refused"
    http_status = 409
    sentence = "key {key_id} stays as it is: {reason}"
    key_id: str
    reason: str


class DomainRefused(AuthcodeError):
    """A domain cannot enter or leave the lists of look-alike and partner domains (docs/format.md §1)."""

    code = "domain_refused"
    sentence = "{shown!r} is refused: {reason}"
    domain: str
    reason: str

    @property
    def shown(self) -> str:
        """The domain as it was given, shortened."""
        return self.domain[:80]


class AddressInvalid(AuthcodeError):
    """A text that is no server's address."""

    code = "address_invalid"
    sentence = "that is no server's address; copy the 64 digits that `authcode keys address` prints there"


class SealNotOpened(AuthcodeError):
    """A sealed box was made for another address, or changed on its way."""

    code = "seal_not_opened"
    sentence = (
        "the keys were sealed to another server, or changed on the way; send them again to the address that `authcode "
        "keys address` prints here"
    )


class SharedKeysInvalid(AuthcodeError):
    """A file of sent keys cannot be read, or does not come from the brand that it names (docs/format.md §1)."""

    code = "shared_keys_invalid"
    sentence = "the sent keys cannot be taken in: {reason}; have the brand send them again"
    reason: str


class TrustFileInvalid(AuthcodeError):
    """The file of pinned root keys is damaged."""

    code = "trust_file_invalid"
    sentence = "the trust file {path} is damaged; restore it, or delete it to pin every brand again"
    path: Path


class PublicKeyInvalid(AuthcodeError):
    """A public key is not 32 bytes of a valid point of the prime-order group."""

    code = "public_key_invalid"
    sentence = "the public key is not a valid Ed25519 key; make a new one with `authcode keys new`"


class UnknownKey(AuthcodeError):
    """No key of this name is known here."""

    code = "unknown_key"
    http_status = 404
    sentence = "no key {name} is known here; see `authcode keys list`"
    name: str


class KeyIdTaken(AuthcodeError):
    """A key id belongs to another key already; ids are never used again (docs/format.md §1)."""

    code = "key_id_taken"
    http_status = 409
    sentence = "key id {key_id} is taken by another key, and ids are never used again; make a new key"
    key_id: str


class KeyIdsExhausted(AuthcodeError):
    """All 1024 key ids of a brand are used up."""

    code = "key_ids_exhausted"
    http_status = 409
    sentence = "every key id of this brand is used and none is used again; start a second home for the brand"


class NoKeyForOrder(AuthcodeError):
    """The keyring has no active key for an order's prefix, form and profile."""

    code = "no_key_for_order"
    http_status = 409
    sentence = "there is no active {profile} key for the {form} form{where}; make one with `authcode keys new`"
    prefix: str | None  # None: any
    form: str
    profile: str

    @property
    def where(self) -> str:
        """Under which prefix, as a clause; empty for any."""
        return f" under {self.prefix}" if self.prefix else ""


class WrongPassphrase(AuthcodeError):
    """The passphrase opens none of the keys in a store."""

    code = "wrong_passphrase"
    http_status = 403
    sentence = "the passphrase does not open the keys in {place}; check which part's passphrase was given"
    place: str


class PassphraseMissing(AuthcodeError):
    """No passphrase was given and there is no terminal, or the one given is unusable."""

    code = "passphrase_missing"
    sentence = "no passphrase for the {part} part: {reason}; name a file with {variable}"
    part: str  # issuer or server
    reason: str

    @property
    def variable(self) -> str:
        """The variable that names a file."""
        return f"AUTHCODE_{self.part.upper()}_PASSPHRASE_FILE"


class PassphraseFileReadable(AuthcodeError):
    """A passphrase file is open to others than its owner (docs/format.md §1)."""

    code = "passphrase_file_readable"
    sentence = "passphrase file {path} is open to others (mode {mode:04o}); run `chmod 600 {path}`"
    path: Path
    mode: int


class KeyFileReadable(AuthcodeError):
    """A key file is open to others than its owner (docs/format.md §1)."""

    code = "key_file_readable"
    sentence = (
        "key file {path} is open to others (mode {mode:04o}); run `chmod 600 {path}`, and where others use this "
        "machine take its keys for copied: replace them"
    )
    path: Path
    mode: int


class KeyFileOwner(AuthcodeError):
    """A key file belongs to another user than the one who runs this, and not to root (docs/format.md §1)."""

    code = "key_file_owner"
    sentence = (
        "key file {path} belongs to another user (number {owner}), who can read and change it; give it to the user "
        "who runs authcode with `chown`, and where others use this machine take its keys for copied"
    )
    path: Path
    owner: int


class KeyFileInvalid(AuthcodeError):
    """A key file is damaged, was changed, or is no key file."""

    code = "key_file_invalid"
    sentence = "key file {name} cannot be used: {reason}; restore it from a backup"
    name: str
    reason: str


class KeyFileTooCostly(AuthcodeError):
    """A key file demands more work than the limits allow; refused before any of it is done."""

    code = "key_file_too_costly"
    sentence = (
        "the key file demands scrypt with n={n}, r={r}, p={p}, more than the limits allow; it was not opened: restore "
        "it from a backup"
    )
    n: int
    r: int
    p: int


class HomeMissing(AuthcodeError):
    """There is no issuer part where one was expected."""

    code = "home_missing"
    http_status = 404
    sentence = "there is no issuer in {home}; run `authcode init` or name another home with AUTHCODE_HOME"
    home: Path


class HomeExists(AuthcodeError):
    """The home has an issuer part already; it is never overwritten."""

    code = "home_exists"
    http_status = 409
    sentence = "{home} already has an issuer part, which is never overwritten; use it or name another home"
    home: Path


class PrefixInvalid(AuthcodeError):
    """A code prefix is no plain scheme, host and port."""

    code = "prefix_invalid"
    sentence = "the code prefix {shown!r} is refused: {reason}; write it as https://v.example.com"
    given: str
    reason: str

    @property
    def shown(self) -> str:
        """The prefix as it was given, shortened."""
        return self.given[:80]
