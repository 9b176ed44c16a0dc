"""Where the passphrase of a part comes from: a file, the environment, or a person (docs/format.md §1)."""

import getpass
import os
import sys
from pathlib import Path
from typing import Final, Literal

from keys.base.errors import PassphraseFileReadable, PassphraseMissing
from keys.base.files import mode_for_others

MAX_PASSPHRASE_BYTES: Final = 4096
MIN_TYPED_CHARACTERS: Final = 12
"""Required of a new passphrase that a person types. What a file or the environment holds was made by a machine, or is a
test's; scrypt slows the guessing of either."""

Part = Literal["issuer", "server"]


def read_passphrase(part: Part, home: Path, *, new: bool = False) -> str:
    """The passphrase of one part of `home`; `new` asks a person twice.

    1. The file that AUTHCODE_ISSUER_PASSPHRASE_FILE (or _SERVER_) names.   2. The same variable without _FILE, for
    tests.   3. HOME/issuer/passphrase (or server), as a demonstration's home has it.   4. A prompt on a terminal.

    Raises:
        PassphraseFileReadable: the file is open to others than its owner.
        PassphraseMissing: there is none, it is empty or no text, or the two that were typed differ.
    """
    variable = f"AUTHCODE_{part.upper()}_PASSPHRASE"
    named = os.environ.get(f"{variable}_FILE")
    if named:  # (1)
        return _read_file(part, Path(named))
    given = os.environ.get(variable)
    if given:  # (2)
        return given
    kept = home / part / "passphrase"
    if kept.exists():  # (3)
        return _read_file(part, kept)
    if not sys.stdin.isatty():
        raise PassphraseMissing(part, "none was given and there is no terminal to ask at")
    return _ask(part, new=new)  # (4)


def read_new_passphrase(part: Part, path: Path | None) -> str:
    """The passphrase that takes the place of the present one: of the file `path`, else asked twice on a terminal.

    Raises:
        PassphraseFileReadable, PassphraseMissing: as `read_passphrase`.
    """
    if path is not None:
        return _read_file(part, path)
    if not sys.stdin.isatty():
        raise PassphraseMissing(part, "no new one was given and there is no terminal to ask at")
    return _ask(part, new=True)


def _read_file(part: Part, path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = mode_for_others(file)
            if mode is not None:
                raise PassphraseFileReadable(path, mode)
            data = file.read(MAX_PASSPHRASE_BYTES + 1)
    except OSError as error:
        raise PassphraseMissing(part, f"{path} cannot be read ({error.strerror})") from None
    try:
        passphrase = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise PassphraseMissing(part, f"{path} holds no text in UTF-8") from None
    if not passphrase or len(data) > MAX_PASSPHRASE_BYTES:
        raise PassphraseMissing(part, f"{path} is empty or longer than {MAX_PASSPHRASE_BYTES} bytes")
    return passphrase


def _ask(part: Part, *, new: bool) -> str:
    hint = f" (new, at least {MIN_TYPED_CHARACTERS} characters; five random words are good)" if new else ""
    passphrase = getpass.getpass(f"Passphrase of the {part} part{hint}: ")
    if new and len(passphrase) < MIN_TYPED_CHARACTERS:
        raise PassphraseMissing(part, f"it needs at least {MIN_TYPED_CHARACTERS} characters")
    if new and passphrase != getpass.getpass("The same again: "):
        raise PassphraseMissing(part, "the two that were typed differ")
    if not passphrase:
        raise PassphraseMissing(part, "an empty one was typed")
    return passphrase
