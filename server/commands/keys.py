"""`authcode keys address` and `authcode keys receive`: a brand's serial and MAC keys, sent to this server."""

import sys
from pathlib import Path

import click

from authcode.commands.options import example, home_option, json_option, print_answer, read_fingerprint, the_time


@click.command(epilog=example("authcode keys address"))
@home_option
@json_option
def address(home: Path | None, as_json: bool) -> None:
    """Print this server's address: a public key, to be given to brands for `authcode keys send --to`."""
    from keys.primitives import address_of
    from server.commands.database import server_keys

    public = address_of(server_keys(home).address).hex()
    print_answer({"address": public}, public, as_json=as_json)


@click.command(epilog=example("authcode keys receive keys-for-server.json --root sha256:1f0c..."))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--root",
    metavar="FINGERPRINT",
    callback=read_fingerprint,
    help="The brand's root key as the brand gave it [pinned at first sight, after a question at a terminal].",
)
@home_option
@json_option
def receive(file: Path, root: str | None, home: Path | None, as_json: bool) -> None:
    """Take in FILE, which a brand made with `authcode keys send`: its keyring, serial and MAC keys.

    From then on this server knows the brand's codes; its orders are registered by their manifests.
    """
    from keys.store.transfer import MAX_SENT_BYTES, receive_shared_keys
    from server.commands.database import opened_database, server_keys
    from server.keystore import keep_shared_keys
    from server.runtime.actor import command_line_actor
    from server.services.brands.keyring import publish_keyring

    keys = server_keys(home)
    with file.open("rb") as opened:
        content = opened.read(MAX_SENT_BYTES + 1)
    sent = receive_shared_keys(content, keys.address, root_fingerprint=root)
    if root is None and sys.stdin.isatty():
        click.echo(f"{sent.keyring.keyring.brand} says its root key is {sent.keyring.root_fingerprint}.")
        click.confirm("Is that what the brand gave you in another way?", abort=True)
    with opened_database(home) as db:
        document, who = sent.keyring.document, command_line_actor()
        keyring = publish_keyring(db, document, server_id=sent.server_id, now=the_time(), by=who)
    keep_shared_keys(keys, keyring.brand_id, sent.shared)
    facts = {
        "brand": keyring.brand,
        "brand_id": keyring.brand_id.hex(),
        "root": sent.keyring.root_fingerprint,
        "version": keyring.version,
        "serial_keys": len(sent.shared.serial),
        "mac_keys": len(sent.shared.mac),
    }
    print_answer(
        facts,
        f"{keyring.brand}: keyring {keyring.version}, {facts['serial_keys']} serial and {facts['mac_keys']} MAC keys",
        f"  root key {sent.keyring.root_fingerprint}{'' if root else '; compare it with what the brand says'}",
        as_json=as_json,
    )
