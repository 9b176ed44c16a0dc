"""`authcode log check`: heads and proofs of a log, offline, with nothing but its public key."""

import json
from pathlib import Path

import click

from authcode.commands.options import example, json_option, print_json, read_bounded
from authcode.log.check import LogCheck
from authcode.log.checkpoint import MAX_DOCUMENT_BYTES, LogDocumentInvalid, read_log_key
from authcode.log.merkle import HASH_BYTES, LogProofRefused
from authcode.log.words import conclusion, file_in_words
from keys.proof import Proof, open_proof, proof_in, public_keys_of

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
    --receipt an entry must be the receipt's own, and come after the head that it names.
    """
    log_key = read_log_key(Path(key).read_text(encoding="utf-8") if Path(key).is_file() else key)
    leaf_bytes = None if leaf is None else _leaf(leaf)
    proof = _receipt(receipt, receipt_keys)
    if proof is not None and kept is not None:
        raise click.UsageError("--kept and --receipt each name the head to start from; give one of them")
    answers = _answers(LogCheck(key=log_key, leaf=leaf_bytes, proof=proof), files, kept=kept, receipt=receipt)
    _print_answers(answers, receipt=receipt, proof=proof, as_json=as_json)
    if not all(answer["holds"] for answer in answers):
        click.get_current_context().exit(1)


def _answers(
    log_check: LogCheck, files: tuple[Path, ...], *, kept: Path | None, receipt: Path | None
) -> list[dict[str, object]]:
    """The answer for each file, or one for the head to start from where that one does not hold."""
    try:
        log_check.start(None if kept is None else _text(kept))
    except LogProofRefused as problem:
        return [{"file": str(kept or receipt), "holds": False, "reason": problem.reason}]
    return [_answer(log_check, file) for file in files]


def _answer(log_check: LogCheck, file: Path) -> dict[str, object]:
    text = _text(file)
    if log_check.needs_start(text):
        raise click.UsageError("name the head that you kept with --kept: a proof of growth starts from it")
    try:
        return {"file": str(file), "holds": True, **log_check.facts(text)}
    except LogProofRefused as problem:
        return {"file": str(file), "holds": False, "reason": problem.reason}


def _text(file: Path) -> str:
    try:
        return read_bounded(file, MAX_DOCUMENT_BYTES).decode("utf-8")
    except UnicodeDecodeError:
        raise LogDocumentInvalid("it is no text") from None


def _leaf(text: str) -> bytes:
    try:
        leaf = bytes.fromhex(text)
    except ValueError:
        leaf = b""
    if len(leaf) != HASH_BYTES:
        raise click.BadParameter("a leaf has 64 hexadecimal digits", param_hint="--leaf")
    return leaf


def _receipt(receipt: Path | None, keys: Path | None) -> Proof | None:
    """The contents of a receipt, once the server's proof keys vouch for it."""
    if receipt is None or keys is None:
        if receipt is not keys:
            raise click.UsageError("--receipt and --receipt-keys belong together")
        return None
    try:
        document = json.loads(_text(keys))
        return open_proof(proof_in(_text(receipt)), public_keys_of(document))
    except (ValueError, AttributeError, RecursionError):
        raise LogDocumentInvalid("the file of receipt keys is no key set") from None


def _print_answers(
    answers: list[dict[str, object]], *, receipt: Path | None, proof: Proof | None, as_json: bool
) -> None:
    """Print the answers with the sentences of the single file, so that both checkers answer alike."""
    if as_json:
        for answer in answers:
            print_json(answer)
        return
    if proof is not None:
        answers = [{"file": str(receipt), "holds": True, "kind": "receipt", **proof.claims()}, *answers]
    for line in (*map(file_in_words, answers), *conclusion(answers, receipt=proof is not None)):
        click.echo(line)
