"""Stage 5, verify: which root key a verifier trusts for each brand, and the newest keyring it saw (docs/format.md §1).

    {"format": "authcode-trust-1", "brands": [{"brand_id": "...", "root": "sha256:...", "version": 3, "document": "",
                                               "brand": "...", "prefixes": ["..."]}]}

A root is pinned when a brand is first seen. From then on another root, a lower version, and another keyring of the same
version (`document` is the SHA-256 of the one seen, without its succession) are refused. Where the pinned root vouched
for a new one, the pin moves on to that, and the old root is trusted no more. No other brand may have the name or a host
of a pinned one: a copy of a brand has a brand id of its own.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from keys.base.errors import KeyringRollback, RootChanged, TrustFileInvalid
from keys.base.fields import Fields
from keys.base.files import exclusive_lock, make_private_dir, write_atomic
from keys.format.document import FINGERPRINT_CHARS, read_document
from keys.format.keyring import MAX_BRAND_CHARS, MAX_PREFIXES, MAX_VERSION, OpenedKeyring, open_keyring
from keys.format.names import NameOwner, refuse_conflict
from keys.format.prefix import MAX_PREFIX_CHARS
from keys.format.records import BRAND_ID_BYTES
from keys.primitives import LABEL_KEYRING

FORMAT: Final = "authcode-trust-1"
MAX_BRANDS: Final = 10_000
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The pinned facts of a brand: root fingerprint, highest version and its SHA-256, name and prefixes."""

    root: str
    version: int
    document: bytes
    brand: str
    prefixes: tuple[str, ...]

    @property
    def owner(self) -> NameOwner:
        """The brand as the owner of its name and hosts."""
        return NameOwner(root=self.root, brand=self.brand, prefixes=self.prefixes)


class TrustFile:
    """The pins of one verifier, in a file that several processes may use."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        """Use the file at `path`, which need not exist yet."""
        self._path = path

    def pins(self) -> dict[bytes, Pin]:
        """The pins, by brand id.

        Raises:
            TrustFileInvalid: the file is damaged.
        """
        try:
            fields = Fields.parse(self._path.read_bytes())
            if fields.text("format") != FORMAT:
                raise ValueError("another format")  # noqa: TRY301 - all of this ends in the one error below
            brands = fields.objects("brands", most=MAX_BRANDS)
            return {brand.binary("brand_id", n_bytes=BRAND_ID_BYTES): _read_pin(brand) for brand in brands}
        except FileNotFoundError:
            return {}
        except ValueError:
            raise TrustFileInvalid(self._path) from None

    def admit(self, document: bytes, *, root_fingerprint: str | None = None) -> OpenedKeyring:
        """Open a published keyring, pin its root at first sight (then `first_seen` is set), and remember its version.

        1. The keyring verifies under the root that it names, or an heir of the one that was learnt in another way.
        2. That root is the pinned one, or the pinned one vouched for it.   3. Its version is not lower, and the same
        version is the same document.   4. A name or host that is new here is no other brand's, unless the root was
        learnt in another way.   5. Remember it, durably, before it is used.

        Raises:
            DocumentInvalid, KeyringSignatureInvalid, SuccessionInvalid, ...: as `open_keyring`.
            RootChanged: another root is pinned for this brand, and did not vouch for this one.
            KeyringRollback: a higher version, or another document of this version, was seen.
            BrandConflict: the name or a host belongs to another brand that is pinned.
            TrustFileInvalid: the file is damaged.
        """
        opened = open_keyring(document, root_fingerprint=root_fingerprint)  # (1)
        keyring, root = opened.keyring, opened.root_fingerprint
        digest = hashlib.sha256(read_document(LABEL_KEYRING, document).content()).digest()
        offered = Pin(
            root=root, version=keyring.version, document=digest, brand=keyring.brand, prefixes=keyring.prefixes
        )
        make_private_dir(self._path.parent)
        with exclusive_lock(self._path.with_name(f".{self._path.name}.lock")):
            pins = self.pins()
            pin = pins.pop(keyring.brand_id, None)
            if pin == offered:
                return opened
            if pin is not None and not opened.follows(pin.root):  # (2)
                raise RootChanged(keyring.brand, pin.root, root)
            if pin is not None and pin.version >= keyring.version:  # (3)
                raise KeyringRollback(keyring.version, pin.version)
            if root_fingerprint is None:  # (4)
                others = [other.owner for other in pins.values()]
                refuse_conflict(pin.owner if pin else None, offered.owner, others, root_settles=True)
            self._write({**pins, keyring.brand_id: offered})  # (5)
        return replace(opened, first_seen=pin is None)

    def _write(self, pins: Mapping[bytes, Pin]) -> None:
        brands = [
            {"brand_id": brand_id.hex(), **asdict(pin), "document": pin.document.hex()}
            for brand_id, pin in pins.items()
        ]
        content = json.dumps({"format": FORMAT, "brands": brands}, indent=1) + "\n"
        write_atomic(self._path, content.encode("utf-8"))


def _read_pin(fields: Fields) -> Pin:
    return Pin(
        root=fields.text("root", longest=FINGERPRINT_CHARS),
        version=fields.number("version", low=1, high=MAX_VERSION),
        document=fields.binary("document", n_bytes=_DIGEST_BYTES),
        brand=fields.text("brand", longest=MAX_BRAND_CHARS),
        prefixes=fields.texts("prefixes", most=MAX_PREFIXES, longest=MAX_PREFIX_CHARS),
    )
