"""Strict Ed25519 (RFC 8032) in plain Python, in place of `keys.primitives` and libsodium (docs/format.md §1).

Nothing here is secret, so that nothing here takes constant time.
"""

import hashlib
from typing import Final

from keys.base.errors import PublicKeyInvalid, SignatureInvalid

PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
P: Final = 2**255 - 19
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
D: Final = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE: Final = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
"""A point in the extended coordinates of RFC 8032 §5.1.4."""
IDENTITY: Final[Point] = (0, 1, 1, 0)


def decode_point(data: bytes) -> Point:
    """Decode 32 bytes; ValueError where they are not the one spelling of a point of the curve."""
    number = int.from_bytes(data, "little")
    y, odd = number & (1 << 255) - 1, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT_OF_MINUS_ONE % P
    if len(data) != PUBLIC_KEY_BYTES or y >= P or (x * x - square) % P or (x == 0 and odd):
        raise ValueError("no point of the curve")
    x = x if x & 1 == odd else P - x
    return x, y, 1, x * y % P


def encode_point(point: Point) -> bytes:
    """Encode a point in its one spelling."""
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(one: Point, other: Point) -> Point:
    """Add two points (RFC 8032 §5.1.4)."""
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(number: int, point: Point) -> Point:
    """Add a point to itself `number` times."""
    result = IDENTITY
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


BASE: Final = decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_identity(point: Point) -> bool:
    """Whether a point is the neutral one."""
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0


def check_public_key(public_key: bytes) -> None:
    """Check that a key may enter a keyring: a canonical point of the prime-order subgroup, not the identity.

    Raises:
        PublicKeyInvalid: it is another one.
    """
    try:
        point = decode_point(public_key)
    except ValueError:
        raise PublicKeyInvalid from None
    if is_identity(multiply(8, point)) or not is_identity(multiply(ORDER, point)):
        raise PublicKeyInvalid


def verify_bytes(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature as libsodium does, without multiplying by the cofactor.

    1. S is below the order.   2. The key is canonical and not of small order.   3. S B - k A, written out, is R byte
    for byte.   4. R is not of small order.

    Raises:
        SignatureInvalid: one of these fails.
    """
    s = int.from_bytes(signature[32:], "little")
    try:
        key = decode_point(public_key)
    except ValueError:
        raise SignatureInvalid from None
    if len(signature) != SIGNATURE_BYTES or s >= ORDER or is_identity(multiply(8, key)):  # (1), (2)
        raise SignatureInvalid
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    x, y, z, xy = multiply(k, key)
    r = add(multiply(s, BASE), (-x % P, y, z, -xy % P))
    if encode_point(r) != signature[:32] or is_identity(multiply(8, r)):  # (3), (4)
        raise SignatureInvalid


def fingerprint(public_key: bytes) -> str:
    """The name of a public key."""
    return "sha256:" + hashlib.sha256(public_key).hexdigest()
