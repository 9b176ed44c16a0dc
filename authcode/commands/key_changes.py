"""`authcode keys rotate`, `keys withdraw` and `keys send`: replace, withdraw and share keys."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from authcode.client.station import Station
from authcode.commands.keys import announce_keys, key_facts, publish_at
from authcode.commands.options import (
    code_key_options,
    common_options,
    counted,
    example,
    print_answer,
    server_option,
    station_at,
    the_time,
    unlocked_issuer,
)
from authcode.commands.values import MOMENT
from authcode.events import Touched, count_touched
from authcode.order.book import OrderBook
from keys.base.errors import AddressInvalid, AuthcodeError
from keys.base.files import write_atomic
from keys.base.home import is_apart
from keys.base.instants import format_instant
from keys.format.records import CodeKey, Form, KeyState, Profile, check_withdrawal_moment
from keys.store.issuer import UnlockedIssuer
from keys.store.transfer import send_shared_keys

_COUNTS: Final = ("active_unburned", "locked", "as_usual", "not_ours", "used", "used_locked", "used_not_ours")
"""The facts of a withdrawal that a server counts: attributes of `Touched`."""


@click.command(epilog=example("authcode keys rotate --form short"))
@code_key_options
@click.option("--office", "what", flag_value="office", help="Replace the key that signs manifests instead.")
@click.option("--withdraw-old", is_flag=True, help="With --office: manifests of the old ones are not taken any more.")
@click.option("--root", "what", flag_value="root", help="Replace the root instead; the old one signs that step.")
@common_options
def rotate(  # noqa: PLR0913, PLR0917 - one argument an option
    profile: Profile,
    form: Form,
    prefix: str | None,
    what: str | None,
    withdraw_old: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Replace a key: new orders are signed by a new one, codes of the old one verify as before.

    Nothing is reprinted. Verifiers that trusted the old root go on by themselves; keep a fresh copy of the issuer's
    part afterwards, since an older copy has the old root.
    """
    if withdraw_old and what != "office":
        raise click.UsageError("--withdraw-old goes with --office; `authcode keys withdraw` is for code keys.")
    issuer = unlocked_issuer(home)
    facts: dict[str, object]
    if what == "root":
        facts = {"root": issuer.rotate_root(the_time()).root_fingerprint}
        done = f"The root is now {facts['root']}; the old one vouched for it. Copy the issuer's part to a safe place."
    elif what == "office":
        facts = {"office": issuer.rotate_office_key(the_time(), withdraw_old=withdraw_old)}
        done = f"Manifests are now signed by the office key {facts['office']}"
    else:
        chosen = prefix or issuer.keyring.keyring.prefixes[-1]
        key, old = issuer.rotate_code_key(profile=profile, form=form, prefix=chosen, now=the_time())
        facts = {**key_facts(key), "retired": list(old)}
        done = f"Key {key.key_id}: {key.profile}, {key.form} form, {key.prefix}; retired: {', '.join(old) or 'none'}"
    _publish(issuer, facts, done, as_json=as_json)


@click.command(epilog=example("authcode keys withdraw K1 --since 2026-03-01 --reason 'laptop stolen' --preview"))
@click.argument("key_id", metavar="KEY")
@click.option("--since", required=True, type=MOMENT, help="From when it may have been in other hands, in UTC.")
@click.option("--reason", required=True, help="Why; the keyring publishes it.")
@click.option("--preview", is_flag=True, help="Only show what it would touch.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@server_option
@common_options
def withdraw(  # noqa: PLR0913, PLR0917 - one argument an option
    key_id: str,
    since: datetime,
    reason: str,
    preview: bool,
    yes: bool,
    server: str | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Withdraw KEY since a moment: its codes are not accepted offline any more.

    Online, units that were registered and activated before that moment are answered "locked" (or as usual with a
    caution, where the brand chose that), all others "not ours". It cannot be taken back. The units that it touches are
    counted and shown first (with --server by that server), then it asks. With --server the keyring is published there
    too, where the token has keys:publish; if that fails the key is still good there, which is reported, and the exit
    code is 1.
    """
    station = station_at(server) if server is not None else None
    issuer = unlocked_issuer(home)
    now = the_time()
    key = issuer.keyring.keyring.code_key(key_id)
    check_withdrawal_moment(key_id, since=since, now=now)
    touched = _touched(issuer, station, key_id, since=since, now=now)
    facts = {"key_id": key_id, "since": format_instant(since), **_counts(issuer, key_id, touched)}
    if preview:
        facts |= {"withdrawn": key.state is KeyState.WITHDRAWN}
    if preview or not as_json:
        print_answer(facts, *_touched_lines(key_id, since, facts), as_json=as_json)
    if preview:
        return
    if not yes:
        _confirm(key_id)
    issuer.withdraw_code_key(key_id, since=since, reason=reason, now=now)
    published, about_servers = _publish_withdrawal(issuer, key_id, station)
    facts |= {"withdrawn": True, "published_at_server": published}
    done = f"Key {key_id} is withdrawn since {facts['since']}.{_next_key(issuer, key)}"
    _publish(issuer, facts, done, as_json=as_json, notes=about_servers)
    if published is False:
        click.get_current_context().exit(1)


@click.command(epilog=example("authcode keys send --to 9f3c... --out keys-for-server.json"))
@click.option("--to", "address", required=True, metavar="ADDRESS", help="What `authcode keys address` prints there.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("keys-for-server.json"),
    show_default=True,
    help="A new file.",
)
@common_options
def send(address: str, out: Path, home: Path | None, as_json: bool) -> None:
    """Seal the serial and MAC keys to another server, with the keyring, into a file for `authcode keys receive`.

    Only that server opens it; signing keys are never in it. Make sure that the address is really that server's:
    these keys reveal volumes from serials and make compact codes.
    """
    try:
        recipient = bytes.fromhex(address)
    except ValueError:
        raise AddressInvalid from None
    issuer = unlocked_issuer(home)
    write_atomic(out, send_shared_keys(issuer, recipient))
    root = issuer.keyring.root_fingerprint
    line = f"{out} is for the server {recipient.hex()[:16]}... alone; there: authcode keys receive {out.name}"
    facts = {"to": recipient.hex(), "file": str(out), "root": root}
    print_answer(facts, line, as_json=as_json, notes=[f"send it your root key by another way: {root}"])


class NothingWithdrawn(AuthcodeError):
    """A withdrawal was not confirmed."""

    code = "stopped"
    sentence = "nothing was withdrawn: key {key_id} is as it was"
    key_id: str


def _confirm(key_id: str) -> None:
    with suppress(click.Abort):
        if click.confirm(f"Withdraw key {key_id}? It cannot be taken back", err=True):
            return
    raise NothingWithdrawn(key_id)


def _next_key(issuer: UnlockedIssuer, withdrawn: CodeKey) -> str:
    """The advice to make a key, if none is left for new orders of the same kind."""
    kinds = {(key.profile, key.form) for key in issuer.keyring.keyring.code_keys if key.state is KeyState.ACTIVE}
    return "" if (withdrawn.profile, withdrawn.form) in kinds else " For new orders: authcode keys rotate"


def _touched(
    issuer: UnlockedIssuer, station: Station | None, key_id: str, *, since: datetime, now: datetime
) -> tuple[Touched, ...]:
    """The units that the named server counts, else those that the listeners of this home count."""
    if station is not None:
        return (station.withdrawal(key_id, since=since),)
    return count_touched(issuer.home, issuer.keyring.keyring.brand_id, key_id, since=since, now=now)


def _publish_withdrawal(
    issuer: UnlockedIssuer, key_id: str, station: Station | None
) -> tuple[bool | None, tuple[str, ...]]:
    """Whether the named server has the withdrawal (None if none was named), and notes for the answer.

    The warning that a stolen key is still good somewhere goes to standard error at once: the next step may fail too.
    """
    if station is None:
        if not is_apart(issuer.home):
            return None, ()
        return None, (f"Warning: at its server the key {key_id} is still good until the keyring is published there",)
    try:
        return True, publish_at(station, issuer.keyring)
    except AuthcodeError as error:
        command = f"authcode keys publish --server {station.server}"
        note = f"Warning: at {station.server} the key {key_id} is STILL GOOD, codes of it go on being verified: {error}"
        remedy = f"{note} [{error.code}]. Run, with a token of the scope keys:publish: {command}"
        click.echo(remedy, err=True)
        return False, (remedy,)


def _publish(
    issuer: UnlockedIssuer, facts: dict[str, object], line: str, *, as_json: bool, notes: tuple[str, ...] = ()
) -> None:
    notes = (*notes, *announce_keys(issuer))
    facts = {**facts, "version": issuer.keyring.keyring.version, "notes": notes}
    print_answer(facts, line, as_json=as_json, notes=notes)


def _counts(issuer: UnlockedIssuer, key_id: str, touched: tuple[Touched, ...]) -> dict[str, object]:
    """Orders and units issued by the order book, and the sums of `touched`, null without any."""
    issued = OrderBook.of(issuer.home).orders_of(key_id)
    return {
        "orders_issued": len(issued),
        "units_issued": sum(int(order.contents["count"]) for order in issued),
        **{name: sum(getattr(one, name) for one in touched) if touched else None for name in _COUNTS},
    }


def _touched_lines(key_id: str, since: datetime, facts: dict[str, object]) -> list[str]:
    signed = f"Key {key_id} signed {_of(facts, 'orders_issued', 'order')} with {_of(facts, 'units_issued', 'unit')}."
    if facts["active_unburned"] is None:
        return [
            signed,
            "  How many of them are active and unused is known to their server, and there is none in this home;",
            "  with --server URL and a token that one counts them.",
        ]
    words = (("used_locked", "locked"), ("used_not_ours", "not ours"))
    holders = "".join(f'; the holders of {facts[name]:,} will read "{word}"' for name, word in words if facts[name])
    before = f"in the world before {since:%Y-%m-%d %H:%M} UTC"
    usual = f"    {facts['as_usual']:,} {before} will be answered as usual with a caution, as the brand chose"
    locked = f'    {facts["locked"]:,} {before} will be answered "locked"'
    return [
        signed,
        f"  {_of(facts, 'active_unburned', 'unit')} active and not used yet:",
        usual if facts["as_usual"] else locked,
        f'    {facts["not_ours"]:,} activated later will be answered "not ours"',
        f"  {_of(facts, 'used', 'unit')} used already{holders}.",
    ]


def _of(facts: dict[str, object], name: str, noun: str) -> str:
    return counted(int(str(facts[name])), noun)
