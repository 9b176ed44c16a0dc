"""`authcode log check`: heads and proofs of a log, offline, with nothing but its public key."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from authcode.commands.options import example, json_option, tell_json

if TYPE_CHECKING:
    from authcode.log.checkpoint import Head, LogKey
    from authcode.log.merkle import LogProofRefused
    from authcode.log.proof import Included
    from keys.proof import Proof

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog=example("authcode log check --key log.key --kept head-in-march.txt head.txt proof.txt growth.txt")
)
@click.argument("files", nargs=-1, required=True, type=_file)
@click.option("--key", required=True, metavar="KEY|FILE", help="The log's public key, as `log key` prints it.")
@click.option("--kept", type=_file, help="A head that you kept: proofs of growth start from it.")
@click.option("--leaf", metavar="HEX", help="The leaf of a proof that carries no entry.")
@click.option("--receipt", type=_file, help="A receipt's text: the head that it names is the one you kept.")
@click.option(
    "--receipt-keys", type=_file, help="The keys that check receipts (/.well-known/authcode-proof-keys.json)."
)
@json_option
def check(  # noqa: PLR0913, PLR0917 - one parameter for each option
    files: tuple[Path, ...],
    key: str,
    kept: Path | None,
    leaf: str | None,
    receipt: Path | None,
    receipt_keys: Path | None,
    as_json: bool,
) -> None:
    """Check FILES: heads, proofs of inclusion, and proofs that a log has only grown.

    Exit code 0 only where every file holds. Two heads of one size with two roots prove that history was rewritten. With
    --receipt an entry must be the receipt's own, and stand behind the head that it names.
    """
    from authcode.log.checkpoint import read_log_key
    from authcode.log.merkle import LogProofRefused

    log_key = read_log_key(Path(key).read_text(encoding="utf-8") if Path(key).is_file() else key)
    shown = _receipt(receipt, receipt_keys)
    if shown is not None and kept is not None:
        raise click.UsageError("--kept and --receipt each name the head to start from; give one of them")
    checking = _Check(key=log_key, leaf=_leaf(leaf), proof=None if shown is None else shown[1])
    try:
        checking.begin(kept)
    except LogProofRefused as problem:
        answers = [_refusal(kept or receipt, problem)]
    else:
        answers = [checking.answer(file) for file in files]
    _tell(answers, receipt=shown, as_json=as_json)
    if not all(answer["holds"] for answer in answers):
        click.get_current_context().exit(1)


@dataclass(kw_only=True)
class _Check:
    """What all files of one check are compared with; `before` is the head to start from."""

    key: "LogKey"
    leaf: bytes | None
    proof: "Proof | None"
    before: "Head | None" = None
    roots: dict[int, bytes] = field(default_factory=dict)

    def begin(self, kept: Path | None) -> None:
        """Start from the head that was kept, or from the one that the receipt names (LogProofRefused)."""
        from authcode.log.checkpoint import open_head
        from authcode.log.receipt import head_before

        if self.proof is not None:
            self.before = head_before(self.proof)
        elif kept is not None:
            self.before = open_head(_text(kept), self.key)
        _agree(self.roots, self.before)

    def answer(self, file: Path) -> dict[str, object]:
        """The answer for one file."""
        from authcode.log.merkle import LogProofRefused
        from authcode.log.receipt import check_entry

        try:
            head, facts, included = _checked(_text(file), self.key, self.before, self.leaf)
            if self.proof is not None and included is not None:
                check_entry(self.proof, included)
            _agree(self.roots, head)
        except LogProofRefused as problem:
            return _refusal(file, problem)
        return {"file": str(file), "holds": True, **facts, "origin": head.origin, "size": head.size}


def _refusal(file: Path | None, problem: "LogProofRefused") -> dict[str, object]:
    return {"file": str(file), "holds": False, "reason": problem.reason}


def _text(file: Path) -> str:
    from authcode.log.checkpoint import MAX_DOCUMENT_BYTES, LogDocumentInvalid

    with file.open("rb") as stream:
        data = stream.read(MAX_DOCUMENT_BYTES + 1)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise LogDocumentInvalid("it is no text") from None


def _leaf(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        leaf = bytes.fromhex(text)
    except ValueError:
        leaf = b""
    if len(leaf) != 32:  # noqa: PLR2004 - SHA-256
        raise click.BadParameter("a leaf has 64 hexadecimal digits", param_hint="--leaf")
    return leaf


def _receipt(receipt: Path | None, keys: Path | None) -> "tuple[Path, Proof] | None":
    """A receipt and its content, checked with the server's proof keys."""
    from authcode.log.checkpoint import LogDocumentInvalid
    from keys.proof import open_proof, public_keys_of

    if receipt is None or keys is None:
        if receipt is not keys:
            raise click.UsageError("--receipt and --receipt-keys belong together")
        return None
    try:
        document = json.loads(_text(keys))
        return receipt, open_proof(_text(receipt).strip(), public_keys_of(document))
    except (ValueError, AttributeError, RecursionError):
        raise LogDocumentInvalid("the file of receipt keys is no key set") from None


def _checked(
    text: str, key: "LogKey", kept: "Head | None", leaf: bytes | None
) -> tuple["Head", dict[str, object], "Included | None"]:
    """The head of a file, the facts that it shows, and the entry or leaf that it shows to be included."""
    from authcode.log.checkpoint import open_head
    from authcode.log.proof import is_consistency, is_inclusion, open_consistency, open_inclusion

    if is_inclusion(text):
        found = open_inclusion(text, key, leaf=leaf)
        record = None if found.entry is None else found.entry.facts
        return (
            found.head,
            {"kind": "inclusion", "index": found.index, "leaf": found.leaf.hex(), "record": record},
            found,
        )
    if is_consistency(text):
        if kept is None:
            raise click.UsageError("name the head that you kept with --kept: a proof of growth starts from it")
        return open_consistency(text, key, kept=kept), {"kind": "consistency", "old": kept.size}, None
    return open_head(text, key), {"kind": "head"}, None


def _agree(roots: dict[int, bytes], head: "Head | None") -> None:
    """Refuse a second root for one size: the log has two histories."""
    from authcode.log.merkle import LogProofRefused

    if head is not None and roots.setdefault(head.size, head.root) != head.root:
        raise LogProofRefused(f"two heads of {head.size} leaves have two roots, both signed: history was rewritten")


def _tell(answers: list[dict[str, object]], *, receipt: tuple[Path, "Proof"] | None, as_json: bool) -> None:
    """Print the answers in the words of the single file, so that both checkers agree."""
    from authcode.verifier.authcode_verify import conclusion, file_in_words

    if as_json:
        for answer in answers:
            tell_json(answer)
        return
    if receipt is not None:
        path, proof = receipt
        answers = [{"file": str(path), "holds": True, "kind": "receipt", **proof.claims()}, *answers]
    for line in (*map(file_in_words, answers), *conclusion(answers, receipt=receipt is not None)):
        click.echo(line)
