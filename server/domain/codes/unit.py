"""Stage 1, batch: one printed unit and its number, life included (docs/format.md §2). Pure."""

from dataclasses import dataclass

ROW_BITS = 25
INDEX_BITS = 35
LIFE_BITS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One printed unit: the server's row of its batch, the index in it, and which life it is in (docs/format.md §2)."""

    row: int
    index: int
    life: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers that would run into the next field of the id."""
        if not 0 <= self.row < 1 << ROW_BITS:
            raise ValueError(f"row {self.row} does not fit {ROW_BITS} bits")
        if not 0 <= self.index < 1 << INDEX_BITS:
            raise ValueError(f"index {self.index} does not fit {INDEX_BITS} bits")
        if not 0 <= self.life < 1 << LIFE_BITS:
            raise ValueError(f"life {self.life} does not fit {LIFE_BITS} bits")

    @property
    def id(self) -> int:
        """The unit id with its life: bits 0-34 index, 35-59 row, 60-61 life; always below 2**62."""
        return (self.life << (ROW_BITS + INDEX_BITS)) | (self.row << INDEX_BITS) | self.index

    @classmethod
    def of_id(cls, number: int) -> "Unit":
        """The unit a number names.

        Raises:
            ValueError: no unit has this number.
        """
        if not 0 <= number < 1 << (ROW_BITS + INDEX_BITS + LIFE_BITS):
            raise ValueError("not a unit id")
        return cls(
            row=(number >> INDEX_BITS) & ((1 << ROW_BITS) - 1),
            index=number & ((1 << INDEX_BITS) - 1),
            life=number >> (ROW_BITS + INDEX_BITS),
        )
