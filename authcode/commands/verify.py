"""`authcode verify --offline`: signature and key state of one code."""

import sys
from datetime import datetime
from pathlib import Path

import click

from authcode.code.payload import NotOurs
from authcode.code.verify import OfflineAnswer, OfflineState, verify_offline
from authcode.commands.options import (
    common_options,
    example,
    keyring_at,
    keyring_option,
    print_answer,
    read_fingerprint,
    the_time,
    trust_facts,
)
from authcode.commands.values import MOMENT
from authcode.verifier.codes import STATE_TEXTS
from authcode.verifier.single_file import build
from keys.base.errors import AuthcodeError
from keys.base.home import home_dir
from keys.base.instants import format_instant
from keys.base.typed_text import pasted_token
from keys.format.keyring import OpenedKeyring

_MAX_INPUT_BYTES = 2048
"""A code has about 150 characters; the rest leaves room for what was copied with it."""


class KeyringMissing(AuthcodeError):
    """There is no keyring to verify by."""

    code = "keyring_missing"
    http_status = 404
    sentence = "there is no keyring in {home}; name the brand's published one with --keyring or AUTHCODE_KEYRING"
    home: Path


class OfflineRequired(AuthcodeError):
    """A verification without --offline, which only a server can record."""

    code = "offline_not_said"
    sentence = "give --offline to check signature and key state; use is recorded by the brand's server alone"


@click.command(epilog=example("head -2 codes.csv | tail -1 | cut -d, -f3 | authcode verify --offline --json -"))
@click.argument("code", required=False)
@click.option("--offline", is_flag=True, help="Check signature and key state only; nothing is sent or recorded.")
@keyring_option
@click.option(
    "--root",
    metavar="FINGERPRINT",
    callback=read_fingerprint,
    help="The brand's root key, learnt from another source.",
)
@click.option("--at", type=MOMENT, help="Judge as of a moment in UTC [now].")
@click.option(
    "--print-standalone", is_flag=True, help="Print a verifier in one file that needs only Python, and do nothing else."
)
@common_options
def verify(  # noqa: PLR0913, PLR0917 - one argument an option
    code: str | None,
    offline: bool,
    keyring: Path | None,
    root: str | None,
    at: datetime | None,
    print_standalone: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Check the signature of CODE, the exact text of a symbol, or `-` to read it from standard input.

    From standard input white space, quotes and brackets around the code, and a byte order mark, are left out.

    A code is a secret until it is used: other users see arguments and shells remember them, so prefer `-`.
    Exit code 0 only where the signature is valid and the key list in date.
    """
    if print_standalone:
        click.echo(build(), nl=False)
        return
    if code is None:
        raise click.UsageError("Missing argument 'CODE'.")
    if not offline:
        raise OfflineRequired
    opened = _opened(keyring, home_dir(home), root)
    text = pasted_token(sys.stdin.buffer.read(_MAX_INPUT_BYTES).decode("utf-8", "replace")) if code == "-" else code
    if code == "-" and not text:
        raise click.UsageError("there was no input: nothing to check.")
    try:
        answer = verify_offline(text, opened, at or the_time())
    except NotOurs as error:
        print_answer({"state": error.code, **trust_facts(opened)}, str(error), as_json=as_json)
        click.get_current_context().exit(1)
    facts = {**_facts(answer), **trust_facts(opened)}
    print_answer(
        facts, f"{answer.keyring.brand}, serial {answer.code.serial}: {STATE_TEXTS[answer.state]}", as_json=as_json
    )
    if answer.state is not OfflineState.SIGNATURE_VALID:
        click.get_current_context().exit(1)


def _opened(keyring: Path | None, home: Path, root: str | None) -> OpenedKeyring:
    opened = keyring_at(keyring, home, root=root)
    if opened is None:
        raise KeyringMissing(home)
    return opened


def _facts(answer: OfflineAnswer) -> dict[str, object]:
    verified = answer.code
    return {
        "state": answer.state,
        "use_checked": False,
        "brand": answer.keyring.brand,
        "brand_id": verified.brand_id.hex(),
        "key_id": verified.key.key_id,
        "key_state": verified.key.state,
        "form": verified.form,
        "serial": verified.serial,
        "gtin": verified.gtin if verified.gtin.strip("0") else None,
        "keyring_version": answer.keyring.version,
        "keyring_expires": format_instant(answer.keyring.expires),
    }
