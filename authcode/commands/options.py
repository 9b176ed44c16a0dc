"""Options that several commands share, and the way to the home that they name."""

import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click

from authcode.client.http_client import HttpClient
from authcode.client.station import Station
from authcode.client.token_source import read_token
from keys.base.errors import KeyringRollback, RootChanged
from keys.base.home import home_dir, issuer_keyring_path
from keys.format.keyring import OpenedKeyring, open_keyring
from keys.format.records import Form, Profile
from keys.store.issuer import IssuerHome, UnlockedIssuer
from keys.store.passphrase import read_passphrase
from keys.trust import TrustFile

_Command = TypeVar("_Command", bound=Callable[..., Any])


def example(*lines: str) -> str:
    """Give the foot of a command's help: command lines to copy."""
    title = "Example" if len(lines) == 1 else "Examples"
    return f"{title}:\n\n\b\n" + "\n".join(f"  {line}" for line in lines)


home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="The home to use [AUTHCODE_HOME, else ./authcode-home].",
)
keyring_option = click.option(
    "--keyring",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="AUTHCODE_KEYRING",
    show_envvar=True,
    help="A brand's published keyring; its root key is remembered at first sight [the home's own].",
)
server_option = click.option(
    "--server",
    metavar="URL",
    help="Ask this server over the network, with the token in the file that AUTHCODE_TOKEN_FILE names.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for machines.")


def common_options(command: _Command) -> _Command:
    """Add `--home` and `--json`, the last options of nearly every command."""
    return home_option(json_option(command))


def choice_option(name: str, kinds: type[StrEnum], **attributes: Any) -> Callable[[_Command], _Command]:  # noqa: ANN401 - those of click.option
    """Make an option that takes the values of an enumeration, and gives one of its members."""
    if "default" in attributes:
        attributes |= {"default": str(attributes["default"]), "show_default": True}
    choice = click.Choice([str(kind) for kind in kinds])
    return click.option(name, type=choice, callback=lambda _ctx, _option, value: kinds(value), **attributes)


def code_key_options(command: _Command) -> _Command:
    """Add `--profile`, `--form` and `--prefix`: what a key for codes is made for."""
    prefix = click.option("--prefix", metavar="URL", help="Where codes of this key lead [the keyring's newest prefix].")
    form = choice_option("--form", Form, default=Form.SHORT)
    return choice_option("--profile", Profile, default=Profile.SIGNED)(form(prefix(command)))


def read_fingerprint(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Check the value of `--root`; a callback of that option, so that a truncated one is a usage error."""
    if value is not None and re.fullmatch("sha256:[0-9a-f]{64}", value) is None:
        raise click.BadParameter("a fingerprint is sha256: and 64 digits of 0-9a-f, as `authcode keys list` shows it.")
    return value


def station_at(server: str) -> Station:
    """Make a print station with this machine's token, for a server; nothing is sent yet.

    Raises:
        ServerUrlInvalid, TlsRequired: nothing is sent to this address.
        TokenNotGiven, TokenFileReadable: there is no token to show.
    """
    return Station(HttpClient(server, read_token()))


def read_bounded(path: Path, limit: int) -> bytes:
    """Read a file, at most one byte more than `limit`, so that a longer one is refused when it is opened."""
    with path.open("rb") as file:
        return file.read(limit + 1)


def the_time() -> datetime:
    """Return the current time in UTC; only commands do."""
    return datetime.now(UTC)


def admit_keyring(path: Path, home: Path, *, root: str | None = None) -> OpenedKeyring:
    """Open a published keyring with the pins of this home; at first sight name the root that is pinned from now on.

    `root` is a fingerprint from another source; a keyring of another one is refused and never pinned.
    """
    pins = home / "trust.json"
    trust = TrustFile(pins)
    if issuer_keyring_path(home).exists():  # pinned first, so that no other brand takes its name or address
        own = IssuerHome.open(home).keyring
        with suppress(KeyringRollback, RootChanged):  # an older copy of the home: what is pinned is newer
            trust.admit(own.document, root_fingerprint=own.root_fingerprint)
    opened = trust.admit(path.read_bytes(), root_fingerprint=root)
    if opened.first_seen:
        brand, compare = opened.keyring.brand, "" if root else "; compare it with what the brand publishes elsewhere"
        pinned = f"its root {opened.root_fingerprint} is pinned in {pins} from now on{compare}"
        click.echo(f"Note: {brand} is seen for the first time; {pinned}.", err=True)
    return opened


def keyring_at(path: Path | None, home: Path, *, root: str | None = None) -> OpenedKeyring | None:
    """Open the keyring that `--keyring` names, else the home's own; None where there is neither.

    `root` is a fingerprint from another source that either keyring must follow.
    """
    if path is not None:
        return admit_keyring(path, home, root=root)
    if not issuer_keyring_path(home).exists():
        return None
    opened = IssuerHome.open(home).keyring
    return opened if root is None else open_keyring(opened.document, root_fingerprint=root)


def trust_facts(opened: OpenedKeyring) -> dict[str, object]:
    """The members of `--json` about trust: the root, and whether it was pinned only now."""
    return {"root": opened.root_fingerprint, "first_seen": opened.first_seen}


def unlocked_issuer(home: Path | None) -> UnlockedIssuer:
    """Open the issuer's part, asking for its passphrase where nothing holds it."""
    place = home_dir(home)
    issuer = IssuerHome.open(place)
    return issuer.unlock(read_passphrase("issuer", place))


def print_answer(facts: object, *lines: str, as_json: bool, notes: Iterable[str] = ()) -> None:
    """Answer a command: `facts` as JSON for machines, else `lines` for a person, with the listeners' `notes` below."""
    if as_json:
        print_json(facts)
        return
    for line in (*lines, *(f"  {note}" for note in notes)):
        click.echo(line)


def counted(number: int, noun: str) -> str:
    """A number with its noun, which takes an s for all but one."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def print_json(answer: object) -> None:
    """Print one JSON object on a line of its own."""
    click.echo(json.dumps(answer, ensure_ascii=False))
