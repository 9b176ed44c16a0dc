"""`authcode verify --offline`: signature and key state of one code."""

import sys
from pathlib import Path

import click

from authcode.commands.options import example, home_option, json_option, tell_json, the_time
from keys.errors import AuthcodeError
from keys.home import home_dir, issuer_keyring_path
from keys.instants import format_instant
from keys.issuer import IssuerHome
from keys.keyring import OpenedKeyring
from keys.trust import TrustFile

_SAID = {
    "signature_valid": "signature valid, use not checked",
    "key_list_out_of_date": "signature valid, key list out of date: fetch the keyring again, or ask online",
    "key_withdrawn": "the key was withdrawn: ask online",
}


class KeyringMissing(AuthcodeError):
    """There is no keyring to verify by."""

    code = "keyring_missing"
    http_status = 404

    def __init__(self, home: Path) -> None:
        """Carry the home that was looked at."""
        super().__init__(
            f"there is no keyring in {home}; name the brand's published one with --keyring or AUTHCODE_KEYRING"
        )
        self.home = home


class OfflineNotSaid(AuthcodeError):
    """Verifying for good is the server's part."""

    code = "offline_not_said"

    def __init__(self) -> None:
        """Say what is there."""
        super().__init__("say --offline to check signature and key state; use is recorded by the brand's server alone")


@click.command(epilog=example("head -2 codes.csv | tail -1 | cut -d, -f3 | authcode verify --offline --json -"))
@click.argument("code")
@click.option("--offline", is_flag=True, help="Check signature and key state only; nothing is asked or recorded.")
@click.option(
    "--keyring",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="AUTHCODE_KEYRING",
    show_envvar=True,
    help="A brand's published keyring; its root key is remembered at first sight [the home's own].",
)
@home_option
@json_option
def verify(code: str, offline: bool, keyring: Path | None, home: Path | None, as_json: bool) -> None:
    """Check the signature of CODE, the exact text of a symbol, or `-` to read it from standard input.

    A code is a secret until it is used: other users see arguments and shells remember them, so prefer `-`.
    Exit code 0 only where the signature is valid and the key list in date.
    """
    from authcode.payload import MAX_CODE_BYTES, NotOurs
    from authcode.verify import OfflineState, verify_offline

    if not offline:
        raise OfflineNotSaid
    opened = _keyring(keyring, home_dir(home))
    text = sys.stdin.buffer.read(MAX_CODE_BYTES + 3).removesuffix(b"\n").removesuffix(b"\r") if code == "-" else code
    try:
        answer = verify_offline(text, opened, the_time())
    except NotOurs as error:
        _tell({"state": error.code}, str(error), as_json=as_json)
        click.get_current_context().exit(1)
    verified = answer.code
    facts = {
        "state": answer.state,
        "use_checked": False,
        "brand": answer.brand,
        "brand_id": verified.brand_id.hex(),
        "key_id": verified.key.key_id,
        "key_state": verified.key.state,
        "form": verified.form,
        "serial": verified.serial,
        "gtin": verified.gtin if verified.gtin.strip("0") else None,
        "keyring_version": answer.keyring_version,
        "keyring_expires": format_instant(answer.keyring_expires),
    }
    _tell(facts, f"{answer.brand}, serial {verified.serial}: {_SAID[answer.state]}", as_json=as_json)
    if answer.state is not OfflineState.SIGNATURE_VALID:
        click.get_current_context().exit(1)


def _keyring(path: Path | None, home: Path) -> OpenedKeyring:
    if path is not None:
        return TrustFile(home / "trust.json").admit(path.read_bytes())
    if not issuer_keyring_path(home).exists():
        raise KeyringMissing(home)
    return IssuerHome.open(home).keyring


def _tell(facts: dict[str, object], sentence: str, *, as_json: bool) -> None:
    if as_json:
        tell_json(facts)
    else:
        click.echo(sentence)
