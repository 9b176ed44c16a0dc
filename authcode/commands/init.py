"""`authcode init`: a brand's home."""

from pathlib import Path

import click

from authcode.client.address import is_this_machine
from authcode.code.payload import shown_host
from authcode.commands.options import common_options, example, print_answer, the_time
from authcode.events import KEYRING_PUBLISHED, announce_contact, announce_keyring, is_heard
from authcode.order.contact import MAX_CONTACT_CHARACTERS, is_contact
from keys.base.errors import AuthcodeError, HomeExists, KeyringInvalid
from keys.base.home import home_dir, issuer_dir, issuer_keyring_path, keep_apart
from keys.format.keyring import OpenedKeyring, check_brand
from keys.format.lookalike import refuse_mixed_host, refuse_mixed_scripts
from keys.format.prefix import host_of, normalise_prefix
from keys.store.issuer import IssuerHome, UnlockedIssuer
from keys.store.passphrase import read_passphrase


class PassphrasesEqual(AuthcodeError):
    """The two parts of a home were given one passphrase."""

    code = "passphrases_equal"
    sentence = "the issuer's and the server's passphrase are the same; a server must not open the signing keys"


@click.command(
    epilog=example('authcode init --brand "Acme Tea" --prefix https://v.acme.example --contact care@acme.example')
)
@click.option("--brand", required=True, help="The brand's name, as shoppers read it.")
@click.option("--prefix", required=True, metavar="URL", help="Where its codes lead, such as https://v.example.com.")
@click.option("--contact", help="Whom shoppers ask: an address, a number or words. Nothing is activated without it.")
@click.option("--issuer-only", is_flag=True, help="No server's part: a print station, whose server is elsewhere.")
@common_options
def init(  # noqa: PLR0913, PLR0917 - one argument an option
    brand: str, prefix: str, contact: str | None, issuer_only: bool, home: Path | None, as_json: bool
) -> None:
    """Make a brand's home: root, office, serial and signing keys, and the keyring.

    Two passphrases are asked for, one for the issuer's part (it can sign codes) and one for the server's (it cannot).
    With --issuer-only, or where the server's packages are not installed, there is the first alone.
    """
    place = home_dir(home)
    if issuer_dir(place).exists():
        raise HomeExists(place)
    refuse_mixed_host(host_of(normalise_prefix(prefix)))  # refused before a passphrase is asked for
    try:
        check_brand(brand)
    except KeyringInvalid as error:
        raise click.BadParameter(f'{error.reason}, as in "Acme Tea"', param_hint="--brand") from None
    refuse_mixed_scripts(brand)
    _check_contact(contact, issuer_only=issuer_only)
    passphrase = read_passphrase("issuer", place, new=True)
    with_server = not issuer_only and is_heard(KEYRING_PUBLISHED)
    server_passphrase = read_passphrase("server", place, new=True) if with_server else None
    if passphrase == server_passphrase:
        raise PassphrasesEqual
    issuer = IssuerHome.create(place, brand=brand, prefix=prefix, passphrase=passphrase, now=the_time())
    unlocked = issuer.unlock(passphrase)
    notes = _announce(unlocked, server_passphrase or "", issuer_only=issuer_only)
    notes += announce_contact(place, brand, contact) if contact else _about_contact(with_server=with_server)
    opened, keyring = unlocked.keyring, unlocked.keyring.keyring
    print_answer(
        _facts(place, opened, notes),
        f"{keyring.brand}: home made in {place}, codes will begin with {keyring.prefixes[0]}",
        f"  root key {opened.root_fingerprint}",
        f"  keep a copy of {issuer_dir(place)} and its passphrase in a safe place: they cannot be restored",
        as_json=as_json,
        notes=(*notes, *_about_plain_http(keyring.prefixes[0])),
    )
    if as_json:
        return
    if issuer_only:
        click.echo("Next: `authcode keys address` at the server, then here: authcode keys send --to ADDRESS")
    else:
        click.echo("Next: authcode batch issue --order first --count 24 --placement inside")


def _check_contact(contact: str | None, *, issuer_only: bool) -> None:
    if contact is None:
        return
    if issuer_only:
        raise click.UsageError("the server keeps the contact: give it there, with `authcode brand contact`")
    if not is_contact(contact):
        raise click.BadParameter(f"1 to {MAX_CONTACT_CHARACTERS} printable characters", param_hint="--contact")


def _announce(unlocked: UnlockedIssuer, server_passphrase: str, *, issuer_only: bool) -> tuple[str, ...]:
    """Announce the first keyring, or mark this home as a print station's; returns the listeners' sentences."""
    place = unlocked.home
    try:
        if issuer_only:
            keep_apart(place)
            return ()
        return announce_keyring(place, unlocked.keyring.document, unlocked.shared_keys(), lambda: server_passphrase)
    except AuthcodeError:
        click.echo(f"The issuer's part is made in {place}. Fix the error below, then: authcode keys publish", err=True)
        raise


def _about_contact(*, with_server: bool) -> tuple[str, ...]:
    """What a server lacks that was given no contact."""
    lacks = "shoppers have nobody to ask yet, and no code can be activated before: authcode brand contact CONTACT"
    return (lacks,) if with_server else ()


def _about_plain_http(prefix: str) -> tuple[str, ...]:
    """The warning for codes that lead to an unencrypted address; printed codes cannot be changed."""
    host = shown_host(prefix).partition(":")[0]
    if not prefix.startswith("HTTP://") or is_this_machine(host):
        return ()
    return (
        "Warning: without https anyone on the network can read and change what shoppers see; print no codes for sale.",
    )


def _facts(home: Path, opened: OpenedKeyring, notes: tuple[str, ...]) -> dict[str, object]:
    keyring = opened.keyring
    return {
        "home": str(home),
        "brand": keyring.brand,
        "brand_id": keyring.brand_id.hex(),
        "root": opened.root_fingerprint,
        "prefixes": list(keyring.prefixes),
        "keyring": str(issuer_keyring_path(home)),
        "notes": list(notes),
    }
