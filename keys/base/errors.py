"""The error tree of all packages: one root, and the leaves that concern keys.

Every leaf has a stable `code` for machines, an `http_status` for the API, and a sentence that says what to do. The
leaves of the other packages stand in those packages and descend from `AuthcodeError`. No message carries a secret, a
passphrase or the text of a code.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar


class AuthcodeError(Exception):
    """Root of every error that authcode raises on purpose; `code` is stable, the sentence is not."""

    code: ClassVar[str] = "authcode_error"
    http_status: ClassVar[int] = 400


class DocumentInvalid(AuthcodeError):
    """A signed document (keyring, manifest) cannot be read: too long, not JSON, or not in its one written form."""

    code = "document_invalid"

    def __init__(self, reason: str) -> None:
        """Carry `reason`, a clause such as "it is longer than 1048576 bytes"."""
        super().__init__(f"the signed document cannot be read: {reason}; take it again from where it was published")
        self.reason = reason


class SignatureInvalid(AuthcodeError):
    """A signature or a keyed tag does not belong to the message and the key."""

    code = "signature_invalid"

    def __init__(self) -> None:
        """Carry nothing: the reason why a signature is wrong helps only who made it."""
        super().__init__("the signature does not belong to this content and key")


class KeyringInvalid(AuthcodeError):
    """A keyring says something that a keyring must not say (docs/format.md §1)."""

    code = "keyring_invalid"

    def __init__(self, reason: str) -> None:
        """Carry `reason`, a clause such as "key K1 has no public key"."""
        super().__init__(f"the keyring cannot be used: {reason}")
        self.reason = reason


class KeyringSignatureInvalid(AuthcodeError):
    """A keyring is not signed by its root key, or not by the root that is trusted."""

    code = "keyring_signature_invalid"

    def __init__(self, signer: str) -> None:
        """Carry `signer`, the fingerprint that the document names."""
        super().__init__(f"the keyring is not signed by the trusted root key (it names {signer}); do not use it")
        self.signer = signer


class KeyringRollback(AuthcodeError):
    """A keyring is older than one already seen, or is another one of the same version."""

    code = "keyring_rollback"
    http_status = 409

    def __init__(self, version: int, seen: int) -> None:
        """Carry the offered `version` and the highest version `seen`."""
        super().__init__(
            f"keyring version {version} is refused: version {seen} was seen before, and versions only grow; "
            "fetch the current keyring"
        )
        self.version, self.seen = version, seen


class RootChanged(AuthcodeError):
    """A keyring is signed by another root key than the one pinned for its brand."""

    code = "root_changed"
    http_status = 409

    def __init__(self, brand: str, pinned: str, offered: str) -> None:
        """Carry the `brand` and the two fingerprints."""
        super().__init__(
            f"the keyring of {brand!r} is signed by root {offered}, but {pinned} is pinned; "
            "ask the brand which one is right"
        )
        self.brand, self.pinned, self.offered = brand, pinned, offered


class BrandConflict(AuthcodeError):
    """A keyring has the name, or a host of a code prefix, that belongs to another brand which was here before."""

    code = "brand_conflict"
    http_status = 409

    def __init__(self, shared: str, pinned: str, offered: str, *, root_settles: bool) -> None:
        """Carry what is `shared` (the name or a prefix), and the fingerprints of the `pinned` and `offered` root."""
        advice = "and name its root with --root" if root_settles else "and use another name or host here"
        super().__init__(
            f"the keyring of root {offered} is refused: {shared!r} belongs to the brand of root {pinned}, which was "
            f"seen before; ask the brand which one is right, {advice}"
        )
        self.shared, self.pinned, self.offered = shared, pinned, offered


class SuccessionInvalid(AuthcodeError):
    """The steps by which the roots of a keyring follow each other do not hold (docs/format.md §1)."""

    code = "succession_invalid"

    def __init__(self, reason: str) -> None:
        """Carry `reason`, a clause such as "step 2 is not signed by the root before it"."""
        super().__init__(f"the succession of root keys does not hold: {reason}; do not use this keyring")
        self.reason = reason


class KeyStateRefused(AuthcodeError):
    """A key cannot enter the asked state: states only go on, and since a moment that has come (docs/format.md §1)."""

    code = "key_state_refused"
    http_status = 409

    def __init__(self, key_id: str, reason: str) -> None:
        """Carry the `key_id` and the `reason`, a clause."""
        super().__init__(f"key {key_id} stays as it is: {reason}")
        self.key_id, self.reason = key_id, reason


class DomainRefused(AuthcodeError):
    """A domain cannot enter or leave the lists of look-alike and partner domains (docs/format.md §1)."""

    code = "domain_refused"

    def __init__(self, domain: str, reason: str) -> None:
        """Carry the `domain` as it was given, and the `reason`, a clause."""
        super().__init__(f"{domain[:80]!r} is refused: {reason}")
        self.domain, self.reason = domain, reason


class AddressInvalid(AuthcodeError):
    """What was given as a server's address is no address."""

    code = "address_invalid"

    def __init__(self) -> None:
        """Carry nothing: an address is copied, not mended."""
        super().__init__("that is no server's address; copy the 64 digits that `authcode keys address` prints there")


class SealNotOpened(AuthcodeError):
    """A sealed box was made for another address, or changed on its way."""

    code = "seal_not_opened"

    def __init__(self) -> None:
        """Carry nothing."""
        super().__init__(
            "the keys were sealed to another server, or changed on the way; "
            "send them again to the address that `authcode keys address` prints here"
        )


class SharedKeysInvalid(AuthcodeError):
    """A file of sent keys cannot be read, or does not come from the brand that it names (docs/format.md §1)."""

    code = "shared_keys_invalid"

    def __init__(self, reason: str) -> None:
        """Carry the `reason`, a clause."""
        super().__init__(f"the sent keys cannot be taken in: {reason}; have the brand send them again")
        self.reason = reason


class TrustFileInvalid(AuthcodeError):
    """The file of pinned root keys is damaged."""

    code = "trust_file_invalid"

    def __init__(self, path: Path) -> None:
        """Carry the `path`."""
        super().__init__(f"the trust file {path} is damaged; restore it, or delete it to pin every brand anew")
        self.path = path


class PublicKeyInvalid(AuthcodeError):
    """A public key is not 32 bytes of a valid point of the prime-order group."""

    code = "public_key_invalid"

    def __init__(self) -> None:
        """Carry nothing: the key is public, but worthless."""
        super().__init__("the public key is not a valid Ed25519 key; make a new one with `authcode keys new`")


class UnknownKey(AuthcodeError):
    """No key of this name is known here."""

    code = "unknown_key"
    http_status = 404

    def __init__(self, name: str) -> None:
        """Carry the `name` of the key: a key id, a fingerprint, or a purpose and number."""
        super().__init__(f"no key {name} is known here; see `authcode keys list`")
        self.name = name


class KeyIdTaken(AuthcodeError):
    """A key id stands for another key already; ids are never used again (docs/format.md §1)."""

    code = "key_id_taken"
    http_status = 409

    def __init__(self, key_id: str) -> None:
        """Carry the `key_id`."""
        super().__init__(f"key id {key_id} is taken by another key, and ids are never used again; make a new key")
        self.key_id = key_id


class KeyIdsExhausted(AuthcodeError):
    """All 1024 key ids of a brand are used up."""

    code = "key_ids_exhausted"
    http_status = 409

    def __init__(self) -> None:
        """Carry nothing: all ids are meant."""
        super().__init__("every key id of this brand is used and none is used again; start a second home for the brand")


class NoKeyForOrder(AuthcodeError):
    """The keyring has no active key for the asked prefix, form and profile."""

    code = "no_key_for_order"
    http_status = 409

    def __init__(self, prefix: str | None, form: str, profile: str) -> None:
        """Carry what was asked; `prefix` None means any."""
        where = f" under {prefix}" if prefix else ""
        super().__init__(
            f"there is no active {profile} key for the {form} form{where}; make one with `authcode keys new`"
        )
        self.prefix, self.form, self.profile = prefix, form, profile


class WrongPassphrase(AuthcodeError):
    """The passphrase opens none of the keys in a store."""

    code = "wrong_passphrase"
    http_status = 403

    def __init__(self, place: str) -> None:
        """Carry the `place`: the store that stayed locked."""
        super().__init__(f"the passphrase does not open the keys in {place}; check which part's passphrase was given")
        self.place = place


class PassphraseMissing(AuthcodeError):
    """No passphrase was given and nobody is there to ask, or the one given is unusable."""

    code = "passphrase_missing"

    def __init__(self, part: str, reason: str) -> None:
        """Carry the `part` (issuer or server) and the `reason`, a clause."""
        variable = f"AUTHCODE_{part.upper()}_PASSPHRASE_FILE"
        super().__init__(f"no passphrase for the {part} part: {reason}; name a file with {variable}")
        self.part, self.reason = part, reason


class PassphraseFileReadable(AuthcodeError):
    """A passphrase file is open to others than its owner (docs/format.md §1)."""

    code = "passphrase_file_readable"

    def __init__(self, path: Path, mode: int) -> None:
        """Carry the `path` and its permission bits `mode`."""
        super().__init__(f"passphrase file {path} is open to others (mode {mode:04o}); run `chmod 600 {path}`")
        self.path, self.mode = path, mode


class KeyFileReadable(AuthcodeError):
    """A key file is open to others than its owner (docs/format.md §1)."""

    code = "key_file_readable"

    def __init__(self, path: Path, mode: int) -> None:
        """Carry the `path` and its permission bits `mode`."""
        super().__init__(
            f"key file {path} is open to others (mode {mode:04o}); run `chmod 600 {path}`, and where others use this "
            "machine take its keys for copied: replace them"
        )
        self.path, self.mode = path, mode


class KeyFileOwner(AuthcodeError):
    """A key file belongs to another user than the one who runs this, and not to root (docs/format.md §1)."""

    code = "key_file_owner"

    def __init__(self, path: Path, owner: int) -> None:
        """Carry the `path` and the number of the user who owns it."""
        super().__init__(
            f"key file {path} belongs to another user (number {owner}), who can read and change it; give it to the "
            "user who runs authcode with `chown`, and where others use this machine take its keys for copied"
        )
        self.path, self.owner = path, owner


class KeyFileInvalid(AuthcodeError):
    """A key file is damaged, was changed, or is no key file."""

    code = "key_file_invalid"

    def __init__(self, name: str, reason: str) -> None:
        """Carry the file's `name` and the `reason`, a clause."""
        super().__init__(f"key file {name} cannot be used: {reason}; restore it from a backup")
        self.name, self.reason = name, reason


class KeyFileTooCostly(AuthcodeError):
    """A key file asks for more work than we are willing to do; refused before any of it."""

    code = "key_file_too_costly"

    def __init__(self, n: int, r: int, p: int) -> None:
        """Carry the scrypt parameters asked for."""
        super().__init__(
            f"the key file asks for scrypt with n={n}, r={r}, p={p}, more than is done here; it was not opened: "
            "restore it from a backup"
        )
        self.n, self.r, self.p = n, r, p


class UnknownBackend(AuthcodeError):
    """A key store is named by a scheme that does not exist."""

    code = "key_backend_unknown"

    def __init__(self, scheme: str, known: Sequence[str]) -> None:
        """Carry the `scheme` and the `known` ones."""
        names = ", ".join(f"{name}:" for name in known)
        super().__init__(f"no key back end {scheme!r} is known; the known ones are {names}")
        self.scheme, self.known = scheme, tuple(known)


class HomeMissing(AuthcodeError):
    """There is no issuer part where one was expected."""

    code = "home_missing"
    http_status = 404

    def __init__(self, home: Path) -> None:
        """Carry the `home` that was looked at."""
        super().__init__(f"there is no issuer in {home}; run `authcode init` or name another home with AUTHCODE_HOME")
        self.home = home


class HomeExists(AuthcodeError):
    """The home has an issuer part already; it is never overwritten."""

    code = "home_exists"
    http_status = 409

    def __init__(self, home: Path) -> None:
        """Carry the `home`."""
        super().__init__(f"{home} already has an issuer part, which is never overwritten; use it or name another home")
        self.home = home


class PrefixInvalid(AuthcodeError):
    """A code prefix is no plain scheme, host and port."""

    code = "prefix_invalid"

    def __init__(self, given: str, reason: str) -> None:
        """Carry what was `given` and the `reason`, a clause."""
        super().__init__(f"the code prefix {given[:80]!r} is refused: {reason}; write it as https://v.example.com")
        self.given, self.reason = given, reason
