"""Stage 5, verify: how one root key follows another (docs/format.md §1, Succession).

    {"old": "<public key>", "new": "<public key>", "signature": "<hex>"}

A step is signed by the old root over a fixed layout of 96 bytes: label, brand id, old key, new key. A keyring carries
the steps that lead to its root, oldest first, so that a verifier that pinned any of these roots goes on by itself.
"""

from collections.abc import Mapping, Sequence

from keys.base.errors import PublicKeyInvalid, SignatureInvalid, SuccessionInvalid
from keys.base.fields import Fields
from keys.primitives import (
    LABEL_SUCCESSION,
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    SigningKey,
    check_public_key,
    fingerprint,
    verify_bytes,
)

_FIELDS = ["old", "new", "signature"]


def vouch(brand_id: bytes, old: SigningKey, new: bytes) -> dict[str, object]:
    """The step by which the root `old` hands a brand (16 bytes) over to the root with the public key `new`."""
    signature = old.sign(_statement(brand_id, old.public_key, new))
    return {"old": old.public_key.hex(), "new": new.hex(), "signature": signature.hex()}


def earlier_roots(steps: Sequence[Mapping[str, object]], *, brand_id: bytes, root: bytes) -> tuple[str, ...]:
    """The fingerprints of the roots before `root`, oldest first.

    1. Each step has its three fields, in their order, and no other.   2. It begins where the one before ended, and the
    last ends at `root`.   3. Its old root signed it.   4. Every root is a valid point, and none comes twice.

    Raises:
        SuccessionInvalid: one of these fails.
    """
    roots: list[bytes] = []
    for number, step in enumerate(steps, start=1):
        old, new, signature = _read(step, number)  # (1)
        if roots and roots[-1] != old:  # (2)
            raise SuccessionInvalid(f"step {number} does not begin where the one before it ended")
        try:
            verify_bytes(old, _statement(brand_id, old, new), signature)  # (3)
            check_public_key(old)  # (4)
        except (SignatureInvalid, PublicKeyInvalid):
            raise SuccessionInvalid(f"step {number} is not signed by the root before it") from None
        roots += [new] if roots else [old, new]
    if roots and roots[-1] != root:
        raise SuccessionInvalid("its last step does not lead to the root that signed")
    if len(set(roots)) != len(roots):
        raise SuccessionInvalid("a root comes twice")
    return tuple(fingerprint(one) for one in roots[:-1])


def _statement(brand_id: bytes, old: bytes, new: bytes) -> bytes:
    return LABEL_SUCCESSION + brand_id + old + new


def _read(step: Mapping[str, object], number: int) -> tuple[bytes, bytes, bytes]:
    try:
        fields = Fields(dict(step))
        if list(step) != _FIELDS:
            raise ValueError("other fields")  # noqa: TRY301 - all of this ends in the one error below
        return (
            fields.binary("old", n_bytes=PUBLIC_KEY_BYTES),
            fields.binary("new", n_bytes=PUBLIC_KEY_BYTES),
            fields.binary("signature", n_bytes=SIGNATURE_BYTES),
        )
    except ValueError:
        raise SuccessionInvalid(f"step {number} cannot be read") from None
