"""`authcode keys`: make, list and publish the keys of a brand."""

from pathlib import Path

import click

from authcode.client.station import Station
from authcode.commands.options import (
    code_key_options,
    common_options,
    example,
    print_answer,
    server_option,
    station_at,
    the_time,
    unlocked_issuer,
)
from authcode.events import announce_keyring
from keys.base.home import home_dir, is_apart, issuer_keyring_path
from keys.base.instants import format_instant
from keys.format.keyring import OpenedKeyring
from keys.format.records import CodeKey, Form, KeyState, Profile
from keys.store.issuer import IssuerHome, UnlockedIssuer
from keys.store.passphrase import read_passphrase


@click.command(epilog=example("authcode keys new --profile compact"))
@code_key_options
@common_options
def new(profile: Profile, form: Form, prefix: str | None, home: Path | None, as_json: bool) -> None:
    """Make a key for codes and publish it in the keyring; new orders use the newest.

    A compact key makes smaller codes that only the brand's server can check: a weaker promise, for very small packs.
    """
    issuer = unlocked_issuer(home)
    chosen = prefix or issuer.keyring.keyring.prefixes[-1]
    key = issuer.new_code_key(profile=profile, form=form, prefix=chosen, now=the_time())
    notes = announce_keys(issuer)
    line = f"Key {key.key_id}: {key.profile}, {key.form} form, {key.prefix}"
    print_answer({**key_facts(key), "notes": notes}, line, as_json=as_json, notes=notes)


@click.command("list", epilog=example("authcode keys list --json"))
@common_options
def list_keys(home: Path | None, as_json: bool) -> None:
    """List the keys in the keyring; no passphrase is needed."""
    opened = IssuerHome.open(home_dir(home)).keyring
    keyring = opened.keyring
    lines = [f"{keyring.brand}: keyring {keyring.version}, valid until {keyring.expires:%Y-%m-%d %H:%M} UTC"]
    for key in keyring.code_keys:
        lines.append(f"  {key.key_id}  {key.profile:8} {key.form:6} {key.state:10} {key.prefix}")
        if key.state is KeyState.WITHDRAWN:
            lines.append(f"      withdrawn since {key.since:%Y-%m-%d %H:%M} UTC: {key.reason}")
    lines.append(f"Root fingerprint, to be compared by those who trust this brand: {opened.root_fingerprint}")
    print_answer(_keyring_facts(opened), *lines, as_json=as_json)


@click.command(epilog=example("authcode keys publish"))
@server_option
@common_options
def publish(server: str | None, home: Path | None, as_json: bool) -> None:
    """Publish the keyring again, with a new signature if it is about to expire.

    It goes to this machine's server, or with --server to that one over the network, which gets serial and MAC keys by
    `keys send` alone.

    Run it at least every 30 days: past its date, offline verifiers call the key list out of date.
    """
    station = station_at(server) if server is not None else None
    issuer = unlocked_issuer(home)
    opened = issuer.refresh_keyring(the_time())
    notes = publish_at(station, opened) if station else announce_keys(issuer)
    path = issuer_keyring_path(issuer.home)
    line = f"Keyring {opened.keyring.version}, valid until {opened.keyring.expires:%Y-%m-%d %H:%M} UTC, is in {path}"
    facts = {**_keyring_facts(opened), "keyring": str(path), "notes": notes}
    print_answer(facts, line, as_json=as_json, notes=notes)


def publish_at(station: Station, opened: OpenedKeyring) -> tuple[str, ...]:
    """Publish the keyring at a server; returns lines for the answer. Errors: see `HttpClient.call`."""
    answer = station.publish_keyring(opened.document)
    lacking = ", ".join(map(str, answer["keys_not_here"]))
    missing = f"Warning: that server cannot judge codes of {lacking} yet; send its keys with `authcode keys send`"
    done = f"{station.server}: keyring version {answer['version']} of {answer['brand']} is in force"
    return (done, missing) if lacking else (done,)


def announce_keys(issuer: UnlockedIssuer) -> tuple[str, ...]:
    """Announce the current keyring and the shared keys to the listeners; returns their sentences."""
    home = issuer.home
    if is_apart(home):
        return ("no server's part in this home: `authcode keys publish --server URL` brings the keyring to its server",)
    shared = issuer.shared_keys()
    return announce_keyring(home, issuer.keyring.document, shared, lambda: read_passphrase("server", home))


def key_facts(key: CodeKey) -> dict[str, object]:
    """The members of `--json` about a key."""
    return {
        "key_id": key.key_id,
        "profile": key.profile,
        "form": key.form,
        "prefix": key.prefix,
        "state": key.state,
        "since": format_instant(key.since),
        "reason": key.reason,
    }


def _keyring_facts(opened: OpenedKeyring) -> dict[str, object]:
    keyring = opened.keyring
    return {
        "brand": keyring.brand,
        "brand_id": keyring.brand_id.hex(),
        "root": opened.root_fingerprint,
        "version": keyring.version,
        "issued": format_instant(keyring.issued),
        "expires": format_instant(keyring.expires),
        "prefixes": list(keyring.prefixes),
        "keys": [key_facts(key) for key in keyring.code_keys],
    }
