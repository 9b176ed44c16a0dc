"""Check files of a log: heads, inclusion and consistency proofs, compared with each other and with a receipt."""

from dataclasses import dataclass, field

from authcode.log.checkpoint import Head, LogKey, open_head
from authcode.log.merkle import LogProofRefused
from authcode.log.proof import is_consistency, is_inclusion, open_consistency, open_inclusion
from authcode.log.receipt import check_entry, head_before
from keys.proof import Proof


@dataclass(slots=True, kw_only=True)
class LogCheck:
    """A check of several files under one log's key; `start` comes first.

    `leaf` is the hash of the leaf where a proof does not show its entry, `proof` the receipt, if there is one, and
    `before` the head that proofs of growth start from.
    """

    key: LogKey
    leaf: bytes | None = None
    proof: Proof | None = None
    before: Head | None = None
    roots: dict[int, bytes] = field(default_factory=dict, init=False)

    def start(self, kept: str | None) -> None:
        """Take the head that proofs of growth start from: the receipt's, or the note of one that was kept.

        Raises:
            LogProofRefused: the receipt names none, or the log's key did not sign the kept one.
            LogDocumentInvalid: it is no head.
        """
        if self.proof is not None:
            self.before = head_before(self.proof)
        elif kept is not None:
            self.before = open_head(kept, self.key)
        if self.before is not None:
            self._agree(self.before)

    def needs_start(self, text: str) -> bool:
        """Whether a file is a proof of growth, and there is no head that it could start from."""
        return is_consistency(text) and self.before is None

    def facts(self, text: str) -> dict[str, object]:
        """Check one file and return its facts.

        Raises:
            LogProofRefused: it does not hold.
            LogDocumentInvalid: it cannot be read.
        """
        if is_inclusion(text):
            found = open_inclusion(text, self.key, leaf=self.leaf)
            record = None if found.entry is None else found.entry.facts
            if self.proof is not None:
                check_entry(self.proof, found)
            head = found.head
            shown = {"kind": "inclusion", "index": found.index, "leaf": found.leaf.hex(), "record": record}
        elif is_consistency(text) and self.before is not None:
            head = open_consistency(text, self.key, kept=self.before)
            shown = {"kind": "consistency", "old": self.before.size}
        else:
            head, shown = open_head(text, self.key), {"kind": "head"}
        self._agree(head)
        return {**shown, "origin": head.origin, "size": head.size}

    def _agree(self, head: Head) -> None:
        """Refuse a second root for one size: the log has two histories."""
        if self.roots.setdefault(head.size, head.root) != head.root:
            raise LogProofRefused(f"two heads of {head.size} leaves have two roots, both signed: history was rewritten")
