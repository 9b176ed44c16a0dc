"""Stage 5, verify: which root key a verifier trusts for each brand, and the newest keyring it saw (docs/format.md §1).

    {"format": "authcode-trust-1", "brands": [{"brand_id": "...", "root": "sha256:...", "version": 3, "document": ""}]}

A root is pinned when a brand is first seen. From then on another root, a lower version, and another keyring of the same
version (`document` is the SHA-256 of the one seen, without its succession) are refused. Where the pinned root vouched
for a new one, the pin moves on to that, and the old root is believed no more.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keys.document import FINGERPRINT_CHARS, read_document
from keys.errors import KeyringRollback, RootChanged, TrustFileInvalid
from keys.fields import Fields
from keys.files import exclusive_lock, make_private_dir, write_atomic
from keys.keyring import MAX_VERSION, OpenedKeyring, open_keyring
from keys.primitives import LABEL_KEYRING
from keys.records import BRAND_ID_BYTES

FORMAT: Final = "authcode-trust-1"
MAX_BRANDS: Final = 10_000
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What a verifier remembers of a brand: the root's fingerprint, the highest version, that document's SHA-256."""

    root: str
    version: int
    document: bytes


class TrustFile:
    """The pins of one verifier, in a file that several processes may use."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        """Use the file at `path`, which need not exist yet."""
        self._path = path

    def pins(self) -> dict[bytes, Pin]:
        """What is pinned, by brand id.

        Raises:
            TrustFileInvalid: the file is damaged.
        """
        try:
            fields = Fields.parse(self._path.read_bytes())
            if fields.text("format") != FORMAT:
                raise ValueError("another format")  # noqa: TRY301 - all of this ends in the one error below
            return {
                brand.binary("brand_id", n_bytes=BRAND_ID_BYTES): Pin(
                    root=brand.text("root", longest=FINGERPRINT_CHARS),
                    version=brand.number("version", low=1, high=MAX_VERSION),
                    document=brand.binary("document", n_bytes=_DIGEST_BYTES),
                )
                for brand in fields.objects("brands", most=MAX_BRANDS)
            }
        except FileNotFoundError:
            return {}
        except ValueError:
            raise TrustFileInvalid(self._path) from None

    def admit(self, document: bytes) -> OpenedKeyring:
        """Open a published keyring, pin its root at first sight, and remember its version.

        1. The keyring verifies under the root that it names.   2. That root is the pinned one, or the pinned one
        vouched for it.   3. Its version is not lower, and the same version is the same document.   4. Remember it,
        durably, before it is used.

        Raises:
            DocumentInvalid, KeyringSignatureInvalid, SuccessionInvalid, ...: as `open_keyring`.
            RootChanged: another root is pinned for this brand, and did not vouch for this one.
            KeyringRollback: a higher version, or another document of this version, was seen.
            TrustFileInvalid: the file is damaged.
        """
        opened = open_keyring(document, root_fingerprint=None)  # (1)
        keyring, root = opened.keyring, opened.root_fingerprint
        make_private_dir(self._path.parent)
        with exclusive_lock(self._path.with_name(f".{self._path.name}.lock")):
            pins = self.pins()
            offered = Pin(root=root, version=keyring.version, document=_digest(document))
            pin = pins.get(keyring.brand_id)
            if pin == offered:
                return opened
            if pin is not None and not opened.follows(pin.root):  # (2)
                raise RootChanged(keyring.brand, pin.root, root)
            if pin is not None and pin.version >= keyring.version:  # (3)
                raise KeyringRollback(keyring.version, pin.version)
            self._write({**pins, keyring.brand_id: offered})  # (4)
        return opened

    def _write(self, pins: dict[bytes, Pin]) -> None:
        brands = [
            {"brand_id": brand_id.hex(), "root": pin.root, "version": pin.version, "document": pin.document.hex()}
            for brand_id, pin in pins.items()
        ]
        write_atomic(self._path, (json.dumps({"format": FORMAT, "brands": brands}, indent=1) + "\n").encode("utf-8"))


def _digest(document: bytes) -> bytes:
    return hashlib.sha256(read_document(LABEL_KEYRING, document).content()).digest()
