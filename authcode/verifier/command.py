"""Stage 5, verify: check authcodes, receipts and proofs of the log offline, with nothing but Python and public keys.

    python3 authcode_verify.py --keyring authcode-keys.json --root sha256:1f0c... 'HTTPS://V.EXAMPLE.COM/K1...'
    python3 authcode_verify.py log --key log.key --kept head-in-march.txt head.txt entry.txt growth.txt
    python3 authcode_verify.py receipt --keys authcode-proof-keys.json receipt.txt --key log.key growth.txt entry.txt

This one file needs no other package and no network: for customs, a journalist, a court. It follows docs/format.md
(sections 1 to 3; the numbers in it are that page's rules) and docs/protocol.md, and answers as `authcode verify
--offline` and `authcode log check` do. It shows whether a code was signed by the brand, never whether it is unused:
only the brand's server knows that.

Exit codes: 0 the signature is valid and the key list in date (everything holds), 1 the answer is no, 2 it could not be
checked.
"""

import argparse
import json
import os
import re
import sys
from datetime import UTC, datetime
from typing import Any

from authcode.log.check import LogCheck
from authcode.log.checkpoint import MAX_DOCUMENT_BYTES, read_log_key
from authcode.log.merkle import LogProofRefused
from authcode.log.words import conclusion, file_in_words
from authcode.verifier.codes import MAX_CODE_BYTES, STATE_TEXTS, NotOurs, verify_offline
from authcode.verifier.documents import MAX_KEYRING_BYTES, Refused
from authcode.verifier.ed25519 import fingerprint
from authcode.verifier.keyring import open_keyring
from keys.base.errors import AuthcodeError
from keys.base.fields import Fields
from keys.base.instants import parse_instant
from keys.base.typed_text import pasted_token
from keys.proof import Proof, open_proof, proof_in, public_keys_of

SENTENCES = {
    "log_document_invalid": "this is no log head or proof as the log wrote it: {reason}",
    "log_key_invalid": "this is no log key; the log prints it as name+hash+key on one line",
    "log_proof_refused": "this does not hold: {reason}; keep it, and ask the log's operator",
    "proof_algorithm_refused": "receipts are signed with Ed25519 and nothing else",
    "proof_altered": "the signature does not belong to this receipt; something in it was changed",
    "proof_from_elsewhere": "another server signed this receipt; only its keys can check it",
    "proof_incomplete": "the end of this receipt is missing or doubled; copy it exactly once",
    "proof_unreadable": "this text is no receipt; copy it whole",
    "public_key_invalid": "the key list holds something that is no Ed25519 key; do not use it",
}
"""The sentences of the library's errors here, by their codes."""


def root_of(text: str) -> str:
    """Read a fingerprint; argparse's own error for anything else."""
    if re.fullmatch("sha256:[0-9a-f]{64}", text, re.ASCII) is None:
        raise argparse.ArgumentTypeError("a fingerprint is sha256: and 64 digits of 0-9a-f")
    return text


def options() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(description="Check the signature of one authcode offline.")
    parser.add_argument("code", help="the exact text of the symbol, or - to read it from standard input")
    named = os.environ.get("AUTHCODE_KEYRING", "authcode-keys.json")
    parser.add_argument("--keyring", default=named, help="the brand's published key list [%(default)s]")
    parser.add_argument(
        "--root", type=root_of, help="fingerprint of the brand's root key, learnt from another source than the key list"
    )
    parser.add_argument("--newest", type=int, default=0, metavar="N", help="refuse a key list older than version N")
    parser.add_argument("--at", type=parse_instant, metavar="TIME", help="judge as of 2026-03-01T08:30:00Z [now]")
    parser.add_argument("--json", action="store_true", dest="as_json", help="answer in JSON")
    return parser


def answer(arguments: argparse.Namespace) -> dict[str, Any]:
    """Judge the code of the command line."""
    try:
        with open(arguments.keyring, "rb") as file:  # noqa: PTH123 - no more imports than needed
            document = file.read(MAX_KEYRING_BYTES + 1)
    except OSError as error:
        message = f"the key list {arguments.keyring} cannot be read ({error.strerror})"
        raise Refused("keyring_missing", message) from None
    keyring = open_keyring(document, arguments.root)
    if keyring["version"] < arguments.newest:
        message = f"keyring version {keyring['version']} is refused: version {arguments.newest} was seen before"
        raise Refused("keyring_rollback", message)
    root = fingerprint(bytes.fromhex(keyring["root"]))
    if arguments.root is None:
        sys.stderr.write(f"Note: the key list names the root {root}; compare it, and give it with --root.\n")
    text = arguments.code
    if text == "-":
        text = pasted_token(sys.stdin.buffer.read(4 * MAX_CODE_BYTES).decode("utf-8", "replace"))
        if not text:
            raise Refused("usage", "there was no input: nothing to check")
    try:
        return {**verify_offline(text, keyring, arguments.at or datetime.now(UTC)), "root": root}
    except NotOurs:
        return {"state": "not_ours", "root": root}


def file_options(words: list[str]) -> argparse.Namespace:
    """Read the command line of `log` and `receipt`."""
    receipt = words[0] == "receipt"
    parser = argparse.ArgumentParser(prog=f"authcode_verify.py {words[0]}", description="Check files of a log.")
    parser.add_argument("--key", required=not receipt, help="the log's public key, or a file with it")
    if receipt:
        parser.add_argument("receipt", help="a file with the receipt's text")
        parser.add_argument("--keys", required=True, help="the published keys that check receipts")
    else:
        parser.add_argument("--kept", help="a head that you kept: proofs of growth start from it")
        parser.add_argument("--leaf", type=bytes.fromhex, help="the leaf of a proof that carries no entry")
    parser.add_argument("files", nargs="*" if receipt else "+", help="heads and proofs of the log")
    parser.add_argument("--json", action="store_true", dest="as_json", help="answer in JSON, a line a file")
    return parser.parse_intermixed_args(words[1:])


def text_of(path: str) -> str:
    """Read a small text file."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return file.read(MAX_DOCUMENT_BYTES + 1).decode("utf-8")
    except (OSError, ValueError):
        raise Refused("log_document_invalid", f"{path} cannot be read as text") from None


def receipt_of(arguments: argparse.Namespace) -> Proof | None:
    """Give the receipt of the command line, if it names one."""
    if "receipt" not in arguments:
        return None
    try:
        keys = public_keys_of(Fields.parse(text_of(arguments.keys)).values())
    except ValueError:
        raise Refused("log_document_invalid", f"{arguments.keys} is no key set") from None
    return open_proof(proof_in(text_of(arguments.receipt)), keys)


def answer_files(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Check the files that were named; an answer for each."""
    text = arguments.key or ""
    key = read_log_key(text_of(text) if os.path.isfile(text) else text) if text else None  # noqa: PTH113 - as above
    proof = receipt_of(arguments)
    answers = [] if proof is None else [{"file": arguments.receipt, "holds": True, "kind": "receipt", **proof.claims()}]
    if not arguments.files:
        return answers
    if key is None:
        raise Refused("log_key_invalid", "name the log's public key with --key")
    kept = getattr(arguments, "kept", None)
    check = LogCheck(key=key, leaf=getattr(arguments, "leaf", None), proof=proof)
    check.start(text_of(kept) if kept else None)
    return [*answers, *(answer_file(check, file) for file in arguments.files)]


def answer_file(check: LogCheck, file: str) -> dict[str, Any]:
    """Check one file."""
    text = text_of(file)
    if check.needs_start(text):
        raise Refused("usage", "name the head that you kept with --kept: a proof of growth starts from it")
    try:
        return {"file": file, "holds": True, **check.facts(text)}
    except LogProofRefused as error:
        return {"file": file, "holds": False, "reason": sentence_of(error)}


def sentence_of(error: Refused | AuthcodeError) -> str:
    """Give an error's sentence as this file words it."""
    sentence = "{0}" if isinstance(error, Refused) else SENTENCES.get(error.code, "{0}")
    return sentence.format(error, **vars(error))


def print_files(arguments: argparse.Namespace) -> int:
    """Answer for receipts and files of a log; give the exit code."""
    answers = answer_files(arguments)
    lines = [json.dumps(one) for one in answers] if arguments.as_json else [file_in_words(one) for one in answers]
    lines += [] if arguments.as_json else conclusion(answers, receipt="receipt" in arguments)
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
    return 0 if all(one["holds"] for one in answers) else 1


def print_code(arguments: argparse.Namespace) -> int:
    """Answer for one code; give the exit code."""
    facts = answer(arguments)
    named = f"{facts['brand']}, serial {facts['serial']}: " if "brand" in facts else ""
    if arguments.as_json:
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        sys.stdout.buffer.write(f"{named}{STATE_TEXTS[facts['state']]}\n".encode())
    return 0 if facts["state"] == "signature_valid" else 1


def main() -> int:
    """Answer on standard output; give the exit code."""
    for_files = sys.argv[1:2] in (["log"], ["receipt"])
    arguments = file_options(sys.argv[1:]) if for_files else options().parse_args()
    try:
        return print_files(arguments) if for_files else print_code(arguments)
    except (Refused, AuthcodeError) as error:
        if arguments.as_json:
            facts = {"error": {"code": error.code, "message": sentence_of(error)}}
            sys.stdout.write(json.dumps(facts) + "\n")
        else:
            sys.stderr.write(f"Error: {sentence_of(error)} [{error.code}]\n")
        return 1 if isinstance(error, LogProofRefused) else 2
