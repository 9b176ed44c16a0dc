"""FF1 format-preserving encryption, exactly as NIST SP 800-38G (Algorithms 7 and 8), on strings of digits.

Serials are FF1 of (batch number, unit index, tier): they show neither volume nor order, and the server turns them back
without having stored them (docs/format.md §2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK_BYTES: Final = 16
ROUNDS: Final = 10
MAX_RADIX: Final = 1 << 16
MIN_DOMAIN: Final = 1_000_000
"""Fewest strings that an FF1 length may have (SP 800-38G Revision 1, section 5.1)."""
MAX_DIGITS: Final = 4096
"""SP 800-38G admits 2^32 - 1; our serials have 13, and arithmetic on halves should stay small."""
MAX_CACHED_TWEAKS: Final = 64
"""A tweak is a brand id: a process meets few of them."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """The values that all rounds of one length and tweak share; the steps are those of Algorithm 7."""

    right_bytes: int  # b, step 3
    take_bytes: int  # d, step 4
    chain: int  # the CBC-MAC after P and the blocks of Q that no round changes, steps 5 and 6
    head: bytes  # the rest of Q in front of the round number
    left_modulus: int  # radix^u: even rounds
    right_modulus: int  # radix^v: odd rounds


class Ff1:
    """FF1 under one AES key and radix. Safe to share between threads; the AES key schedule runs once."""

    __slots__ = ("_aes", "_frames", "_radix")

    def __init__(self, key: bytes, radix: int) -> None:
        """Take an AES key of 16, 24 or 32 bytes and a radix of 2 to 65536.

        Raises:
            ValueError: another length or radix.
        """
        if not 2 <= radix <= MAX_RADIX:  # noqa: PLR2004 - the smallest radix there is
            raise ValueError(f"the radix is 2 to {MAX_RADIX}, not {radix}")
        self._aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - FF1 builds on the block cipher
        self._radix = radix
        self._frames: dict[tuple[int, bytes], _Frame] = {}

    def encrypt(self, digits: Sequence[int], tweak: bytes) -> list[int]:
        """FF1.Encrypt (Algorithm 7): as many digits as came in, each from 0 to radix - 1.

        Raises:
            ValueError: a digit is out of range, or there are too few or too many digits.
        """
        frame, a, b = self._split(digits, tweak)
        for number in range(ROUNDS):
            modulus = frame.right_modulus if number & 1 else frame.left_modulus
            a, b = b, (a + self._round(frame, number, b)) % modulus
        return self._join(a, b, len(digits))

    def decrypt(self, digits: Sequence[int], tweak: bytes) -> list[int]:
        """FF1.Decrypt (Algorithm 8), the inverse of `encrypt` under the same tweak; the same errors."""
        frame, a, b = self._split(digits, tweak)
        for number in reversed(range(ROUNDS)):
            modulus = frame.right_modulus if number & 1 else frame.left_modulus
            a, b = (b - self._round(frame, number, a)) % modulus, a
        return self._join(a, b, len(digits))

    def _split(self, digits: Sequence[int], tweak: bytes) -> tuple[_Frame, int, int]:
        """Steps 1 and 2: the halves A and B as numbers, most significant digit first."""
        frame = self._frames.get((len(digits), tweak)) or self._new_frame(len(digits), tweak)
        if min(digits) < 0 or max(digits) >= self._radix:
            raise ValueError(f"a digit is 0 to {self._radix - 1}")
        middle = len(digits) // 2
        return frame, self._number(digits[:middle]), self._number(digits[middle:])

    def _number(self, digits: Sequence[int]) -> int:
        radix, value = self._radix, 0
        for digit in digits:
            value = value * radix + digit
        return value

    def _join(self, a: int, b: int, n_digits: int) -> list[int]:
        """Step 7: A and B as digits again."""
        radix, digits = self._radix, [0] * n_digits
        middle = n_digits // 2
        for position in range(middle - 1, -1, -1):
            a, digits[position] = divmod(a, radix)
        for position in range(n_digits - 1, middle - 1, -1):
            b, digits[position] = divmod(b, radix)
        return digits

    def _round(self, frame: _Frame, number: int, right: int) -> int:
        """Steps 6i to 6iv: y = NUM(S), before it is reduced."""
        rest = frame.head + bytes((number,)) + right.to_bytes(frame.right_bytes, "big")
        mac = self._chain(frame.chain, rest)
        if frame.take_bytes <= BLOCK_BYTES:
            return mac >> (8 * (BLOCK_BYTES - frame.take_bytes))
        blocks = -(-frame.take_bytes // BLOCK_BYTES)
        stream = mac.to_bytes(BLOCK_BYTES, "big") + b"".join(
            self._aes.update((mac ^ counter).to_bytes(BLOCK_BYTES, "big")) for counter in range(1, blocks)
        )
        return int.from_bytes(stream[: frame.take_bytes], "big")

    def _chain(self, state: int, blocks: bytes) -> int:
        """Continue PRF, the CBC-MAC of Algorithm 6, over whole blocks."""
        for start in range(0, len(blocks), BLOCK_BYTES):
            mixed = state ^ int.from_bytes(blocks[start : start + BLOCK_BYTES], "big")
            state = int.from_bytes(self._aes.update(mixed.to_bytes(BLOCK_BYTES, "big")), "big")
        return state

    def _new_frame(self, n_digits: int, tweak: bytes) -> _Frame:
        """Steps 1 and 3 to 5, once per length and tweak."""
        if n_digits > MAX_DIGITS or self._radix**n_digits < MIN_DOMAIN:
            raise ValueError(f"FF1 takes {MAX_DIGITS} digits at most, and no fewer than make {MIN_DOMAIN} strings")
        u = n_digits // 2
        v = n_digits - u
        right_bytes = -(-(self._radix**v - 1).bit_length() // 8)
        head = (
            bytes((1, 2, 1))
            + self._radix.to_bytes(3, "big")
            + bytes((ROUNDS, u % 256))
            + n_digits.to_bytes(4, "big")
            + len(tweak).to_bytes(4, "big")
        )
        fixed = tweak + bytes(-(len(tweak) + right_bytes + 1) % BLOCK_BYTES)
        whole = len(fixed) // BLOCK_BYTES * BLOCK_BYTES
        frame = _Frame(
            right_bytes=right_bytes,
            take_bytes=4 * -(-right_bytes // 4) + 4,
            chain=self._chain(0, head + fixed[:whole]),
            head=fixed[whole:],
            left_modulus=self._radix**u,
            right_modulus=self._radix**v,
        )
        if len(self._frames) >= MAX_CACHED_TWEAKS:
            self._frames.clear()
        self._frames[n_digits, tweak] = frame
        return frame
