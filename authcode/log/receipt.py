"""Check a proof of a verification by the log: that it was not written after its date (docs/protocol.md §3).

A proof names the log's last head before it. Its entry comes after that head, and before the next head that somebody
kept: a proof written after its date would have to be entered among entries of that time.
"""

from authcode.log.checkpoint import Head, read_named_head
from authcode.log.merkle import LogProofRefused
from authcode.log.proof import Included
from keys.base.instants import format_instant
from keys.proof import Proof


def head_before(proof: Proof) -> Head:
    """The head that a proof names, to be kept like any other: proofs of growth start from it.

    Raises:
        LogProofRefused: it names none: no head was signed yet.
        LogDocumentInvalid: what it names is no head.
    """
    if proof.log_head is None:
        raise LogProofRefused("the receipt names no head of a log, so that nothing here can date it")
    return read_named_head(proof.log_head)


def check_entry(proof: Proof, found: Included) -> None:
    """Check that an entry is a proof's own, and was placed after the head that the proof names.

    Raises:
        LogProofRefused: it is another one's, or comes before that head.
        LogDocumentInvalid: its record cannot be read.
    """
    before = head_before(proof)
    if found.entry is None:
        raise LogProofRefused("the entry is not shown, so it cannot be compared with the receipt")
    wanted = {
        "kind": "redemption",
        "at": format_instant(proof.at),
        "brand": proof.brand,
        "serial": proof.serial,
        "life": proof.life,
    }
    facts = found.entry.facts
    if {name: facts.get(name) for name in wanted} != wanted:
        raise LogProofRefused("the entry records another verification than the receipt")
    if before.origin != found.head.origin or found.index < before.size:
        raise LogProofRefused("the entry comes before the head that the receipt names, or in another log")
