"""`authcode keys domains`: the look-alike and partner domains that a brand publishes, signed, in its keyring."""

from pathlib import Path

import click

from authcode.commands.keys import announce_keys
from authcode.commands.options import common_options, example, print_answer, the_time, unlocked_issuer
from keys.base.home import home_dir
from keys.format.domains import Listing, domains_of
from keys.format.keyring import OpenedKeyring
from keys.store.issuer import IssuerHome, UnlockedIssuer

_WORDS = {Listing.LOOKALIKE: "look-alike", Listing.PARTNER: "partner"}


@click.group(epilog=example("authcode keys domains add --lookalike aurel-check.example"))
def domains() -> None:
    """List, add and remove the domains of partners and of known look-alikes, of which shoppers are informed.

    A domain covers itself and every host below it. The lists are part of the keyring: the root signs them.
    """


@domains.command("list", epilog=example("authcode keys domains list --json"))
@common_options
def list_domains(home: Path | None, as_json: bool) -> None:
    """List them; no passphrase is needed."""
    opened = IssuerHome.open(home_dir(home)).keyring
    keyring = opened.keyring
    listed = [f"  {_WORDS[listing]:10} {domain}" for listing in Listing for domain in domains_of(keyring, listing)]
    print_answer(_facts(opened), f"{keyring.brand}: keyring {keyring.version}", *listed, as_json=as_json)


@domains.command(epilog=example("authcode keys domains add --partner shop.example.org --partner tea.example.net"))
@click.option("--lookalike", metavar="DOMAIN", multiple=True, help="A domain that imitates ours; may be repeated.")
@click.option("--partner", metavar="DOMAIN", multiple=True, help="A domain of a partner; may be repeated.")
@common_options
def add(lookalike: tuple[str, ...], partner: tuple[str, ...], home: Path | None, as_json: bool) -> None:
    """Put domains on the lists and publish the keyring.

    Shoppers whose code leads there read it: a partner is named as one, a look-alike as known and not yours. A domain
    covers every host below it, so list none that strangers share: public suffixes (co.uk and the like) are not checked
    here and would be taken.
    """
    additions = {Listing.LOOKALIKE: lookalike, Listing.PARTNER: partner}
    if not any(additions.values()):
        raise click.UsageError("Name a domain with --lookalike DOMAIN or --partner DOMAIN.")
    issuer = unlocked_issuer(home)
    _publish(issuer, issuer.add_domains(additions, the_time()), as_json=as_json)


@domains.command(epilog=example("authcode keys domains remove shop.example.org"))
@click.argument("names", nargs=-1, required=True, metavar="DOMAIN...")
@common_options
def remove(names: tuple[str, ...], home: Path | None, as_json: bool) -> None:
    """Take domains off their lists and publish the keyring."""
    issuer = unlocked_issuer(home)
    _publish(issuer, issuer.unlist_domains(names, the_time()), as_json=as_json)


def _publish(issuer: UnlockedIssuer, opened: OpenedKeyring, *, as_json: bool) -> None:
    notes = announce_keys(issuer)
    listed = (f"{len(domains_of(opened.keyring, listing))} {_WORDS[listing]}" for listing in Listing)
    line = f"Keyring {opened.keyring.version}: {' and '.join(listed)} domains"
    print_answer({**_facts(opened), "notes": notes}, line, as_json=as_json, notes=notes)


def _facts(opened: OpenedKeyring) -> dict[str, object]:
    keyring = opened.keyring
    lists = {f"{listing}_domains": list(domains_of(keyring, listing)) for listing in Listing}
    return {"brand": keyring.brand, "version": keyring.version, **lists}
