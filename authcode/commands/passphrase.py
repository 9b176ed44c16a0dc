"""`authcode keys passphrase`: a part's keys under another passphrase."""

import os
from pathlib import Path
from typing import Final

import click

from authcode.commands.init import PassphrasesEqual
from authcode.commands.options import common_options, example, print_answer
from keys.base.errors import HomeMissing, WrongPassphrase
from keys.base.home import home_dir, issuer_keys_dir, server_keys_dir
from keys.store.key_store import open_store
from keys.store.passphrase import Part, read_new_passphrase, read_passphrase

_PARTS: Final[dict[Part, Part]] = {"issuer": "server", "server": "issuer"}
"""The parts of a home, each with the other one."""


@click.command(epilog=example("authcode keys passphrase issuer", "authcode keys passphrase server --new-file new.txt"))
@click.argument("part", type=click.Choice(list(_PARTS)))
@click.option(
    "--new-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A private file with the new passphrase [asked for twice at a terminal].",
)
@common_options
def passphrase(part: Part, new_file: Path | None, home: Path | None, as_json: bool) -> None:
    """Seal the key files of PART (issuer or server) under a new passphrase, all at once or not at all.

    The present one is needed. Stop `serve` before you change the server's. Backups and other copies still open under
    the old one: where it leaked together with a copy, replace the keys too.
    """
    place = home_dir(home)
    keys = _keys_of(part, place)
    if not keys.is_dir():
        if part == "issuer":
            raise HomeMissing(place)
        raise click.UsageError(f"there is no server's part in {place}.")
    store = open_store(keys).unlock(read_passphrase(part, place))
    chosen = read_new_passphrase(part, new_file)
    if _opens(_keys_of(_PARTS[part], place), chosen):
        raise PassphrasesEqual
    count = store.change_passphrase(chosen)
    done = f"The {part}'s {count} key files in {keys} open under the new passphrase alone."
    notes = ["Older copies still open under the old one: replace your backups."]
    if named := _kept_in(part, place):
        notes.append(f"Write the new one where the old one is kept: {named}")
    print_answer({"part": part, "keys": count, "notes": notes}, done, as_json=as_json, notes=notes)


def _keys_of(part: Part, home: Path) -> Path:
    return issuer_keys_dir(home) if part == "issuer" else server_keys_dir(home)


def _opens(keys: Path, chosen: str) -> bool:
    """Whether a passphrase opens another part's keys, if they are here too."""
    store = open_store(keys)
    if not store.headers():
        return False
    try:
        store.unlock(chosen)
    except WrongPassphrase:
        return False
    return True


def _kept_in(part: Part, home: Path) -> str | None:
    """The file or variable from which the next command reads this part's passphrase, if there is one."""
    variable = f"AUTHCODE_{part.upper()}_PASSPHRASE"
    if file := os.environ.get(f"{variable}_FILE"):
        return file
    if os.environ.get(variable):
        return variable
    kept = home / part / "passphrase"
    return str(kept) if kept.exists() else None
