"""Stage 2, print: one label, as every format's writer receives it."""

from dataclasses import dataclass

from authcode.qr.symbol import Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One code on its way to print. Its text is a secret until it is burned: it reaches no name and no message."""

    index: int
    """Place of the unit in its order, from 0."""
    tier: str | None
    """`outer` or `inner` for the labels of a pair, None for single ones."""
    serial_text: str
    """The serial as printed next to the symbol, in groups (docs/format.md §5)."""
    code: str
    symbol: Symbol

    @property
    def file_stem(self) -> str:
        """Name of the label's own file, without its ending: `000042`, for pairs `000042o` and `000042i`."""
        return f"{self.index:06d}{self.tier[0] if self.tier else ''}"
